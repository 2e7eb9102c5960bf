"""The differences that a rewrite intends, each with its reason. Whatever is not named here must be
the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Drop:
    """Files that are left out on purpose.

    Each of `paths` stands for itself and all below it, or is a glob over the whole path (`*`
    crosses `/`). `matches` is a predicate over an absolute path for what patterns cannot say. A
    file that the original opened is excused only by a drop that says `even_if_opened`: a named
    replacement, as of a launcher by the program that it launches.
    """

    reason: str
    paths: frozenset[str] = frozenset()
    matches: Callable[[str], bool] | None = None
    even_if_opened: bool = False

    def covers(self, path: str) -> bool:
        if self.matches is not None and self.matches(path):
            return True
        if any(parent in self.paths for parent in _self_and_parents(path)):
            return True
        return any(fnmatchcase(path, pattern) for pattern in self.paths if _is_glob(pattern))


def drops_by_reason(paths: Mapping[str, str]) -> tuple[Drop, ...]:
    """Path -> reason, as one drop for each reason, in their order."""
    by_reason: dict[str, set[str]] = {}
    for path, reason in paths.items():
        by_reason.setdefault(reason, set()).add(path)
    return tuple(Drop(reason, frozenset(found)) for reason, found in sorted(by_reason.items()))


@dataclass(frozen=True, slots=True)
class Move:
    """What was at or below `old` is at or below `new`: a named replacement
    (`/usr/local/bin/python3` by another)."""

    old: str
    new: str
    reason: str

    def apply(self, path: str) -> str | None:
        if path == self.old:
            return self.new
        prefix = self.old.rstrip("/") + "/"
        return (
            self.new.rstrip("/") + "/" + path.removeprefix(prefix)
            if path.startswith(prefix)
            else None
        )


@dataclass(frozen=True, slots=True)
class Start:
    """The start that the rewrite intends, when it is not the original's (a launcher resolved, exec
    form)."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    reason: str
    other_words: bool = False
    """The program itself is started by other words (options of a run time) to the same end."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A file with other contents than in the original: these, to the byte."""

    contents: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class DroppedPackage:
    """A package left out on purpose; `ecosystem` as in imgopt.image ("deb", "pypi", "npm", ...), ""
    for any."""

    name: str
    reason: str
    ecosystem: str = ""
    even_if_opened: bool = False
    """Another build of it does the same job: its files may differ or be gone although the original
    opened them."""


_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_FILES: Mapping[str, Rewritten] = MappingProxyType({})


@dataclass(frozen=True)
class Allowances:
    """The differences that are intended, each with its reason. Whatever is not named here must be
    the same.

    `user`: the user that the candidate shall run as (None: the original's). `environment` and
    `configuration` map a variable, or a key of the image's configuration ("healthcheck",
    "label:NAME", ...), to the reason why it may differ.
    """

    user: str | None = None
    user_reason: str = ""
    start: Start | None = None
    drops: tuple[Drop, ...] = ()
    moves: tuple[Move, ...] = ()
    packages: tuple[DroppedPackage, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    configuration: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    rewritten: Mapping[str, Rewritten] = field(default_factory=lambda: _NO_FILES)
    """By path."""
    ends_in_time: str = ""
    """The change that promises that it ends when it is told to, whatever the original did."""

    def drop_reason(self, path: str, *, opened: bool = False) -> str | None:
        """Why this file may be missing, or None when it may not; `opened`: the original opened
        it."""
        drops = (drop for drop in self.drops if drop.even_if_opened or not opened)
        return next((drop.reason for drop in drops if drop.covers(path)), None)

    def package_reason(self, ecosystem: str, name: str) -> str | None:
        for package in self.packages:
            if package.name == name and package.ecosystem in ("", ecosystem):
                return package.reason
        return None

    def other_build(self, ecosystem: str, name: str) -> str | None:
        """Why files of this package may be others, or gone, although they were opened."""
        named = (
            each
            for each in self.packages
            if each.name == name and each.ecosystem in ("", ecosystem)
        )
        return next((each.reason for each in named if each.even_if_opened), None)

    def rewritten_reason(self, path: str, contents: bytes | None) -> str | None:
        """Why the file at this path may hold these bytes; None where it may not."""
        known = self.rewritten.get(path)
        return known.reason if known is not None and known.contents == contents else None

    def places(self, path: str) -> tuple[tuple[str, str], ...]:
        """Where a file of the original may be in the candidate: (path, reason); the path itself
        comes first."""
        moved = ((move.apply(path), move.reason) for move in self.moves)
        return ((path, ""), *((new, reason) for new, reason in moved if new is not None))


def _self_and_parents(path: str) -> Iterable[str]:
    yield path
    while path.rfind("/") > 0:
        path = path[: path.rfind("/")]
        yield path


def _is_glob(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")
