"""What the first process of a container is, and which signals it has a handler for."""

from __future__ import annotations

import posixpath
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

from imgopt.results.run_facts import ProcessOne
from imgopt.run.facts.known import known
from imgopt.run.pictures import Picture, Process, signals
from imgopt.run.processes import proc_text


def process_one(picture: Picture, pid: int) -> ProcessOne | None:
    """Of a running container; `pid` is its first process's number on this machine. None where its
    processes cannot be seen."""
    first = next((one for one in picture.processes if one.number == 1), None)
    if first is None:
        return None
    children = sum(one.parent == 1 for one in picture.processes)
    return ProcessOne(
        words=words_of(first.arguments),
        program=first.program,
        kind=kind_of(first),
        catches=caught(proc_text(Path(f"/proc/{pid}/status")).splitlines()),
        children=children,
    )


def words_of(arguments: Sequence[str]) -> list[str]:
    """Without the empty ones at the end, which a program leaves that shows a title in their
    place."""
    kept = list(arguments)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def kind_of(process: Process) -> str:
    """init, shell or program, by the file that it runs and the name that it was called by: one file
    may be many programs (busybox)."""
    called = posixpath.basename(process.arguments[0]) if process.arguments else ""
    names = {posixpath.basename(process.program), called.removeprefix("-")}
    if names & set(known().inits):
        return "init"
    return "shell" if names & set(known().shells) else "program"


def caught(status: Iterable[str]) -> list[str]:
    """Names of the signals of `SigCgt` (proc_pid_status(5)); those of the run time's own
    (real-time ones) are left out."""
    mask = next((line.partition(":")[2] for line in status if line.startswith("SigCgt:")), "0")
    numbers = {one.value: one.name for one in signal.Signals if not one.name.startswith("SIGRT")}
    return [numbers[number] for number in sorted(signals(mask)) if number in numbers]
