"""Programs that the start names through a folder that is a link, on bases where it is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.image.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.start.start_words import paths_through_links

MERGED = ("ADD rootfs", {"/bin": File(link="usr/bin"), "/usr/bin/sh": File("#!", 0o755)})
BUILT = (
    "RUN go build -o /bin/app",
    {"/usr/bin/app": File("x", 0o755), "/usr/bin/other": File(link="app")},
)
BASES = {
    "a /bin of its own": (
        Recipe((("ADD", {"/bin/": File(folder=True)}),), {}),
        {"/bin/app": "/usr/bin/app"},
    ),
    "no /bin": (Recipe((("ADD", {"/etc/passwd": ""}),), {}), {"/bin/app": "/usr/bin/app"}),
    "the same link": (Recipe((MERGED,), {}), {}),
}


@pytest.mark.parametrize(("base", "found"), BASES.values(), ids=BASES)
def test_a_program_named_below_a_link_needs_one(
    view_of: Callable[..., ImageView],
    image_of: Callable[[Recipe], Image],
    base: Recipe,
    found: dict[str, str],
) -> None:
    evidence = Evidence(view_of(Recipe((MERGED, BUILT), {}), 1), SystemPackages())
    words = ("/bin/app", "/usr/bin/app", "/bin/sh", "app", "--config=/bin/x", "/bin/nothing")
    assert paths_through_links(evidence, words, image_of(base).tree()) == found
