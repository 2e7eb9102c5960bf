"""`.dockerignore`: which files of the context a build gets.

Rules: moby/patternmatcher (and its ignorefile). Patterns are anchored at the root, `*` and `?` stay within a name, `**`
is any depth, a match on a parent directory matches what is in it, the last pattern that matches decides, and `!` takes
files back, also below an excluded directory.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from imgopt.errors import InputError, Location

_SPECIAL = "\\*?[]"


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """One line. `negated` is a line that began with `!`; `text` is cleaned; `line` counts from 1."""

    text: str
    negated: bool
    line: int
    expression: re.Pattern[str]

    def matches(self, path: str) -> bool:
        """Whether the pattern matches this path itself."""
        return self.expression.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The patterns of a file, in order."""

    patterns: tuple[IgnorePattern, ...]
    name: str = ".dockerignore"

    @classmethod
    def parse(cls, text: str, name: str = ".dockerignore") -> IgnoreFile:
        """Raises InputError for a pattern that BuildKit refuses (`!` alone, an open `[`)."""
        lines = text.removeprefix("\ufeff").split("\n")
        found = (_pattern(line, number, name) for number, line in enumerate(lines, 1) if not line.startswith("#"))
        return cls(tuple(pattern for pattern in found if pattern), name)

    def excludes(self, path: str, is_dir: bool = False) -> bool:
        """Whether the build does not get this file. `path` is relative to the context, with `/`.

        A directory is `excluded` when it matches, though a later `!` may take files in it back (`keeps_below`).
        """
        decision = self.decide(path)
        if decision is None or decision.negated:
            return False
        return not (is_dir and self.keeps_below(path))

    def decide(self, path: str) -> IgnorePattern | None:
        """The pattern that decides about `path`: the last that matches it or one of its parents."""
        parts = _clean(path).split("/")
        paths = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        for pattern in reversed(self.patterns):
            if any(pattern.matches(each) for each in reversed(paths)):
                return pattern
        return None

    def keeps_below(self, directory: str) -> bool:
        """Whether a `!` pattern could take back something inside an excluded directory."""
        prefix = _clean(directory) + "/"
        return any(pattern.negated and _may_reach(pattern.text, prefix) for pattern in self.patterns)


def _may_reach(pattern: str, prefix: str) -> bool:
    """As BuildKit's walker: does the pattern's literal beginning lie below the directory, or may a wildcard?"""
    literal = re.split(r"[*?\[\\]", pattern, maxsplit=1)[0]
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
        if len(text) > 1:
            text = text.removeprefix("/")
    if not text:
        raise InputError('illegal exclusion pattern: "!"', location=Location(name, number), hint="name a path after !")
    try:
        return IgnorePattern(text, negated, number, re.compile(_expression(text), re.DOTALL))
    except re.error:
        raise InputError(
            f"syntax error in pattern: {text}", location=Location(name, number), hint="close the ["
        ) from None


def _expression(pattern: str) -> str:
    out = []
    at = 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        out.append(piece)
    return "".join(out)


def _piece(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if char == "*":
        return _star(pattern, at)
    if char == "?":
        return "[^/]", at + 1
    if char == "\\" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), at + 2
    if char == "[":
        return _class(pattern, at)
    return re.escape(char), at + 1


def _star(pattern: str, at: int) -> tuple[str, int]:
    if not pattern.startswith("**", at):
        return "[^/]*", at + 1
    at += 2
    if pattern.startswith("/", at):
        at += 1
    if at == len(pattern):
        return ".*", at
    return "(?:.*/)?", at


def _class(pattern: str, at: int) -> tuple[str, int]:
    end = pattern.find("]", at + 2)
    if end < 0:
        raise re.error("missing ]")
    return pattern[at : end + 1], end + 1


def find_ignore_file(context: Path, dockerfile: Path) -> Path | None:
    """`<dockerfile>.dockerignore` beside the Dockerfile if there is one, else the context's `.dockerignore`."""
    own = dockerfile.with_name(dockerfile.name + ".dockerignore")
    if own.is_file():
        return own
    common = context / ".dockerignore"
    return common if common.is_file() else None
