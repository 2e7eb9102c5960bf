"""What a check of the proof says: its verdict, with the evidence for each failure.

A check compares one aspect of two images (or of two observed runs) and never guesses: what it could not look at is
`not measured`, with the reason in `detail`. Each failed item is structured, so that a rewrite can be repaired from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from imgopt.image.entries import printable
from imgopt.inspect.failures import Item

Verdict = Literal["passed", "failed", "not measured"]


def counted(count: int, one: str, more: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{count} {one if count == 1 else more or one + 's'}"


@dataclass(frozen=True, slots=True)
class Check:
    """One aspect compared. `detail` says what was compared (counts, bytes); `allowed` are intended differences seen."""

    name: str
    verdict: Verdict
    detail: str
    items: tuple[Item, ...] = ()
    allowed: tuple[str, ...] = ()


def judged(name: str, detail: str, items: Iterable[Item], allowed: Iterable[str] = ()) -> Check:
    """Failed when there is an item; items and allowed differences are sorted and told once."""
    found = tuple(sorted(set(items), key=lambda item: (item.kind, item.subject, item.needed_by)))
    told = tuple(dict.fromkeys(map(printable, allowed)))
    return Check(name, "failed" if found else "passed", printable(detail), found, told)


def not_measured(name: str, reason: str) -> Check:
    return Check(name, "not measured", printable(reason))
