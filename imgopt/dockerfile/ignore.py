"""`.dockerignore`: which files of the context a build gets.

Rules: moby/patternmatcher and its ignorefile. Patterns are anchored at the root; `*` and `?` stay
within a name; `**` is any depth; a match on a directory counts for what is in it; the last pattern
that matches decides; `!` takes files back, also below an excluded directory.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path

from imgopt.errors import InputError, Location

_ESCAPED = ".+()|{}$"
_REMEMBERED = 100_000
_GLOBS = re.compile(r"[*?\[\\]")


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """One line. `text` is cleaned and without `!`; `negated` is a line that began with it; `line`
    counts from 1."""

    text: str
    negated: bool
    line: int
    matches: Callable[[str], bool] = field(compare=False, repr=False)
    """Whether the pattern matches this path itself (not one of its parents)."""


@dataclass(frozen=True)
class IgnoreFile:
    """The patterns of a file, in order.

    >>> IgnoreFile.parse("*\\n!src\\n").excludes("src/app.py")
    False
    """

    patterns: tuple[IgnorePattern, ...]
    name: str = ".dockerignore"
    _known: dict[str, tuple[bool, ...]] = field(default_factory=dict, compare=False, repr=False)
    """What each folder that was asked for hands on to what is in it, group by group."""

    @classmethod
    def parse(cls, text: str, name: str = ".dockerignore") -> IgnoreFile:
        """Raises InputError for a pattern that BuildKit refuses (`!` alone, an open `[`)."""
        lines = enumerate(text.removeprefix("\ufeff").split("\n"), 1)
        found = (_pattern(line, number, name) for number, line in lines if not line.startswith("#"))
        return cls(tuple(pattern for pattern in found if pattern), name)

    def excludes(self, path: str, is_dir: bool = False) -> bool:
        """Whether the build does not get this path, which is relative to the context, with `/`.

        For a directory (`is_dir`) the answer is False while a `!` pattern may still take back
        something in it.
        """
        path = _clean(path)
        matched = self._outcome(self._step(path, self._above(path)))
        return matched and not (is_dir and self.keeps_below(path))

    def decide(self, path: str) -> IgnorePattern | None:
        """The pattern that decides about a path, a `!` pattern included; None when no pattern says
        anything."""
        decided = None
        matched = False
        for pattern, match in zip(self.patterns, self._matches(_clean(path)), strict=True):
            if match and pattern.negated == matched:
                matched = not pattern.negated
                decided = pattern
        return decided

    def _matches(self, path: str) -> tuple[bool, ...]:
        """For each pattern whether it counts for the path. What matched a directory counts for all
        that is in it; a pattern that could not change the outcome is not tried (its result would be
        handed on to the children)."""
        found: tuple[bool, ...] = (False,) * len(self.patterns)
        for at in (*_slashes(path), len(path)):
            found = tuple(_tried(self.patterns, path[:at], found))
        return found

    @cached_property
    def _groups(self) -> tuple[_Group, ...]:
        """Patterns of one kind that follow each other count as one: whichever of them matches, the
        outcome is the same, for the path and for what is in it."""
        kinds = groupby(self.patterns, key=lambda pattern: pattern.negated)
        return tuple(
            _Group.of(negated, [pattern.text for pattern in found]) for negated, found in kinds
        )

    def _above(self, path: str) -> tuple[bool, ...]:
        """What the folder of a path hands on to it."""
        found: tuple[bool, ...] | None = self._known.get(path[: max(path.rfind("/"), 0)])
        if found is not None:
            return found
        found = (False,) * len(self._groups)
        for at in _slashes(path):
            folder = path[:at]
            found = self._known.get(folder) or self._step(folder, found)
            if len(self._known) < _REMEMBERED:
                self._known[folder] = found
        return found

    def _step(self, path: str, above: tuple[bool, ...]) -> tuple[bool, ...]:
        """One level deeper than `above`, which is what counts for the parent."""
        if len(above) == 1 and above[0]:
            return above
        return tuple(_tried(self._groups, path, above))

    def _outcome(self, matches: Iterable[bool]) -> bool:
        matched = False
        for group, match in zip(self._groups, matches, strict=True):
            if match:
                matched = not group.negated
        return matched

    def keeps_below(self, directory: str) -> bool:
        """Whether a `!` pattern may take back something inside an excluded directory, so that one
        must look into it."""
        prefix = _clean(directory) + "/"
        return any(
            pattern.negated and _may_reach(pattern.text, prefix) for pattern in self.patterns
        )


def _slashes(path: str) -> Iterator[int]:
    at = path.find("/", 1)
    while at > 0:
        yield at
        at = path.find("/", at + 1)


def _tried(
    patterns: Sequence[IgnorePattern | _Group], path: str, above: Sequence[bool]
) -> Iterator[bool]:
    matched = False
    for pattern, inherited in zip(patterns, above, strict=True):
        match = inherited or (pattern.negated == matched and pattern.matches(path))
        yield match
        if match:
            matched = not pattern.negated


@dataclass(frozen=True, slots=True)
class _Group:
    """Patterns that are tried together. Most are a path, or a name at any depth: those need no
    search."""

    negated: bool
    paths: frozenset[str]
    names: frozenset[str]
    others: re.Pattern[str] | None

    @classmethod
    def of(cls, negated: bool, texts: Iterable[str]) -> _Group:
        paths, names, others = set(), set(), []
        for text in texts:
            if not _GLOBS.search(text):
                paths.add(text)
            elif text.startswith("**/") and not re.search(r"[*?\[\\/]", text[3:]):
                names.add(text[3:])
            else:
                others.append(f"(?:{_whole(text)})")
        return cls(
            negated,
            frozenset(paths),
            frozenset(names),
            _compiled("|".join(others)) if others else None,
        )

    def matches(self, path: str) -> bool:
        """As IgnorePattern.matches, for one of them."""
        if path in self.paths or path[path.rfind("/") + 1 :] in self.names:
            return True
        return self.others is not None and self.others.fullmatch(path) is not None


def _may_reach(pattern: str, prefix: str) -> bool:
    literal = _GLOBS.split(pattern, maxsplit=1)[0]
    if len(literal) < len(pattern):
        return literal.startswith(prefix) or prefix.startswith(literal)
    return (pattern + "/").startswith(prefix)


def _clean(path: str) -> str:
    """Go's `filepath.Clean`."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


def _pattern(line: str, number: int, name: str) -> IgnorePattern | None:
    text = line.strip()
    if not text:
        return None
    negated = text.startswith("!")
    if negated:
        text = text[1:].strip()
    if text:
        text = _clean(text)
        text = text.removeprefix("/") if len(text) > 1 else text
    if not text:
        raise InputError(
            'illegal exclusion pattern: "!"',
            location=Location(name, number),
            hint="name a path after !",
        )
    try:
        return IgnorePattern(text, negated, number, _matcher(text))
    except re.error:
        what = f"syntax error in pattern: {text}"
        raise InputError(
            what, location=Location(name, number), hint="close the [ or escape it"
        ) from None


def _matcher(pattern: str) -> Callable[[str], bool]:
    expression = _compiled(_whole(pattern))
    return lambda path: expression.fullmatch(path) is not None


def _compiled(expression: str) -> re.Pattern[str]:
    with (
        warnings.catch_warnings()
    ):  # Python warns of `[[`, which means here what it means to BuildKit
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(expression)


def _whole(pattern: str) -> str:
    """As patternmatcher compiles it: equality, a beginning or an end where that is enough, else an
    expression."""
    if not _GLOBS.search(pattern):
        return re.escape(pattern)
    if pattern.startswith("**") and not _GLOBS.search(pattern, 2):
        ending = pattern[2:]
        alone = f"|{re.escape(ending[1:])}" if ending[:1] == "/" else ""
        return rf"[\s\S]*{re.escape(ending)}{alone}"
    if pattern.endswith("**") and not _GLOBS.search(pattern[:-2]):
        return rf"{re.escape(pattern[:-2])}[\s\S]*"
    return _expression(pattern)


def _expression(pattern: str) -> str:
    out = []
    at = 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        out.append(piece)
    return "".join(out)


def _piece(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if pattern.startswith("**", at):
        at += 3 if pattern.startswith("/", at + 2) else 2
        return (".*" if at >= len(pattern) else "(?:.*/)?"), at
    if char == "*":
        return "[^/]*", at + 1
    if char == "?":
        return "[^/]", at + 1
    if char == "\\":
        return (
            "\\" + pattern[at + 1] if at + 1 < len(pattern) else r"\\"
        ), at + 2  # so `\d` is a digit, as for BuildKit
    if char in _ESCAPED:
        return "\\" + char, at + 1
    return char, at + 1


def find_ignore_file(context: Path, dockerfile: Path) -> Path | None:
    """`<dockerfile>.dockerignore` beside the Dockerfile if there is one, else the context's
    `.dockerignore`."""
    own = dockerfile.with_name(dockerfile.name + ".dockerignore")
    if own.is_file():
        return own
    common = context / ".dockerignore"
    return common if common.is_file() else None
