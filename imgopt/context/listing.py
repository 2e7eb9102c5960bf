"""The names of a context's files, without a look at each of them: what strategies ask is mostly
whether one is there.

A context may have hundreds of thousands of files (`node_modules`); `list_files` reads kind, mode
and size of each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from imgopt.context.files import scan
from imgopt.dockerfile import IgnoreFile
from imgopt.errors import InputError


class FileSizes(Mapping[str, int]):
    """Path of each file and link -> size in bytes, read when it is asked for; 0 for links and for
    what is gone."""

    def __init__(self, root: Path, paths: Mapping[str, int | None]) -> None:
        self._root = os.fspath(root)
        self._sizes = dict(paths)

    def __getitem__(self, path: str) -> int:
        size = self._sizes[path]
        if size is None:
            size = self._sizes[path] = _size(f"{self._root}/{path}")
        return size

    def __contains__(self, path: object) -> bool:
        return path in self._sizes

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)


def list_sizes(root: Path, ignore: IgnoreFile | None = None) -> FileSizes:
    """The files and links that BuildKit's client would send, as `list_files` finds them.

    Raises InputError for a directory that cannot be listed.
    """
    if not root.is_dir():
        raise InputError(
            f"the build context {root} is not a directory", hint="name an existing directory"
        )
    found: dict[str, int | None] = {}
    _walk(os.fspath(root), "", found, ignore)
    return FileSizes(root, found)


def _walk(
    folder: str, prefix: str, found: dict[str, int | None], ignore: IgnoreFile | None
) -> None:
    for item in scan(folder):
        path = prefix + item.name
        excluded = ignore is not None and ignore.excludes(path)
        if item.is_dir(follow_symlinks=False):
            if not (excluded and ignore is not None and not ignore.keeps_below(path)):
                _walk(item.path, path + "/", found, ignore)
        elif not excluded and (item.is_file(follow_symlinks=False) or item.is_symlink()):
            found[path] = 0 if item.is_symlink() else None


def names_in(root: Path, folders: Iterable[str]) -> Iterator[str]:
    """Paths of the files in these folders of a context, whatever an ignore file says; none of what
    cannot be read."""
    for folder in folders:
        try:
            with os.scandir(root / folder) as items:
                yield from (
                    f"{folder}/{item.name}" if folder else item.name
                    for item in items
                    if not item.is_dir()
                )
        except OSError:
            continue


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
