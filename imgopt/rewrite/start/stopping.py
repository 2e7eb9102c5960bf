"""How a service is told to stop, by what was seen of its end: who gets the signal, and which signal
its program finishes its work on."""

from __future__ import annotations

import posixpath
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.tuning import GentleStop
from imgopt.inspect.start.programs import SHELLS
from imgopt.run.pictures import Process

USUAL = "SIGTERM"


@dataclass(frozen=True, slots=True)
class Told:
    """The process that gets the signal once no shell keeps it: `shells` stood above it."""

    process: Process
    shells: tuple[Process, ...] = ()

    def has_handler(self, name: str) -> bool | None:
        """Whether it does something of its own on a signal; None where that was not seen."""
        caught = self.process.caught
        return None if caught is None else signal.Signals[name] in caught


def told(processes: Sequence[Process], program: str = "") -> Told | None:
    """`program`: what the start to be names; a launcher that it leaves out is none. None where it
    cannot be told from the processes."""
    current = next((one for one in processes if one.number == 1), None)
    above: list[Process] = []
    while current is not None and _stands_above(current, processes, program):
        above.append(current)
        below = [one for one in processes if one.parent == above[-1].number]
        current = below[0] if len(below) == 1 else None
    if current is None:
        return None
    return Told(current, tuple(above))


def _stands_above(process: Process, processes: Sequence[Process], program: str) -> bool:
    if is_shell(process):
        return True
    below = any(one.parent == process.number for one in processes)
    return below and bool(program) and not _is_called(process, program)


def _is_called(process: Process, name: str) -> bool:
    """By its own name, or that of the script that it reads."""
    words = (process.program, *process.arguments[:3])
    return name in [posixpath.basename(word) for word in words]


def is_shell(process: Process) -> bool:
    names = [posixpath.basename(word) for word in (process.program, *process.arguments[:1])]
    return any(name in (*SHELLS, "busybox") for name in names)


def is_init(ecosystems: Sequence[Ecosystem], process: Process) -> bool:
    """Whether it is there to start others and to hand signals on."""
    name = posixpath.basename(process.program)
    return any(fnmatchcase(name, glob) for one in ecosystems for glob in one.inits)


def gentle_stop(ecosystems: Sequence[Ecosystem], process: Process) -> GentleStop | None:
    """What is known of the program's end."""
    names = {posixpath.basename(word) for word in (process.program, *process.arguments[:1])}
    words = " ".join(process.arguments)
    for fact in (fact for one in ecosystems for fact in one.gentle_stop):
        if not any(fnmatchcase(name, glob) for name in names for glob in fact.programs):
            continue
        if fact.unless and re.search(fact.unless, words):
            continue
        if re.search(fact.arguments, words):
            return fact
    return None
