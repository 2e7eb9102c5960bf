"""A setting that is put in front of what a stage starts."""

from __future__ import annotations

from dataclasses import replace

from imgopt.dockerfile import Edit, Instruction
from imgopt.rewrite.effects import Effect
from imgopt.rewrite.strategy import Change, Situation


def placed(
    situation: Situation, text: str, because: str, effects: tuple[Effect, ...] = ()
) -> Change:
    """One instruction above CMD and ENTRYPOINT; at the end of a stage that has neither."""
    final, stage = situation.final, situation.stage
    if final is not None:
        extra = replace(final.complement, start=(*final.complement.start, text))
        new = replace(final, complement=extra)
        return Change(because, stage.line, final=new, effects=effects)
    edit, line = edit_in_front(situation, text)
    return Change(because, line, (edit,), effects=effects)


def edit_in_front(situation: Situation, text: str) -> tuple[Edit, int]:
    """The edit for that, and the line that it is for."""
    stage, eol = situation.stage, situation.dockerfile.eol
    start = _start(situation)
    if start is None:
        at = stage.instructions[-1].extent.end
        lead = "" if situation.dockerfile.text[at - 1 : at] == "\n" else eol
        return Edit(at, at, f"{lead}{text}{eol}"), stage.line
    at = start.comments[0].start if start.comments else start.extent.start
    return Edit(at, at, f"{text}{eol}"), start.line


def _start(situation: Situation) -> Instruction | None:
    items = situation.stage.instructions
    return next((item for item in items if item.keyword in ("CMD", "ENTRYPOINT")), None)
