"""Processes that this cluster started: each is marked by an environment variable that its children
inherit, and noted in a file with the moment of its start, so that a number that the system gave to
somebody else later is never taken for ours."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from layout import Layout, give_up

MARK = "IMGOPT_CLUSTER_OF"


def spawn(layout: Layout, name: str, command: Sequence[str]) -> int:
    """Starts a part in the background, in a session of its own, its words in log/NAME.log."""
    with (layout.folder("log") / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            ["nice", "-n", os.environ.get("IMGOPT_CLUSTER_NICE", "0"), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, MARK: str(layout.run)},
        )
    note = layout.folder("pid") / name
    note.write_text(f"{process.pid} {_started(process.pid)}\n")
    return process.pid


def _started(pid: int) -> str:
    """Ticks since boot at which the process began; "" where there is none, or only its body."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def pid_of(layout: Layout, name: str) -> int | None:
    """The part's process, if it is still the one that we started."""
    try:
        pid, _, started = (layout.run / "pid" / name).read_text().strip().partition(" ")
    except OSError:
        return None
    return int(pid) if pid.isdigit() and started and _started(int(pid)) == started else None


def marked(layout: Layout) -> list[int]:
    """Every process that bears our mark, noted or not: of parts, of what they started, of a start
    that was killed before it could note anything."""
    mark = f"{MARK}={layout.run}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return [pid for pid in found if _started(pid)]


def end(pids: Iterable[int], grace: float = 10.0) -> None:
    """SIGTERM, and SIGKILL to those that are there when the grace is over."""
    left = {pid: _started(pid) for pid in pids}
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        left = {pid: since for pid, since in left.items() if since and _started(pid) == since}
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        until(partial(_gone, left), seconds)


def _gone(processes: Mapping[int, str]) -> bool:
    return all(_started(pid) != since for pid, since in processes.items())


def end_parts(layout: Layout, names: Iterable[str], grace: float = 10.0) -> None:
    end([pid for pid in (pid_of(layout, name) for name in names) if pid], grace)


def until(done: Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
    """Whether it came to be in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def wait_for(layout: Layout, part: str, done: Callable[[], bool], seconds: float = 120.0) -> None:
    """Raises SystemExit with the part's last words when it ends, or is not ready in time."""
    ended = False

    def ready() -> bool:
        nonlocal ended
        ended = pid_of(layout, part) is None
        return ended or done()

    if until(ready, seconds) and not ended:
        return
    log = layout.run / "log" / f"{part}.log"
    with contextlib.suppress(OSError):
        print("\n".join(log.read_text(errors="replace").splitlines()[-12:]))
    give_up(f"{part} {'ended' if ended else 'is not ready'}; its log is {log}")
