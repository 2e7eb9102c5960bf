"""What may differ: only what differs between two runs of the original itself.

Texts are cut into tokens of a size that a changing value fills whole (a time stamp, a number with its unit, an id), so
that a value is masked and the text around it is not. Nothing is masked for what kind of thing it is.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d(?: \w+)?"
    r"|\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"|-?\d+(?:\.\d+)*(?:[eE][+-]?\d+)?[A-Za-zµ%]*(?![\w-])"
    r"|\w+(?:[-.]\w+)*"
    r"|\s+|."
)
_MOST_TOKENS = 60_000
_LONG = 1500
_CHANGING = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Mask:
    """One original text as tokens, which of them changed between the runs, and where something came in between."""

    tokens: tuple[str, ...]
    changed: frozenset[int]
    gaps: frozenset[int]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first place that differs and is not masked. `changing`: all that differs has digits in it, so that it may be
    a value that merely did not change between the original's runs: another run tells."""

    before: str
    after: str
    changing: bool


def tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text[: _MOST_TOKENS * 8]))[:_MOST_TOKENS]


def canonical(body: bytes, content_type: str) -> str:
    """JSON with sorted keys, one value per line; else the text as it is."""
    text = body.decode(errors="replace")
    if "json" in content_type or text[:1] in ("{", "["):
        try:
            return json.dumps(json.loads(text), sort_keys=True, indent=0, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text
    return text


def mask_of(texts: Sequence[str]) -> Mask:
    """From the same answer in several runs of the original (at least one)."""
    first = tokens(texts[0])
    changed: set[int] = set()
    gaps: set[int] = set()
    for text in texts[1:]:
        for tag, start, end, _, _ in _differences(first, tokens(text)):
            changed.update(range(start, end))
            if tag == "insert":
                gaps.add(start)
    return Mask(first, frozenset(changed), frozenset(gaps))


def mismatch(mask: Mask, text: str) -> Mismatch | None:
    """How a text differs outside of the mask; None: it does not."""
    other = tokens(text)
    first: tuple[int, int, int, int] | None = None
    changing = True
    for tag, start, end, from_, to in _differences(mask.tokens, other):
        inside = all(place in mask.changed for place in range(start, end))
        inside = inside and (tag != "replace" or _alike(mask.tokens[start:end], other[from_:to]))
        if inside and (tag != "insert" or start in mask.gaps or {start - 1, start} & mask.changed):
            continue
        first = first or (start, end, from_, to)
        both = [*mask.tokens[start:end], *other[from_:to]]
        changing = changing and tag == "replace" and all(_CHANGING.search(t) or not t.isalnum() for t in both)
    if first is None:
        return None
    start, end, from_, to = first
    return Mismatch(_excerpt(mask.tokens, start, end), _excerpt(other, from_, to), changing)


def _alike(before: Sequence[str], after: Sequence[str]) -> bool:
    """A number, a time or an id is not replaced by words: `uptime: 12.3` may become 15.1 and not `unknown`."""
    return not any(map(_CHANGING.search, before)) or any(map(_CHANGING.search, after))


def _differences(one: Sequence[str], two: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """As difflib's opcodes without the equal ones; what is alike at both ends is cut off: it is quadratic."""
    if one == two:
        return []
    head = 0
    while head < min(len(one), len(two)) and one[head] == two[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(two)) - head and one[-1 - tail] == two[-1 - tail]:
        tail += 1
    left, right = one[head : len(one) - tail], two[head : len(two) - tail]
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=max(len(left), len(right)) > _LONG)
    return [
        (tag, i1 + head, i2 + head, j1 + head, j2 + head)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _excerpt(parts: Sequence[str], start: int, end: int) -> str:
    before = "".join(parts[max(0, start - 12) : start])[-60:]
    after = "".join(parts[end : end + 12])[:30]
    return f"{before}{''.join(parts[start : max(end, start)])[:200]}{after}".strip()
