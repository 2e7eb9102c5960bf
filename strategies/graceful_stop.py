"""graceful-stop: a service ends by itself when it is told to, with what it was doing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from imgopt.context.facts.tuning import GentleStop
from imgopt.dockerfile import Edit, Instruction
from imgopt.rewrite.effects import EndsInTime
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.final_stage import FinalStage, run_lines
from imgopt.rewrite.final.settings import keyword_of
from imgopt.rewrite.start.give_place import GivesPlace, edit_of, edited, gives_place
from imgopt.rewrite.start.init_front import (
    in_final,
    in_text,
    json_of,
    own_entrypoint,
    system_with_init,
)
from imgopt.rewrite.start.last_command import sed_command, text_with_exec
from imgopt.rewrite.start.placed import edit_in_front
from imgopt.rewrite.start.start_words import start_words
from imgopt.rewrite.start.stopping import USUAL, Told, gentle_stop, is_init, is_shell, told
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy
from imgopt.strategies.graceful_stop_examples import EXAMPLES

_SAID = {
    "cuts": "{program} ends at once on {usual}, with what it is answering, and finishes it on"
    " {signal}",
    "waits": "{program} waits for all who are connected on {usual}, and ends on {signal}",
    "ignores": "{program} as the first process takes no notice of {usual}, and ends on {signal}",
    "restarts": "{program} starts anew on {usual}, and ends on {signal}",
}


@dataclass
class _Steps:
    """What is to be done, in one change: reasons, instructions in front of the start, whether an
    init is needed."""

    gives: GivesPlace = field(default_factory=GivesPlace)
    because: list[str] = field(default_factory=list)
    signal: str = ""
    init: bool = False


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Where the original was killed when its time was over, or its program is known to finish its
    work on another signal."""
    evidence, line = situation.evidence, situation.stage.line
    if evidence is None:
        yield Skip("needs `imgopt optimize`: how the service ends is measured", line)
        return
    if evidence.seen.stop_code is None:
        return
    found = _steps(situation, evidence)
    if isinstance(found, str):
        yield Skip(found, line)
    elif found is not None:
        yield _change(situation, evidence, found)


def _steps(situation: Situation, evidence: Evidence) -> _Steps | str | None:
    """None: nothing is wrong; a text: the reason why nothing is done."""
    seen = evidence.seen
    gives = gives_place(evidence.view, _words(situation))
    process = told(seen.processes, "" if isinstance(gives, str) else gives.program)
    if not seen.was_killed:
        quick = process is None or process.shells
        return None if quick or process is None else _on_its_signal(situation, evidence, process)
    late = f"it is killed after {seen.stop_seconds or 0:.0f} s"
    if isinstance(gives, str) and _shell_is_first(evidence):
        return f"{late}, and a shell keeps the signal: {gives}"
    if process is None or isinstance(gives, str):
        return f"{late}, and which process gets the signal was not seen"
    steps = _Steps(gives if process.shells else GivesPlace())
    if process.shells:
        reason = _cannot_be_written(situation, evidence, gives)
        if reason:
            return f"{late}, and a shell keeps the signal: {reason}"
        steps.because.append(f"a shell keeps the signal from {_name(process)}: it gives its place")
    refused = _signal(situation, evidence, process, steps)
    return f"{late}: {refused}" if refused else steps


def _on_its_signal(situation: Situation, evidence: Evidence, process: Told) -> _Steps | None:
    """Of a service that ends, perhaps with what it was answering."""
    steps = _Steps()
    _signal(situation, evidence, process, steps)
    return steps if steps.because else None


def _shell_is_first(evidence: Evidence) -> bool:
    return any(one.number == 1 and is_shell(one) for one in evidence.seen.processes)


def _signal(situation: Situation, evidence: Evidence, process: Told, steps: _Steps) -> str:
    """The signal that its program ends on, or an init; a reason where it is neither."""
    killed, own = evidence.seen.was_killed, evidence.config.stop_signal
    if is_init(situation.project.ecosystems, process.process):
        return f"{_name(process)} hands the signal on, and what it starts does not end"
    fact = gentle_stop(situation.project.ecosystems, process.process)
    if (own and own != USUAL) or _says_signal(situation):
        return "" if steps.gives.changes else f"{own or USUAL} is the signal that its author chose"
    if fact is not None and _finishes_on(process, fact, killed=killed):
        steps.signal = fact.signal
        said = _SAID[fact.usual].format(program=_name(process), usual=USUAL, signal=fact.signal)
        steps.because.append(said)
        return ""
    if not killed or _ends(process, fact is not None and not fact.signal):
        return "" if steps.because else "it has a handler for the signal, and takes longer"
    if process.has_handler(USUAL) is None:
        return "what it does on the signal was not seen"
    return _init(situation, evidence, process, steps)


def _says_signal(situation: Situation) -> bool:
    items = (item for part in situation.stage.chain for item in part.instructions)
    return any(item.keyword == "STOPSIGNAL" for item in items)


def _finishes_on(process: Told, fact: GentleStop, *, killed: bool) -> bool:
    """Whether the program was seen to handle the signal that its makers name. A run time that
    ignores the usual one may have been taught to handle it."""
    if not fact.signal or not process.has_handler(fact.signal):
        return False
    return fact.usual != "ignores" or (killed and process.has_handler(USUAL) is False)


def _ends(process: Told, in_vain: bool) -> bool:
    """Whether it ends once it gets the signal; `in_vain`: a handler that all programs of its kind
    have does not make it end."""
    return bool(process.has_handler(USUAL)) and not in_vain


def _init(situation: Situation, evidence: Evidence, process: Told, steps: _Steps) -> str:
    system = system_with_init(situation, evidence)
    own = own_entrypoint(situation)
    if system is None:
        return "the first process takes no notice of the signal, and no init can be installed here"
    if own is not None and (not json_of(own) or steps.gives.text in json_of(own)):
        return "the first process takes no notice of the signal, and the entrypoint is a shell's"
    steps.init = True
    steps.because.append(
        f"{_name(process)} as the first process takes no notice of {USUAL}, and of no other signal"
        f" that is known: {system.init} hands it on"
    )
    return ""


def _name(process: Told) -> str:
    return process.process.program.rpartition("/")[2]


def _words(situation: Situation) -> tuple[str, ...]:
    final = situation.final
    return final.start_words if final is not None else start_words(situation)


def _cannot_be_written(situation: Situation, evidence: Evidence, gives: GivesPlace) -> str:
    """Why `exec` cannot be put there by this Dockerfile; "" where it can."""
    final = situation.final
    if not gives.changes:
        return "where its program starts is not said"
    if gives.text is not None:
        start = (*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ()))
        if start.count(gives.text) != 1 or not _has_place(situation):
            return "what it starts is not said in this file"
    for script in gives.scripts:
        if evidence.view.command("sed") is None or (final is not None and not final.shell):
            return f"no program here can put exec into {script.path}"
        if sed_command(script.text, script.last, script.path) is None:
            return f"put exec in front of the last command of {script.path}"
    return ""


def _has_place(situation: Situation) -> bool:
    final, dockerfile = situation.final, situation.dockerfile
    if final is not None:
        return any(edited(text) != text for text in final.settings.start if _is_start(text))
    return any(edit_of(dockerfile, item) is not None for item in situation.stage.instructions)


def _is_start(text: str) -> bool:
    return keyword_of(text) in ("CMD", "ENTRYPOINT")


def _change(situation: Situation, evidence: Evidence, steps: _Steps) -> Change:
    because, effect = "; ".join(steps.because), _effect(evidence, steps)
    final = situation.final
    if final is not None:
        new = _in_final(situation, evidence, final, steps)
        return Change(because, situation.stage.line, final=new, effects=(effect,))
    edits, line = _in_text(situation, evidence, steps)
    return Change(because, line, tuple(edits), effects=(effect,))


def _effect(evidence: Evidence, steps: _Steps) -> EndsInTime:
    gives, config = steps.gives, evidence.config
    start = None
    if gives.changes:
        now = dict[str, str]()
        if gives.text is not None:
            now[gives.text] = text_with_exec(gives.text)
        entry, command = config.entrypoint or (), config.cmd or ()
        start = (
            tuple(now.get(word, word) for word in entry),
            tuple(now.get(word, word) for word in command),
        )
    scripts = {one.path: one.now.encode() for one in gives.scripts}
    return EndsInTime("; ".join(steps.because), steps.signal, start, scripts)


def _sed_steps(steps: _Steps) -> Iterator[str]:
    for script in steps.gives.scripts:
        command = sed_command(script.text, script.last, script.path)
        name = script.path.rpartition("/")[2]
        yield f"# {name} gives its place to what it starts, which gets the stop signal\n{command}"


def _in_final(
    situation: Situation, evidence: Evidence, final: FinalStage, steps: _Steps
) -> FinalStage:
    new = replace(final, finish=(*final.finish, *_sed_steps(steps)))
    if steps.gives.text is not None:
        start = tuple(edited(one) if _is_start(one) else one for one in final.settings.start)
        words = tuple(
            text_with_exec(word) if word == steps.gives.text else word for word in final.start_words
        )
        settings = replace(final.settings, start=start)
        new = replace(new, settings=settings, start_words=words)
    if steps.signal:
        extra = (*new.complement.start, f"STOPSIGNAL {steps.signal}")
        new = replace(new, complement=replace(new.complement, start=extra))
    system = system_with_init(situation, evidence)
    if steps.init and system is not None:
        made = in_final(situation, new, evidence, system, "")
        new = made.final or new
    return new


def _in_text(
    situation: Situation, evidence: Evidence, steps: _Steps
) -> tuple[list[Edit], int | None]:
    dockerfile, eol = situation.dockerfile, situation.dockerfile.eol
    edits: list[Edit] = []
    if steps.gives.text is not None:
        places = (edit_of(dockerfile, item) for item in reversed(situation.stage.instructions))
        edits += [place for place in places if place is not None][:1]
    run = run_lines(_sed_steps(steps))
    if run:
        behind = _last_step(situation)
        text = as_root(run, dockerfile, behind, evidence).replace("\n", eol)
        edits.append(Edit(behind.extent.end, behind.extent.end, text))
    system = system_with_init(situation, evidence)
    made = in_text(situation, evidence, system, "") if steps.init and system is not None else None
    if made is not None:
        edits += made.edits
    if not steps.signal:
        return edits, situation.stage.line
    edit, line = edit_in_front(situation, f"STOPSIGNAL {steps.signal}")
    return _merged(edits, edit), line


def _last_step(situation: Situation) -> Instruction:
    """Behind which nothing brings or changes files any more."""
    items = situation.stage.instructions
    steps = [item for item in items if item.keyword in ("RUN", "COPY", "ADD")]
    return steps[-1] if steps else situation.stage.start


def _merged(edits: list[Edit], edit: Edit) -> list[Edit]:
    """With one more, in front of what is put at the same place."""
    same = [one for one in edits if one.start == edit.start == one.end]
    others = [one for one in edits if one not in same]
    text = edit.text + "".join(one.text for one in same)
    return [*others, edit._replace(text=text)]


STRATEGY = Strategy(
    name="graceful-stop",
    does="Lets the service end by itself when it is told to.",
    why=(
        "`docker stop`, Compose and Kubernetes send a signal to the first process, and kill all"
        " that is left after a while: with that go the requests that were being answered, and a"
        " rolling update takes as long as the wait. A shell as the first process does not hand the"
        " signal on: it gives its place to its last command by `exec`. Some programs finish their"
        " work on another signal, which STOPSIGNAL names. A program without a handler is not ended"
        " by any signal that it gets as the first process: only there an init stands in front of"
        " it. What the image promises changes by it, so it is made only with `--allow"
        " graceful-stop`, and the proof stops it: what has to be killed still is refuted."
    ),
    safety="suggestion",
    doubt=85,
    failures=frozenset(["stop"]),
    references=(
        "https://docs.docker.com/reference/dockerfile/#stopsignal",
        "https://docs.docker.com/reference/dockerfile/#exec-form-entrypoint-example",
        "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
        "https://github.com/krallin/tini#why-tini",
    ),
    rewrite=rewrite,
    refuses=(
        "A service that ends in time, whose program is not known to finish its work on another"
        " signal; STOPSIGNAL of the author's own; a start with a trap, with programs in the"
        " background, or that ends with a condition, a loop, a pipe or a function; a script of the"
        " base image; a program with a handler that takes longer; an init that cannot be"
        " installed."
    ),
    table=(
        ("the last command of CMD, ENTRYPOINT or their script", "may get `exec` in front of it"),
        (
            "STOPSIGNAL",
            "may be set where the program's makers name the signal, and it was seen to handle it",
        ),
        ("an init", "may be put in front where the program handles no signal that ends it"),
        ("a script of the base image, a STOPSIGNAL of the author's", "stay as they are"),
    ),
    examples=(
        Example(
            "needs a run",
            before="FROM node:20\nCMD node a && node b\n",
            after=None,
            refused="how the service ends is measured",
        ),
    ),
    evidence_examples=EXAMPLES,
)
