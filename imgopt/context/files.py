"""The files of a build context as BuildKit's client would send them: after the ignore file, links not followed.

A `Tree` is what a step's content key is made of: paths, kinds, permission bits, link texts and bytes; never times or
owners (facts: buildkit client/solve.go resets owners, cache/contenthash hashes no time). Bytes are read only when two
trees must be told apart.
"""

from __future__ import annotations

import hashlib
import os
import re
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
    """The bytes of one file, read on demand. Equal `key`s mean the same bytes without reading them."""

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
            f"cannot read: {error.strerror}", location=Location(file), hint="let it be readable, or ignore it"
        ) from None


def same_content(one: Content | None, other: Content | None) -> bool:
    """Whether two files have the same bytes; reads them only when their sizes are equal and their keys are not."""
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


@dataclass(frozen=True)
class Tree:
    """Paths relative to the context's root, with `/`; the root itself is not among them. Directories are."""

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
        return ((path, entry) for path, entry in self.entries.items() if entry.kind in ("file", "link"))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The paths that are symbolic links."""
        return tuple(path for path, entry in self.entries.items() if entry.kind == "link")

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries.values())

    def edited(self, changes: Mapping[str, Entry | None]) -> Tree:
        """This tree with entries replaced, added or (None) removed; missing parent directories are made."""
        entries = dict(self.entries)
        for path, entry in changes.items():
            if entry is None:
                entries.pop(path, None)
                continue
            for parent in parents(path):
                entries.setdefault(parent, Entry("dir", 0o755))
            entries[path] = entry
        return Tree(entries)

    def resolve(self, path: str) -> str | None:
        """`path` with every symbolic link on the way and at its end followed inside the tree; None when it is missing.

        Links cannot leave the root: `/x` and `../../x` start at the root, as in BuildKit's checksums.
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
        raise InputError(f"the build context {root} is not a directory", hint="name an existing directory")
    entries: dict[str, Entry] = {}
    _walk(os.fspath(root), "", entries, Sieve(ignore), ())
    return Tree(entries)


class Sieve:
    """An ignore file for a walk from the root down: each path is matched once, its parents' matches are handed down
    (moby/patternmatcher MatchesUsingParentResults)."""

    def __init__(self, ignore: IgnoreFile | None) -> None:
        self._patterns = ignore.patterns if ignore else ()
        self.may_return = any(pattern.negated for pattern in self._patterns)
        every = "|".join(f"(?:{pattern.expression.pattern})" for pattern in self._patterns)
        self._any = re.compile(every, re.DOTALL) if every else None

    def matches(self, path: str, above: tuple[int, ...]) -> tuple[int, ...]:
        """The numbers of the patterns that match the path or a directory above it, whose own are `above`."""
        if self._any is None or not self._any.fullmatch(path):
            return above
        own = {number for number, pattern in enumerate(self._patterns) if pattern.matches(path)}
        return tuple(sorted(own.union(above)))

    def excludes(self, matches: tuple[int, ...]) -> bool:
        """The last pattern that matches decides."""
        return bool(matches) and not self._patterns[matches[-1]].negated


def _walk(folder: str, prefix: str, entries: dict[str, Entry], sieve: Sieve, above: tuple[int, ...]) -> bool:
    """Lists one directory in name order; whether anything in it is sent."""
    found = False
    for item in _scan(folder):
        path = prefix + item.name
        matches = sieve.matches(path, above)
        excluded = sieve.excludes(matches)
        directory = item.is_dir(follow_symlinks=False)
        if excluded and not (directory and sieve.may_return):
            continue
        entry = _entry(item)
        if entry is None:
            continue
        entries[path] = entry
        if directory:
            inside = _walk(item.path, path + "/", entries, sieve, matches)
            if excluded and not inside:
                del entries[path]  # an excluded directory is sent only for what comes back inside it
                continue
        found = True
    return found


def sifted(tree: Tree, ignore: IgnoreFile | None) -> Tree:
    """What of a whole tree is sent, as `list_files` would say."""
    sieve = Sieve(ignore)
    matched: dict[str, tuple[int, ...]] = {}
    kept: dict[str, Entry] = {}
    for path in sorted(tree.entries):
        matched[path] = sieve.matches(path, matched.get(path.rpartition("/")[0], ()))
        if not sieve.excludes(matched[path]):
            for parent in parents(path):
                if parent not in kept and parent in tree.entries:
                    kept[parent] = tree.entries[parent]
            kept[path] = tree.entries[path]
    return Tree(kept)


def _scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError as error:
        raise InputError(
            f"cannot list: {error.strerror}", location=Location(folder), hint="let it be readable, or ignore it"
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
