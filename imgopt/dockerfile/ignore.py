"""`.dockerignore`: which files of the context a build gets.

Rules: moby/patternmatcher and its ignorefile. Patterns are anchored at the root; `*` and `?` stay within a name; `**`
is any depth; a match on a directory counts for what is in it; the last pattern that matches decides; `!` takes files
back, also below an excluded directory.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imgopt.errors import InputError, Location

_ESCAPED = ".+()|{}$"
_REMEMBERED = 100_000
_GLOBS = re.compile(r"[*?\[\\]")


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """One line. `text` is cleaned and without `!`; `negated` is a line that began with it; `line` counts from 1."""

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

    @classmethod
    def parse(cls, text: str, name: str = ".dockerignore") -> IgnoreFile:
        """Raises InputError for a pattern that BuildKit refuses (`!` alone, an open `[`)."""
        lines = enumerate(text.removeprefix("\ufeff").split("\n"), 1)
        found = (_pattern(line, number, name) for number, line in lines if not line.startswith("#"))
        return cls(tuple(pattern for pattern in found if pattern), name)

    def excludes(self, path: str, is_dir: bool = False) -> bool:
        """Whether the build does not get this path, which is relative to the context, with `/`.

        For a directory (`is_dir`) the answer is False while a `!` pattern may still take back something in it.
        """
        matched = _outcome(self.patterns, self._matches(_clean(path)))
        return matched and not (is_dir and self.keeps_below(path))

    def decide(self, path: str) -> IgnorePattern | None:
        """The pattern that decides about a path, a `!` pattern included; None when no pattern says anything."""
        decided = None
        matched = False
        for pattern, match in zip(self.patterns, self._matches(_clean(path)), strict=True):
            if match and pattern.negated == matched:
                matched = not pattern.negated
                decided = pattern
        return decided

    def _matches(self, path: str) -> tuple[bool, ...]:
        """For each pattern whether it counts for the path. What matched a directory counts for all that is in it; a
        pattern that could not change the outcome is not tried (its result would be handed on to the children)."""
        above: tuple[bool, ...] = (False,) * len(self.patterns)
        at = path.find("/", 1)
        while at > 0:
            above = self._step(path[:at], above)
            at = path.find("/", at + 1)
        return self._step(path, above)

    def _step(self, path: str, above: tuple[bool, ...]) -> tuple[bool, ...]:
        """One level deeper than `above`, which is what counts for the parent."""
        known = self._known.get(path)
        if known is None:
            known = tuple(self._tried(path, above))
            if len(self._known) < _REMEMBERED:
                self._known[path] = known
        return known

    def _tried(self, path: str, above: tuple[bool, ...]) -> Iterator[bool]:
        matched = False
        for pattern, inherited in zip(self.patterns, above, strict=True):
            match = inherited or (pattern.negated == matched and pattern.matches(path))
            yield match
            if match:
                matched = not pattern.negated

    def keeps_below(self, directory: str) -> bool:
        """Whether a `!` pattern may take back something inside an excluded directory, so that one must look into it."""
        prefix = _clean(directory) + "/"
        return any(pattern.negated and _may_reach(pattern.text, prefix) for pattern in self.patterns)


def _outcome(patterns: Iterable[IgnorePattern], matches: Iterable[bool]) -> bool:
    matched = False
    for pattern, match in zip(patterns, matches, strict=True):
        if match:
            matched = not pattern.negated
    return matched


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
        raise InputError('illegal exclusion pattern: "!"', location=Location(name, number), hint="name a path after !")
    try:
        return IgnorePattern(text, negated, number, _matcher(text))
    except re.error:
        what = f"syntax error in pattern: {text}"
        raise InputError(what, location=Location(name, number), hint="close the [ or escape it") from None


def _matcher(pattern: str) -> Callable[[str], bool]:
    """As patternmatcher compiles it: equality, a beginning or an end where that is enough, else an expression."""
    if not _GLOBS.search(pattern):
        return pattern.__eq__
    if pattern.startswith("**") and not _GLOBS.search(pattern, 2):
        ending = pattern[2:]
        return lambda path: path.endswith(ending) or (ending[:1] == "/" and path == ending[1:])
    if pattern.endswith("**") and not _GLOBS.search(pattern[:-2]):
        return lambda path: path.startswith(pattern[:-2])
    with warnings.catch_warnings():  # Python warns of `[[`, which means here what it means to BuildKit
        warnings.simplefilter("ignore", FutureWarning)
        expression = re.compile(_expression(pattern))
    return lambda path: expression.fullmatch(path) is not None


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
    """`<dockerfile>.dockerignore` beside the Dockerfile if there is one, else the context's `.dockerignore`."""
    own = dockerfile.with_name(dockerfile.name + ".dockerignore")
    if own.is_file():
        return own
    common = context / ".dockerignore"
    return common if common.is_file() else None
