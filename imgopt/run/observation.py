"""One run of an image as it was seen, and the plan by which others are started and asked in the
same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imgopt.engine import Change, Output
from imgopt.run.fanotify import Trace, untraced
from imgopt.run.listening import Listener
from imgopt.run.own_run import OwnRun
from imgopt.run.pictures import Picture
from imgopt.run.probes import (
    Answer,
    Probe,
)

_LOG_TAIL = 40
KILLED = 137
"""The exit code of a container that `docker stop` had to kill."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What the original did, so that others are started and asked in the same way.

    `deaf`: it did not stop when told to and was killed. Then others are not given the whole time to
    show the same.
    """

    ports: tuple[int, ...]
    listens: tuple[int, ...]
    probes: tuple[Probe, ...]
    ends: bool
    ready_seconds: float
    deaf: bool = False
    first: int | None = None
    """How many of the probes are asked before those that may change something, which come with
    their own memory; None: all."""
    alone: bool = False
    """Whether those behind them are asked in a network of the run's own."""
    unasked: tuple[str, ...] = ()
    """What was not asked, each with its reason."""
    slow: Probe | None = None
    """A page that is under way when it is told to stop; None: none takes long enough."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One run. Times in seconds, memory in bytes; None is "not measured" or "did not come to that".

    `started`: it answered, keeps running as a worker, or ended with success. `exit_code`: it ended
    by itself before it was asked; `died`: it ended while it was asked. `hints` say what would help
    an original that does not start.
    """

    image: str
    started: bool
    reason: str
    plan: RunPlan
    answers: tuple[Answer, ...] = ()
    exit_code: int | None = None
    output: Output | None = None
    died: int | None = None
    log: str = ""
    said: str = ""
    """What it had logged until it was told to stop; "" for what ended by itself."""
    hints: tuple[str, ...] = ()
    listening: tuple[Listener, ...] = ()
    sockets: tuple[str, ...] = ()
    """What else it listens on: `udp 53`, `unix /run/app.sock`."""
    home: str = ""
    """HOME of its first process; "" where that is not known."""
    ready_seconds: float | None = None
    written: tuple[Change, ...] = ()
    peak_memory: int | None = None
    uid: int | None = None
    stop_seconds: float | None = None
    stop_code: int | None = None
    cut: int | None = None
    """How many requests that were being answered then were never answered to the end; None: none
    were under way."""
    trace: Trace = field(default_factory=lambda: untraced("not asked for"))
    own_health: Answer | None = None
    """What the image's own HEALTHCHECK says, where the original has none."""
    pictures: tuple[Picture, ...] = ()
    """Its processes after the start and at the end of the run."""

    companions: tuple[str, ...] = ()
    """The services that ran beside it."""
    reached: frozenset[str] | None = None
    """Those of them with which it had a connection; None where that cannot be seen."""
    stored: Mapping[str, str] | None = None
    """`file`, `folder` or `link` by each path that lies in its volumes at the end; None where it
    has none, or they cannot be seen."""
    tests: OwnRun | None = None
    """What the project's own tests said of it; None where none were run."""

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last lines it wrote."""
        return tuple(self.log.splitlines()[-_LOG_TAIL:])
