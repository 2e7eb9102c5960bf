"""Go's `path.Match`, by which BuildKit expands wildcards in COPY and ADD: `*` and `?` stay within
one name."""

from __future__ import annotations

import re
from functools import lru_cache


def has_wildcards(pattern: str) -> bool:
    """Whether BuildKit treats the source as a pattern (solver/llbsolver/ops/file.go
    containsWildcards)."""
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] in "*?[":
            return True
        at += 1
    return False


@lru_cache(maxsize=4096)
def compile_glob(pattern: str) -> re.Pattern[str] | None:
    """The whole-name expression of a pattern; None for a malformed one, which matches nothing."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            found = _char_class(pattern, at)
            if found is None:
                return None
            text, at = found
            out.append(text)
        elif char == "\\":
            if at >= len(pattern):
                return None
            out.append(re.escape(pattern[at]))
            at += 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out), re.DOTALL)


def _char_class(pattern: str, at: int) -> tuple[str, int] | None:
    """The class that starts after `[`, and where it ends."""
    negated = pattern[at : at + 1] == "^"
    at += negated
    ranges: list[str] = []
    while True:
        if at < len(pattern) and pattern[at] == "]" and ranges:
            body = "".join(ranges)
            return (f"(?!/)[^{body}]" if negated else f"(?!/)[{body}]"), at + 1
        low = _class_char(pattern, at)
        if low is None:
            return None
        first, at = low
        last = first
        if pattern[at : at + 1] == "-":
            high = _class_char(pattern, at + 1)
            if high is None:
                return None
            last, at = high
        # a range that runs backwards holds nothing; no name holds a NUL
        ranges.append(f"{re.escape(first)}-{re.escape(last)}" if first <= last else re.escape("\0"))


def _class_char(pattern: str, at: int) -> tuple[str, int] | None:
    if at >= len(pattern) or pattern[at] in "-]":
        return None
    if pattern[at] == "\\":
        return (pattern[at + 1], at + 2) if at + 1 < len(pattern) else None
    return pattern[at], at + 1
