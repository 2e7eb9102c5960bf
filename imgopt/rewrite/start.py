"""What a Dockerfile starts: ENTRYPOINT and CMD of the shipped stage, with what the base says where it says nothing."""

from __future__ import annotations

from imgopt.dockerfile import Instruction
from imgopt.dockerfile.typed import Command
from imgopt.rewrite.strategy import Situation


def start_words(situation: Situation) -> tuple[str, ...]:
    """The words that the engine executes, the shell of a shell form included."""
    evidence = situation.evidence
    base = evidence.side.base.config if evidence is not None and evidence.side.base is not None else None
    entrypoint = base.entrypoint if base is not None else None
    cmd = base.cmd if base is not None else None
    own_cmd: set[int] = set()
    for part in situation.stage.chain:
        for item in part.instructions:
            if item.keyword == "ENTRYPOINT":
                entrypoint = _words(situation, item)
                cmd = cmd if part.index in own_cmd else None
            elif item.keyword == "CMD":
                cmd = _words(situation, item)
                own_cmd.add(part.index)
    return (*(entrypoint or ()), *(cmd or ()))


def _words(situation: Situation, item: Instruction) -> tuple[str, ...]:
    typed = item.typed
    if not isinstance(typed, Command):
        return ()
    if typed.json is not None:
        return typed.json
    return (*situation.dockerfile.scope_at(item).shell, str(typed.shell or ""))
