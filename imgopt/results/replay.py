"""`imgopt/replay/1`: what the last commits would have rebuilt, for one or more Dockerfiles."""

from __future__ import annotations

from imgopt.results import Result, Value


class ReplayCommit(Value, frozen=True, kw_only=True):
    """Lines that run again, that may, and that start it. `seconds` None: the time of a step is not
    known."""

    id: str
    time: int
    missed: list[int]
    unknown: list[int]
    causes: list[int]
    seconds: float | None


class ReplayLine(Value, frozen=True, kw_only=True):
    """A line that starts rebuilds: in how many commits, and the seconds of all that ran because of
    it."""

    line: int
    instruction: str
    commits: int
    seconds: float | None


class ReplayArm(Value, frozen=True, kw_only=True):
    """One Dockerfile. Seconds are sums of step times; None: not measured, `reason` says why.
    `steps` counts its cacheable steps; `missed_per_build` is the mean number of them that run
    (unknown ones included)."""

    dockerfile: str
    steps: int
    missed_per_build: float
    unknown_per_build: float
    seconds_per_build: float | None
    seconds_per_month: float | None
    reason: str | None = None
    lines: list[ReplayLine] = []
    commits: list[ReplayCommit] = []
    notes: list[str] = []


class ReplayResult(Result, frozen=True, kw_only=True):
    """`commits` is how many were read; `builds_per_month` their pace (30 days); None: all at one
    time."""

    schema: str = "imgopt/replay/1"
    commits: int
    builds_per_month: float | None
    arms: list[ReplayArm]
    notes: list[str] = []
