"""Which commands of a step remove what its other commands left."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.order.install_commands import begins_with

REMOVERS = ("rm", "find", "rmdir", "unlink", "shred")
"""Programs that remove what their words name; `find` may."""


def cleans(command: Command, manager: Manager) -> bool:
    """Whether a command removes the manager's caches: by the manager itself, or by their path.
    Package lists go by their path alone: `apt-get clean` leaves them."""
    words = command.texts
    if manager.lists is None and any(begins_with(words, cleaner) for cleaner in manager.cleaners):
        return True
    bare = [word for word in words if word != "sudo"]
    if not bare or posixpath.basename(bare[0]) not in REMOVERS:
        return False
    caches = manager.lists.folders if manager.lists is not None else manager.caches
    folders = [
        cache.replace("~", home) for cache in caches for home in ("~", "/root", "$HOME", "${HOME}")
    ]
    paths = [word.strip("\"'") for word in bare[1:] if not word.startswith("-")]
    return any(
        touches(path, folders) or (manager.lists is None and "cache" in path) for path in paths
    )


def touches(path: str, folders: Iterable[str]) -> bool:
    """Whether a path, globs at its end aside, is one of the folders, lies in one or holds one."""
    place = posixpath.normpath(path.rstrip("*").rstrip("/") or "/")
    if place in ("/", "."):
        return False
    return any(
        f"{place}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{place}/")
        for folder in folders
    )
