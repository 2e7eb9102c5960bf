"""What has to belong to a service that is not root any more, by the configuration of the original."""

from __future__ import annotations

from collections.abc import Callable

from imgopt.proof.side import Side
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.writable import writable

from .conftest import File, Recipe

BASE = ("ADD rootfs", {"/bin/sh": "", "/srv/": File(folder=True)})


def test_a_volume_below_the_working_directory_is_made_for_the_user(side_of: Callable[..., Side]) -> None:
    """The engine makes the folder of a volume for root, where the image does not have it."""
    recipe = Recipe(
        (BASE, ("COPY . .", {"/app/main": "x", "/app/kept/a": "x"})),
        {"WorkingDir": "/app", "Volumes": {"/app/data": {}, "/app/kept": {}}},
    )
    owned = writable(Evidence(side_of(recipe, 1), SystemPackages(), Seen(written=("/app/data", "/app/data/x.db"))))
    assert owned.trees == ("/app", "/app/data")
    assert owned.told() == "/app (the working directory), /app/data (a volume)"
