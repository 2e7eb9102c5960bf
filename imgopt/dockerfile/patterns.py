"""The patterns of `${name#p}`, `${name%p}` and `${name/p/r}`: `*`, `?` and escapes, matched as
BuildKit does.

BuildKit turns them into Go regular expressions; here they are matched piece by piece, so that a
pattern with many stars cannot take exponential time. Rules: moby/buildkit
frontend/dockerfile/shell/lex.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TEMPLATE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


class BadPattern(ValueError):
    """An escape that the pattern language does not have."""


def trim_prefix(value: str, pattern: str, longest: bool) -> str:
    """`value` without the shortest or longest beginning that matches."""
    end = _match(_pieces(pattern), value, 0, longest)
    return value if end is None else value[end:]


def trim_suffix(value: str, pattern: str, longest: bool) -> str:
    """`value` without the shortest or longest end that matches."""
    return trim_prefix(value[::-1], _reverse(pattern), longest)[::-1]


def replace(value: str, pattern: str, text: str, everywhere: bool) -> str:
    """`value` with the first or every match replaced. Only "every" expands `$0` and `$name` in the
    text, as in Go."""
    pieces = _pieces(pattern)
    out = []
    copied = 0
    for start, end in _matches(pieces, value):
        if end > copied or start == 0:
            out.append(value[copied:start])
            out.append(_fill(text, value[start:end]) if everywhere else text)
        else:
            out.append(value[copied:start])
        copied = end
        if not everywhere:
            break
    return "".join([*out, value[copied:]])


def _fill(template: str, whole: str) -> str:
    """Go's `Regexp.Expand` where only group 0 exists."""

    def name(found: re.Match[str]) -> str:
        if found.group(1):
            return "$"
        return whole if (found.group(2) or found.group(3)).strip("0") == "" else ""

    return _TEMPLATE.sub(name, template)


def _pieces(pattern: str) -> list[re.Pattern[str]]:
    """The parts between stars, each a regular expression of literals and `.`."""
    pieces = [""]
    chars = iter(enumerate(pattern))
    for at, char in chars:
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        elif char == "\\":
            following = pattern[at + 1 : at + 2]
            if following in ("}", "/"):
                continue
            if following not in ("*", "?", "\\") or not following:
                raise BadPattern(f"invalid escape '\\{following}'")
            next(chars)
            pieces[-1] += re.escape(following)
        else:
            pieces[-1] += re.escape(char)
    return [re.compile(piece) for piece in pieces]


def _match(pieces: list[re.Pattern[str]], value: str, start: int, longest: bool) -> int | None:
    """Where a match that begins at `start` ends; stars do not cross a line end."""
    first = pieces[0].match(value, start)
    if first is None:
        return None
    end = first.end()
    if len(pieces) == 1:
        return end
    line_end = value.find("\n", end)
    limit = len(value) if line_end < 0 else line_end
    for piece in pieces[1:-1]:
        found = piece.search(value, end, limit)
        if found is None:
            return None
        end = found.end()
    return _last(pieces[-1], value, end, limit, longest)


def _last(piece: re.Pattern[str], value: str, end: int, limit: int, longest: bool) -> int | None:
    if not longest:
        found = piece.search(value, end, limit)
        return found.end() if found else None
    if not piece.pattern:
        return limit
    last = None
    while found := piece.search(value, end, limit):
        last = found.end()
        end = found.start() + 1
    return last


def _matches(pieces: list[re.Pattern[str]], value: str) -> Iterator[tuple[int, int]]:
    """The leftmost matches, longest stars, in order and without overlap, as Go's `ReplaceAll` meets
    them."""
    at = 0
    while at <= len(value):
        found = pieces[0].search(value, at)
        if found is None:
            return
        end = _match(pieces, value, found.start(), longest=True)
        if end is None:
            # No later start on this line can match: the remaining pieces are not there.
            line_end = value.find("\n", found.start())
            if line_end < 0:
                return
            at = line_end + 1
            continue
        yield found.start(), end
        at = max(end, at + 1)


def _reverse(pattern: str) -> str:
    """The pattern for the reversed value: escapes stay before what they escape."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        step = 2 if pattern[at] == "\\" and at + 1 < len(pattern) else 1
        out.append(pattern[at : at + step])
        at += step
    return "".join(reversed(out))
