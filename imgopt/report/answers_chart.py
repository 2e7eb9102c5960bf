"""The seconds of a load as bars: who answered, stacked, and above them what failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imgopt.report.view import Answers

_LEAST_FAILED = 6.0
"""Percent of the height: one failed request among a thousand is seen."""
_ROOM = 0.9
"""Of a second's width; the rest keeps bars apart."""


@dataclass(frozen=True, slots=True)
class Bar:
    """In percent of the picture; `kind` is before, after or bad."""

    kind: str
    x: str
    y: str
    width: str
    height: str
    title: str


def drawn(block: Answers) -> Iterator[Bar]:
    """Bars from the ground up, second by second."""
    top = max((sum(counts) + failed for counts, failed in block.rows), default=0) or 1
    wide = 100 / max(1, len(block.rows))
    for second, (counts, failed) in enumerate(block.rows):
        ground = 100.0
        for place, count in enumerate(counts):
            high = (100 - _LEAST_FAILED) * count / top
            ground -= high
            kind = "after" if place else "before"
            title = f"second {second}: {count} by {block.names[place]}"
            if count:
                yield _bar(kind, second * wide, ground, wide, high, title)
        if failed:
            high = max(_LEAST_FAILED, (100 - _LEAST_FAILED) * failed / top)
            high = min(high, ground)
            title = f"second {second}: {failed} failed"
            yield _bar("bad", second * wide, ground - high, wide, high, title)


def _bar(kind: str, x: float, y: float, wide: float, high: float, title: str) -> Bar:
    return Bar(kind, _percent(x), _percent(y), _percent(wide * _ROOM), _percent(high), title)


def _percent(value: float) -> str:
    return f"{max(0.0, value):.4g}%"


def marks(block: Answers) -> Iterator[tuple[str, str]]:
    """Where on the picture something was done."""
    wide = 100 / max(1, len(block.rows))
    for second, said in block.marks:
        yield _percent(min(second * wide, 99.8)), f"{second:.1f} s: {said}"


def told(block: Answers) -> str:
    """The picture in words, for whoever does not see it."""
    totals = [sum(counts[place] for counts, _ in block.rows) for place in range(len(block.names))]
    parts = [f"{total} by {name}" for name, total in zip(block.names, totals, strict=True)]
    failed = sum(failed for _, failed in block.rows)
    return f"answers in {len(block.rows)} seconds: {', '.join(parts) or 'none'}; {failed} failed"
