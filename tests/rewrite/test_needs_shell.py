"""Why a service cannot do without a shell: a script that is handed to its interpreter needs
none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.final.fates import Carved
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.strategies.distroless_base import _needs_shell

FILES = {
    "usr/bin/env": File("\x7fELF", 0o755),
    "usr/local/bin/node": File("\x7fELF", 0o755),
    "app/node_modules/vite/bin/vite.js": File("#!/usr/bin/env node\n", 0o755),
}
SCRIPT = "/app/node_modules/vite/bin/vite.js"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("node", "node_modules/vite/bin/vite.js", "preview"), ""),
        (("node_modules/vite/bin/vite.js", "preview"), f"{SCRIPT} is a script for /usr/bin/env"),
        (("node", "cluster.js"), f"{SCRIPT} is a script for /usr/bin/env"),
        (("python3", "node_modules/vite/bin/vite.js"), f"{SCRIPT} is a script for /usr/bin/env"),
    ],
)
def test_a_script_is_looked_at_where_its_first_line_counts(
    words: tuple[str, ...], reason: str, image_of: Callable[[Recipe], Image]
) -> None:
    config = {"WorkingDir": "/app", "Cmd": ["npx", "vite"], "Env": ["PATH=/usr/local/bin:/usr/bin"]}
    view = ImageView(image_of(Recipe((("COPY . .", FILES),), config)))
    evidence = Evidence(
        view, SystemPackages(), Seen(opened=frozenset([SCRIPT]), executed=frozenset([SCRIPT]))
    )
    final = FinalStage("builder", "debian", True, Carved({}, {}), start_words=words)
    assert _needs_shell(evidence, final) == reason
