"""The files of a build context as BuildKit's client would send them: after the ignore file, links
not followed.

A `Tree` is what a step's content key is made of: paths, kinds, permission bits, link texts and
bytes; never times or owners (facts: buildkit client/solve.go resets owners, cache/contenthash
hashes no time). Bytes are read only when two trees must be told apart.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from imgopt.dockerfile import IgnoreFile
from imgopt.errors import InputError, Location

Kind = Literal["file", "dir", "link", "other"]
_CHUNK = 1 << 20


class Content(Protocol):
    """The bytes of one file, read on demand. Equal `key`s mean the same bytes without reading
    them."""

    @property
    def size(self) -> int: ...
    @property
    def key(self) -> object: ...
    def read(self) -> bytes: ...
    def git_id(self, algorithm: str) -> str: ...


@dataclass(frozen=True, slots=True)
class DiskContent:
    """A file on disk, as it was when it was listed."""

    file: str
    size: int
    mtime_ns: int

    @property
    def key(self) -> object:
        return (self.file, self.size, self.mtime_ns)

    def read(self) -> bytes:
        with _open(self.file) as source:
            return source.read()

    def git_id(self, algorithm: str) -> str:
        """The id that git gives to these bytes ("sha1" or "sha256" repositories)."""
        digest = hashlib.new(algorithm, b"blob %d\0" % self.size, usedforsecurity=False)
        with _open(self.file) as source:
            while block := source.read(_CHUNK):
                digest.update(block)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class BytesContent:
    """Bytes that are on no disk: an edited file."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def key(self) -> object:
        return self.data

    def read(self) -> bytes:
        return self.data

    def git_id(self, algorithm: str) -> str:
        header = b"blob %d\0" % len(self.data)
        return hashlib.new(algorithm, header + self.data, usedforsecurity=False).hexdigest()


def _open(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise InputError(
            f"cannot read: {error.strerror}",
            location=Location(file),
            hint="let it be readable, or ignore it",
        ) from None


def same_content(one: Content | None, other: Content | None) -> bool:
    """Whether two files have the same bytes; reads them only when their sizes are equal and their
    keys are not."""
    if one is None or other is None:
        return one is other
    if one.key == other.key:
        return True
    if one.size != other.size:
        return False
    return one.git_id("sha1") == other.git_id("sha1")


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a tree. `mode` is the permission bits; `link` the text of a symbolic link."""

    kind: Kind
    mode: int = 0o644
    content: Content | None = None
    link: str = ""
    mtime_ns: int = 0

    @property
    def size(self) -> int:
        return self.content.size if self.content else 0

    def same_as(self, other: Entry) -> bool:
        """Whether BuildKit's checksum of the two is the same."""
        return (
            self.kind == other.kind
            and (self.kind == "link" or self.mode == other.mode)
            and self.link == other.link
            and same_content(self.content, other.content)
        )


@dataclass(frozen=True, eq=False)
class Tree:
    """Paths relative to the context's root, with `/`; the root itself is not among them.
    Directories are.

    A tree never changes; two are compared by what is in them with
    imgopt.cache.selection.differences."""

    entries: Mapping[str, Entry]

    def get(self, path: str) -> Entry | None:
        return self.entries.get(path)

    def __contains__(self, path: object) -> bool:
        return path in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def files(self) -> Iterator[tuple[str, Entry]]:
        """Files and links, in the tree's order."""
        return (
            (path, entry) for path, entry in self.entries.items() if entry.kind in ("file", "link")
        )

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The paths that are symbolic links."""
        if isinstance(self.entries, Overlay):
            kept = (path for path in self.entries.below.links if path not in self.entries.changes)
            own = (
                path
                for path, entry in self.entries.changes.items()
                if entry and entry.kind == "link"
            )
            return (*kept, *own)
        return tuple(path for path, entry in self.entries.items() if entry.kind == "link")

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries.values())

    def edited(self, changes: Mapping[str, Entry | None]) -> Tree:
        """This tree with entries replaced, added or (None) removed; missing parent directories are
        made."""
        found = dict(changes)
        for path, entry in changes.items():
            if entry is not None:
                found |= {
                    up: Entry("dir", 0o755)
                    for up in parents(path)
                    if up not in self and up not in found
                }
        return Tree(Overlay(self, found))

    def resolve(self, path: str) -> str | None:
        """`path` with every symbolic link on the way and at its end followed inside the tree; None
        when it is missing.

        Links cannot leave the root: `/x` and `../../x` start at the root, as in BuildKit's
        checksums.
        """
        done: list[str] = []
        todo = [part for part in path.split("/") if part not in ("", ".")][::-1]
        hops = 0
        while todo:
            part = todo.pop()
            if part == "..":
                done = done[:-1]
                continue
            here = "/".join([*done, part])
            entry = self.entries.get(here)
            if entry is None:
                return None
            if entry.kind != "link":
                done.append(part)
                continue
            hops += 1
            if hops > 255:
                return None
            if entry.link.startswith("/"):
                done = []
            todo += [step for step in entry.link.split("/") if step not in ("", ".")][::-1]
        return "/".join(done)


class Overlay(Mapping[str, Entry]):
    """The entries of a tree with some replaced, added or (None) removed; the tree below is shared,
    not copied."""

    def __init__(self, below: Tree, changes: Mapping[str, Entry | None]) -> None:
        inner = below.entries if isinstance(below.entries, Overlay) else None
        self.below: Tree = inner.below if inner else below
        self.changes: Mapping[str, Entry | None] = (
            {**inner.changes, **changes} if inner else changes
        )

    def __getitem__(self, path: str) -> Entry:
        entry = self.changes[path] if path in self.changes else self.below.entries[path]
        if entry is None:
            raise KeyError(path)
        return entry

    def __contains__(self, path: object) -> bool:
        if path in self.changes:
            return self.changes[path] is not None  # type: ignore[index]
        return path in self.below.entries

    def __iter__(self) -> Iterator[str]:
        yield from (path for path in self.below.entries if path not in self.changes)
        yield from (path for path, entry in self.changes.items() if entry is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def parents(path: str) -> Iterator[str]:
    """The directories above `path`, outermost first."""
    at = path.find("/")
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)


def list_files(root: Path, ignore: IgnoreFile | None = None) -> Tree:
    """Every path of the context that BuildKit's client would send; links are entries, never doors.

    Raises InputError for a directory that cannot be listed.
    """
    if not root.is_dir():
        raise InputError(
            f"the build context {root} is not a directory", hint="name an existing directory"
        )
    entries: dict[str, Entry] = {}
    _walk(os.fspath(root), "", entries, ignore)
    return Tree(entries)


def _walk(folder: str, prefix: str, entries: dict[str, Entry], ignore: IgnoreFile | None) -> bool:
    """Lists one directory in name order; whether anything in it is sent."""
    found = False
    for item in scan(folder):
        path = prefix + item.name
        directory = item.is_dir(follow_symlinks=False)
        excluded = ignore is not None and ignore.excludes(path)
        if excluded and not (directory and ignore is not None and ignore.keeps_below(path)):
            continue
        entry = _entry(item)
        if entry is None:
            continue
        entries[path] = entry
        if directory:
            inside = _walk(item.path, path + "/", entries, ignore)
            if excluded and not inside:
                del entries[
                    path
                ]  # an excluded directory is sent only for what comes back inside it
                continue
        found = True
    return found


def sifted(tree: Tree, ignore: IgnoreFile | None) -> Tree:
    """What of a whole tree is sent, as `list_files` would say."""
    if ignore is None:
        return tree
    kept: dict[str, Entry] = {}
    for path in sorted(tree):
        if not ignore.excludes(path):
            kept |= {up: tree.entries[up] for up in parents(path) if up not in kept and up in tree}
            kept[path] = tree.entries[path]
    return Tree(kept)


def scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError as error:
        raise InputError(
            f"cannot list: {error.strerror}",
            location=Location(folder),
            hint="let it be readable, or ignore it",
        ) from None


def _entry(item: os.DirEntry[str]) -> Entry | None:
    """None for what vanished meanwhile and for sockets, which are never sent."""
    try:
        about = item.stat(follow_symlinks=False)
        mode = stat.S_IMODE(about.st_mode)
        if stat.S_ISREG(about.st_mode):
            content = DiskContent(item.path, about.st_size, about.st_mtime_ns)
            return Entry("file", mode, content, "", about.st_mtime_ns)
        if stat.S_ISDIR(about.st_mode):
            return Entry("dir", mode)
        if stat.S_ISLNK(about.st_mode):
            return Entry("link", mode, None, str(Path(item.path).readlink()), about.st_mtime_ns)
        return None if stat.S_ISSOCK(about.st_mode) else Entry("other", mode)
    except FileNotFoundError:
        return None
