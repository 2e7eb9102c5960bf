"""What may differ: only what differs between two runs of the original itself.

Texts are cut into tokens of a size that a changing value fills whole (a time stamp, a number with
its unit, an id), so that a value is masked and the text around it is not. Nothing is masked for
what kind of thing it is.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_TOKEN = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d(?: \w+)?"
    r"|\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"|-?\d+(?:\.\d+)*(?:[eE][+-]?\d+)?[A-Za-zµ%]*(?![\w-])"
    r"|\w+(?:[-.]\w+)*"
    r"|\s+|."
)
_MOST_TOKENS = 60_000
_MOST_PAIRS = 4_000_000
_MOST_LINES = 6_000
_CHANGING = re.compile(r"\d")
_LEAST_ID = 12
"""Characters; one in 40 ids of nanoid's 21 has no digit."""


_METRICS = ("version=0.0.4", "openmetrics-text")
"""Prometheus' exposition format, by its content type."""
_OF_THE_PROCESS = re.compile(
    r"^(?P<name>(?:go|process|promhttp|python_gc|jvm|nodejs)_\w+(?:\{[^}\n]*\})?) \S+(?: \d+)?$",
    re.MULTILINE,
)
"""Samples that the client libraries take of their own run time (memory, threads, garbage
collections): some of them are equal in two runs by chance. What the service says in its own metrics
is compared."""


@dataclass(frozen=True, slots=True)
class Mask:
    """One original text as tokens, which of them changed between the runs, and where something came
    in between."""

    tokens: tuple[str, ...]
    changed: frozenset[int]
    gaps: frozenset[int]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first place that differs and is not masked. `changing`: all that differs has digits in
    it, so that it may be a value that merely did not change between the original's runs: another
    run tells."""

    before: str
    after: str
    changing: bool


def tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text[: _MOST_TOKENS * 8]))[:_MOST_TOKENS]


def canonical(body: bytes, content_type: str) -> str:
    """JSON with sorted keys, one value per line; metrics without what the process measures of
    itself; else the text as it is."""
    text = body.decode(errors="replace")
    if any(sign in content_type for sign in _METRICS) or text.startswith(("# HELP ", "# TYPE ")):
        return _OF_THE_PROCESS.sub(r"\g<name> #", text)
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
        changing = (
            changing
            and tag == "replace"
            and all(_CHANGING.search(t) or not t.isalnum() for t in both)
        )
    if first is None:
        return None
    start, end, from_, to = first
    return Mismatch(_excerpt(mask.tokens, start, end), _excerpt(other, from_, to), changing)


def differs(originals: Sequence[str], text: str) -> Mismatch | None:
    """How a text differs from those of the original; where the original's own runs say the same
    lines in another order each time (the maps of Go, the threads of a pool), the order of lines
    says nothing."""
    if len(set(originals)) > 1 and len({_sorted(one) for one in originals}) == 1:
        return mismatch(mask_of([_sorted(originals[0])]), _sorted(text))
    return mismatch(mask_of(originals), text)


def _sorted(text: str) -> str:
    return "\n".join(sorted(text.splitlines()))


def _alike(before: Sequence[str], after: Sequence[str]) -> bool:
    """A number, a time or an id is not replaced by words: `uptime: 12.3` may become 15.1 and not
    `unknown`. An id that was drawn without a digit is as long as the other one."""
    if not any(map(_CHANGING.search, before)) or any(map(_CHANGING.search, after)):
        return True
    return len("".join(before)) == len("".join(after)) >= _LEAST_ID


_Opcode = tuple[str, int, int, int, int]


def _differences(one: Sequence[str], two: Sequence[str]) -> list[_Opcode]:
    """As difflib's opcodes without the equal ones. What is alike at both ends is cut off, and what
    is long is compared by lines first; lines too long for that differ as a whole: the time stays
    bounded."""
    head = _common(one, two)
    tail = _common(one[head:][::-1], two[head:][::-1])
    left, right = one[head : len(one) - tail], two[head : len(two) - tail]
    if len(left) * len(right) <= _MOST_PAIRS:
        return [
            (tag, i1 + head, i2 + head, j1 + head, j2 + head)
            for tag, i1, i2, j1, j2 in _opcodes(left, right)
        ]
    return [
        (tag, i1 + head, i2 + head, j1 + head, j2 + head)
        for tag, i1, i2, j1, j2 in _by_lines(left, right)
    ]


def _by_lines(left: Sequence[str], right: Sequence[str]) -> list[_Opcode]:
    (lines, starts), (others, other_starts) = _lines(left), _lines(right)
    if max(len(lines), len(others)) > _MOST_LINES:
        return [("replace", 0, len(left), 0, len(right))]
    found: list[_Opcode] = []
    for tag, i1, i2, j1, j2 in _opcodes(lines, others):
        place = (tag, starts[i1], starts[i2], other_starts[j1], other_starts[j2])
        _, a1, a2, b1, b2 = place
        if tag != "replace" or (a2 - a1) * (b2 - b1) > _MOST_PAIRS:
            found.append(place)
            continue
        inner = _opcodes(left[a1:a2], right[b1:b2])
        found += [(kind, k1 + a1, k2 + a1, m1 + b1, m2 + b1) for kind, k1, k2, m1, m2 in inner]
    return found


def _lines(parts: Sequence[str]) -> tuple[list[str], list[int]]:
    """The lines, and the index of each one's first token (and of the end)."""
    ends = [place + 1 for place, part in enumerate(parts) if "\n" in part]
    starts = [0, *(end for end in ends if end < len(parts)), len(parts)]
    return ["".join(parts[start:end]) for start, end in pairwise(starts)], starts


def _opcodes(left: Sequence[str], right: Sequence[str]) -> list[_Opcode]:
    return [
        code
        for code in difflib.SequenceMatcher(None, left, right).get_opcodes()
        if code[0] != "equal"
    ]


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(one, two, strict=False)) if a != b),
        min(len(one), len(two)),
    )


def _excerpt(parts: Sequence[str], start: int, end: int) -> str:
    before = "".join(parts[max(0, start - 12) : start])[-60:]
    after = "".join(parts[end : end + 12])[:30]
    return f"{before}{''.join(parts[start : max(end, start)])[:200]}{after}".strip()
