"""Which folders and files a service writes to, from what its smoke run changed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.rewrite.evidence import Evidence

OPEN_TO_ALL = ("/tmp", "/var/tmp", "/dev", "/proc", "/sys", "/run/lock", "/dev/shm")
"""Folders that every user may write to, or that are not part of the image."""
OPTIONAL = ("*/__pycache__", "*.pyc", "/root", "/root/*", "/home/*", "/etc/mtab")
"""Written when it can be, done without when not: bytecode, and files of the home folder (the new user has its own)."""


@dataclass(frozen=True, slots=True)
class Writable:
    """`trees` are made where they are missing and belong to the user with all below; `paths` belong alone."""

    trees: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.trees or self.paths)

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(sorted({*self.trees, *self.paths}))

    def command(self, user: int) -> str:
        """The shell command that gives them to the user."""
        parts = []
        if self.trees:
            listed = " ".join(self.trees)
            parts.append(f"mkdir -p {listed} && chown -R {user}:{user} {listed}")
        if self.paths:
            parts.append(f"chown {user}:{user} {' '.join(self.paths)}")
        return " && ".join(parts)


def writable(evidence: Evidence, extra: Iterable[str] = ()) -> Writable:
    """What has to belong to the user, from the paths that the run created or changed, the volumes, and `extra`."""
    made = [path for path in evidence.seen.written if not _is_free(path)]
    new = {path for path in made if evidence.tree.get(path) is None}
    trees = {path for path in new if any(posixpath.dirname(other) == path for other in new)}
    trees |= set(evidence.config.volumes) | set(extra)
    highest = _highest(trees)
    paths = {_needs_owner(evidence, path, new) for path in made if not _below(path, highest)}
    return Writable(highest, tuple(sorted(path for path in paths if path and not _below(path, highest))))


def _needs_owner(evidence: Evidence, path: str, new: set[str]) -> str:
    """The folder in which something new was made, or the file that was changed."""
    if path in new:
        parent = posixpath.dirname(path)
        return "" if parent in new else parent
    node = evidence.tree.get(path)
    return path if node is not None and node.kind == "file" else ""


def _is_free(path: str) -> bool:
    if any(path == root or path.startswith(root + "/") for root in OPEN_TO_ALL):
        return True
    return any(fnmatchcase(path, glob) for glob in OPTIONAL)


def _below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _highest(folders: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for folder in sorted(set(folders)):
        if not _below(folder, found):
            found.append(folder)
    return tuple(found)
