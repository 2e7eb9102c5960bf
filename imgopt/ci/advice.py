"""What a remark of `imgopt ci lint` says: what is wrong with the line, and what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imgopt.results.rewrite import Change

WRONG: Mapping[str, str] = {
    "cache-mounts": "what this step downloads is gone when it runs again",
    "installer-caches": "this layer keeps what the installer downloaded",
    "apt-hygiene": "the package lists stay in a layer, and a cached update goes stale",
    "layer-order": "every edit of the source runs the installation behind it again",
    "exec-form": "a shell is process 1 and does not pass the stop signal on",
    "same-layer-cleanup": "what a later step removes stays in the layer that made it",
    "copy-chown": "the files are shipped twice, once for each owner",
    "modern-syntax": "this is an old form of the instruction",
}
"""Strategy -> what it finds wrong; the reason of the change where a strategy is not ours."""
_ELSEWHERE = "`imgopt rewrite` shows the lines, `imgopt ci lint --fix` writes them"
_LONGEST = 160


class Advice:
    """Made once for a Dockerfile: its lines are cut and counted once, whatever number of remarks there is."""

    def __init__(self, before: str, after: str, lines: Sequence[int | None]) -> None:
        """`lines`: for each line of `after` its line in `before`."""
        self._before, self._after = before.splitlines(), after.splitlines()
        self._places: dict[int, int] = {}
        for place, line in enumerate(lines):
            if line is not None:
                self._places.setdefault(line, place)

    def message(self, change: Change) -> str:
        wrong = WRONG.get(change.strategy, change.because)
        return f"{wrong}: {self._what_to_write(change.line or 0)}"

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
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
