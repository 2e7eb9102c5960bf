"""A small init in front of what a stage starts: installed by the system's own package manager, and
put in front of the entrypoint."""

from __future__ import annotations

from dataclasses import replace

from imgopt.context.facts.runs import SystemPackages
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.typed import Command
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.final_stage import FinalStage, install_lines
from imgopt.rewrite.final.settings import without_start
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.strategy import Change, Situation


def system_with_init(situation: Situation, evidence: Evidence) -> SystemPackages | None:
    """The package manager that has one for the stage to be; None where none can be installed."""
    system, final = evidence.system(situation.project.ecosystems), situation.final
    if system is None or not system.init or (final is not None and not final.shell):
        return None
    return system


def in_final(
    situation: Situation,
    final: FinalStage,
    evidence: Evidence,
    system: SystemPackages,
    because: str,
) -> Change:
    entry = () if final.entry_script else evidence.config.entrypoint or ()
    start = f"ENTRYPOINT {json_words((*system.init_start.split(), *entry))}"
    others = tuple(one for one in final.complement.start if not one.startswith("ENTRYPOINT"))
    said = f"{system.init} (hands the stop signal on)"
    known = final.comments.get("packages")
    new = replace(
        final,
        packages=tuple(sorted({*final.packages, system.init})),
        install=final.install or system.install,
        complement=replace(final.complement, start=(start, *others)),
        settings=without_start(final.settings, ("ENTRYPOINT",)),
        comments={
            **final.comments,
            "packages": f"{known}, {said}" if known else f"Needed at run time: {said}",
        },
    )
    return Change(because, situation.stage.line, final=new)


def in_text(
    situation: Situation, evidence: Evidence, system: SystemPackages, because: str
) -> Change | None:
    """None for a stage that starts what only its base says."""
    stage, eol = situation.stage, situation.dockerfile.eol
    item = next((one for one in reversed(stage.instructions) if one.keyword == "CMD"), None)
    own = own_entrypoint(situation)
    if item is None and own is None:
        return None
    step = install_lines(system.install, (system.init,)) + "\n"
    step = as_root(step, situation.dockerfile, stage.start, evidence).replace("\n", eol)
    begin = stage.start.extent.end
    first = Edit(begin, begin, step)
    init = tuple(system.init_start.split())
    if own is not None:
        words = json_words((*init, *json_of(own)))
        edit = Edit(own.value_span.start, own.value_span.end, words)
        return Change(because, own.line, (first, edit))
    assert item is not None
    at = item.comments[0].start if item.comments else item.extent.start
    entry = json_words((*init, *(evidence.config.entrypoint or ())))
    return Change(because, item.line, (first, Edit(at, at, f"ENTRYPOINT {entry}{eol}")))


def own_entrypoint(situation: Situation) -> Instruction | None:
    """The ENTRYPOINT of the stage itself, where it has one."""
    items = reversed(situation.stage.instructions)
    return next((one for one in items if one.keyword == "ENTRYPOINT"), None)


def json_of(item: Instruction) -> tuple[str, ...]:
    """The words of an exec form; () for a shell form."""
    return item.typed.json or () if isinstance(item.typed, Command) else ()
