"""Asks the run time of an image what it takes under limits, and what it takes beside its heap."""

from __future__ import annotations

import contextlib
import os
import posixpath
import signal
from dataclasses import replace
from fnmatch import fnmatchcase

from imgopt.context.facts.tuning import Report, Tuning
from imgopt.engine import Container
from imgopt.engine.container import StartFailure
from imgopt.run.companions import CompanionFailure
from imgopt.run.facts.conditions import Conditions
from imgopt.run.facts.load import Asked
from imgopt.run.facts.runner import Runner
from imgopt.run.tuning.answer import Taken, beside_the_heap, read_answer
from imgopt.run.tuning.found import Found
from imgopt.run.tuning.start_options import own_options

_REPORT_LOAD = Asked(seconds=5.0)
_END_SECONDS = 10.0


def ask(runner: Runner, found: Found, conditions: Conditions) -> tuple[Taken | None, str]:
    """What it says under these conditions with the options of its own start, and why it says
    nothing ("")."""
    facts = found.ecosystem.tuning
    if facts.asked is None:
        return None, "it cannot be asked"
    words = (found.program, *own_options(facts, found.words), *facts.asked.arguments)
    given = {**variables(found), **conditions.env}
    output = runner.output_of(words, replace(conditions, env=given))
    said = "\n".join(text.decode(errors="replace") for text in (output.stdout, output.stderr))
    taken = read_answer(facts.asked, said)
    if taken is not None:
        return taken, ""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return None, lines[0] if lines else f"it ends with {output.code} and says nothing"


def variables(found: Found) -> dict[str, str]:
    """Variables with options as its process had them: a script of the start may have set them."""
    facts, given = found.ecosystem.tuning, found.environment or {}
    names = (*facts.variables, *facts.variables_after)
    return {name: given[name] for name in names if name in given}


def beside_heap(runner: Runner, found: Found, conditions: Conditions) -> int | None:
    """Bytes that it took beside its heap in a run with a short load, by its own report at the end;
    None where it cannot be told to give one."""
    facts, report = found.ecosystem.tuning, found.ecosystem.tuning.report
    if report is None or not runner.local:
        return None
    given = (found.environment or {}).get(report.variable, "")
    env = {report.variable: " ".join((*given.split(), *report.options))}
    try:
        with runner.running(replace(conditions, env={**conditions.env, **env})) as running:
            if not running.started:
                return None
            running.put_under_load(_REPORT_LOAD)
            return _told(running.container, facts, report)
    except (StartFailure, CompanionFailure):
        return None


def _told(container: Container, facts: Tuning, report: Report) -> int | None:
    """The signal goes to the run time itself: a shell in front of it would not hand it on."""
    for process in container.processes():
        name = posixpath.basename(process.command.split(" ", 1)[0])
        if any(fnmatchcase(name, glob) for glob in facts.programs):
            with contextlib.suppress(OSError):
                os.kill(process.pid, signal.SIGTERM)
    container.wait(_END_SECONDS)
    return beside_the_heap(report, container.logs().text)
