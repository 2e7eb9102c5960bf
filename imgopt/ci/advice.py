"""What a remark of `imgopt ci lint` says: what is wrong with the line, and what to write."""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.results.rewrite import Change
from imgopt.strategies.registry import find_strategy

_ELSEWHERE = "`imgopt rewrite` shows the lines, `imgopt ci lint --fix` writes them"
_LONGEST = 160


class Advice:
    """Made once for a Dockerfile: its lines are cut and counted once, whatever number of remarks
    there is."""

    def __init__(self, before: str, after: str, lines: Sequence[int | None]) -> None:
        """`lines`: for each line of `after` its line in `before`."""
        self._before, self._after = before.splitlines(), after.splitlines()
        self._places: dict[int, int] = {}
        for place, line in enumerate(lines):
            if line is not None:
                self._places.setdefault(line, place)

    def message(self, change: Change) -> str:
        return (
            f"{find_strategy(change.strategy).wrong or change.because}:"
            f" {self._what_to_write(change.line or 0)}"
        )

    def _what_to_write(self, line: int) -> str:
        place = self._places.get(line)
        if place is None or not 0 < line <= len(self._before):
            return _ELSEWHERE
        old, new = self._before[line - 1], self._after[place] if place < len(self._after) else ""
        if old == new or len(new) > _LONGEST:
            return _ELSEWHERE
        start = _shared(old, new)
        end = _shared(old[start:][::-1], new[start:][::-1])
        added = new[start : len(new) - end].strip(" \\")
        if len(old) == start + end and added:
            return f"add {added} to this {new.split()[0].upper()}"
        return f"write `{new.strip()}`"


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
