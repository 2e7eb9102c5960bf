"""Which folders a service writes to, from what its smoke run changed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from fnmatch import fnmatchcase

from imgopt.rewrite.evidence import Evidence

OPEN_TO_ALL = ("/tmp", "/var/tmp", "/dev", "/proc", "/sys", "/run/lock", "/dev/shm")
"""Folders that every user may write to, or that are not part of the image."""
OPTIONAL = ("*/__pycache__/*", "*/__pycache__", "*.pyc", "/root/.cache*", "/root", "/home/*", "/root/.*")
"""Written when it can be, done without when not: bytecode, and files of the home folder (the new user has its own)."""


def writable_folders(evidence: Evidence, extra: Iterable[str] = ()) -> tuple[str, ...]:
    """Folders that have to belong to the user: where files were created or changed; the highest only."""
    folders = {_folder(evidence, path) for path in evidence.seen.written if not _is_free(path)}
    folders |= set(evidence.config.volumes) | set(extra)
    return _highest(folder for folder in folders if folder not in ("", "/"))


def _is_free(path: str) -> bool:
    if any(path == root or path.startswith(root + "/") for root in OPEN_TO_ALL):
        return True
    return any(fnmatchcase(path, glob) for glob in OPTIONAL)


def _folder(evidence: Evidence, path: str) -> str:
    """The folder itself when one was made, else the folder that holds the file."""
    node = evidence.tree.get(path)
    if node is not None and node.kind == "dir":
        return path
    return posixpath.dirname(path)


def _highest(folders: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for folder in sorted(set(folders)):
        if not any(folder.startswith(parent + "/") for parent in found):
            found.append(folder)
    return tuple(found)
