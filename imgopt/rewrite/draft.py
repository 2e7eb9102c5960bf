"""Applies what strategies propose, one strategy after the other, and remembers where each line came
from."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from imgopt.dockerfile import Dockerfile, Edit, apply_edits, parse
from imgopt.results.rewrite import Change as ChangeResult
from imgopt.results.rewrite import Skip as SkipResult
from imgopt.rewrite.effects import Effects, with_more
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.rewrite.strategy import Change, Project, Situation, Skip, Strategy


@dataclass(frozen=True)
class Draft:
    """A Dockerfile on its way: text, the final stage still to be written, and what was done so
    far."""

    text: str
    lines: tuple[int | None, ...]
    """For each line of `text`, its line in the original; None for lines that are new."""
    ignore: str | None = None
    final: FinalStage | None = None
    changes: tuple[ChangeResult, ...] = ()
    skips: tuple[SkipResult, ...] = ()
    effects: Effects = field(default_factory=dict)


@lru_cache(maxsize=4)
def parsed(text: str) -> Dockerfile:
    """A file that one strategy after the other looks at: it is read once, with its scopes and
    scripts."""
    return parse(text)


def new_draft(text: str, ignore: str | None = None) -> Draft:
    return Draft(text, tuple(range(1, text.count("\n") + 2)), ignore)


def run_strategy(draft: Draft, strategy: Strategy, project: Project) -> Draft:
    """One strategy over the draft: its changes applied together, its refusals noted."""
    dockerfile = parsed(draft.text)
    if dockerfile.errors:
        raise ValueError(f"before {strategy.name}: {dockerfile.errors[0]}")
    situation = Situation(project, dockerfile, draft.final, draft.ignore, draft.effects)
    proposals = list(strategy.rewrite(situation))
    changes, late = _compatible([item for item in proposals if isinstance(item, Change)])
    skips = [*(item for item in proposals if isinstance(item, Skip)), *late]
    noted = tuple(
        SkipResult(strategy=strategy.name, line=origin(draft, s.line), reason=s.reason)
        for s in skips
    )
    return replace(_apply(draft, strategy.name, changes), skips=draft.skips + noted)


def _compatible(changes: Iterable[Change]) -> tuple[list[Change], list[Skip]]:
    """Changes whose edits do not touch each other; of two that do, the second one waits for another
    run."""
    taken: list[Change] = []
    late: list[Skip] = []
    edits: list[Edit] = []  # those that are taken, in order: they do not touch each other
    for change in changes:
        if any(_touch(edit, other) for edit in change.edits for other in _beside(edits, edit)):
            late.append(Skip("it touches the same lines as another change: run again", change.line))
            continue
        taken.append(change)
        for edit in change.edits:
            insort(edits, edit)
    return taken, late


def _beside(edits: list[Edit], edit: Edit) -> list[Edit]:
    """Those of edits in order, which do not touch each other, that may touch this one."""
    first = bisect_left(edits, edit.start, key=lambda other: other.end)
    last = bisect_right(edits, edit.end, key=lambda other: other.start)
    return edits[first:last]


def _touch(one: Edit, other: Edit) -> bool:
    if one.start == one.end == other.start == other.end:
        return True
    return one.start < other.end and other.start < one.end


def origin(draft: Draft, line: int | None) -> int | None:
    """The line of the original that a line of the draft came from, or the nearest one above it."""
    if line is None:
        return None
    for number in range(min(line, len(draft.lines)), 0, -1):
        if draft.lines[number - 1] is not None:
            return draft.lines[number - 1]
    return None


def _apply(draft: Draft, name: str, changes: list[Change]) -> Draft:
    if not changes:
        return draft
    edits = [edit for change in changes for edit in change.edits]
    noted = tuple(
        ChangeResult(strategy=name, line=origin(draft, c.line), because=c.because) for c in changes
    )
    ignores = [change.ignore for change in changes if change.ignore is not None]
    finals = [change.final for change in changes if change.final is not None]
    return replace(
        draft,
        text=apply_edits(draft.text, edits) if edits else draft.text,
        lines=_lines_after(draft, edits) if edits else draft.lines,
        ignore=ignores[-1] if ignores else draft.ignore,
        final=finals[-1] if finals else draft.final,
        changes=draft.changes + noted,
        effects=with_more(
            draft.effects, name, (effect for change in changes for effect in change.effects)
        ),
    )


def _lines_after(draft: Draft, edits: Iterable[Edit]) -> tuple[int | None, ...]:
    """Follows every line start of the new text back through the edits."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    text = apply_edits(draft.text, ordered)
    starts = [0, *(found.end() for found in re.finditer("\n", draft.text))]
    begins, ends, shifts = _places(ordered)
    result: list[int | None] = []
    for offset in [0, *(found.end() for found in re.finditer("\n", text))]:
        at = bisect_right(begins, offset) - 1
        if at >= 0 and offset < ends[at]:
            edit = ordered[at]
            old = edit.start if edit.end > edit.start else None
        else:
            old = offset - shifts[at + 1]
        result.append(None if old is None else draft.lines[bisect_right(starts, old) - 1])
    return tuple(result)


def _places(ordered: Sequence[Edit]) -> tuple[list[int], list[int], list[int]]:
    """Where the new text of each edit begins and ends, and how far what is in front of it and
    behind them all moved."""
    begins, ends, shifts = [], [], [0]
    for edit in ordered:
        begins.append(edit.start + shifts[-1])
        ends.append(begins[-1] + len(edit.text))
        shifts.append(shifts[-1] + len(edit.text) - (edit.end - edit.start))
    return begins, ends, shifts
