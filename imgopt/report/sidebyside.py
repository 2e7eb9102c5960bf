"""Two texts beside each other, line by line, with the reasons of each change under it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from imgopt.report.view import SideBySide


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each text, with its number from 1; None where that text has no line here."""

    kind: Literal["same", "changed", "removed", "added"]
    before: tuple[int, str] | None
    after: tuple[int, str] | None
    notes: tuple[str, ...] = ()


def rows(block: SideBySide) -> list[Row]:
    """All lines of both texts. A note whose line is not there (or did not change) is shown at the
    nearest row."""
    before, after = block.before.splitlines(), block.after.splitlines()
    notes = {line: list(reasons) for line, reasons in block.notes.items()}
    result: list[Row] = []
    for row in _matched(before, after):
        number = row.before[0] if row.before else None
        reasons = tuple(notes.pop(number, ())) if number is not None else ()
        result.append(Row(row.kind, row.before, row.after, reasons))
    left = tuple(reason for line in sorted(notes) for reason in notes[line])
    if left and result:
        last = result[-1]
        result[-1] = Row(last.kind, last.before, last.after, last.notes + left)
    return result


def _matched(before: list[str], after: list[str]) -> Iterator[Row]:
    for tag, a, a_end, b, b_end in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        left, right = (
            list(enumerate(before[a:a_end], a + 1)),
            list(enumerate(after[b:b_end], b + 1)),
        )
        if tag == "equal":
            yield from (Row("same", *pair) for pair in zip(left, right, strict=True))
        else:
            yield from _changed(left, right)


def _changed(left: list[tuple[int, str]], right: list[tuple[int, str]]) -> Iterator[Row]:
    """A changed run of lines: lines that begin with the same word (RUN, CMD) stand beside each
    other."""
    first, second = (
        ["".join(line.split(maxsplit=1)[:1]) for _, line in side] for side in (left, right)
    )
    for _, a, a_end, b, b_end in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        for one, other in zip_longest(left[a:a_end], right[b:b_end]):
            yield Row("changed" if one and other else "removed" if one else "added", one, other)
