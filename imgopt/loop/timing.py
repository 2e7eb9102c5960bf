"""A short benchmark: one cold build of each, and rebuilds after an edited source file, interleaved.
It takes no longer than the builds before it took, unless the user asks for more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from imgopt.cache.graph import Step
from imgopt.cache.measure import Laboratory, Measured
from imgopt.engine import Session
from imgopt.errors import OutOfTime
from imgopt.loop.clock import Clock, seconds
from imgopt.loop.edited import ORIGINAL, Edited
from imgopt.loop.recommending import rebuilds_slower
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.results.optimize import StepOutcome, Timing


@dataclass
class ArmTimes:
    """Seconds of one Dockerfile, in the order measured."""

    cold: list[float] = field(default_factory=list)
    rebuild: list[float] = field(default_factory=list)
    steps: list[StepOutcome] = field(default_factory=list)
    found: dict[Step, bool] = field(default_factory=dict)
    """Whether the last rebuild found the step in the cache."""


@dataclass(frozen=True)
class Times:
    """`arms`: "original" and the variants by name; `note` says why less was timed than usual."""

    arms: Mapping[str, ArmTimes]
    clock: Clock | None = None
    note: str = ""

    def timings(self, name: str) -> dict[str, Timing]:
        """The timings of a variant beside the original's."""
        before, after = self.arms.get(ORIGINAL), self.arms.get(name)
        if before is None or after is None:
            return {}
        found = {"cold": _timing(before.cold, after.cold)} if before.cold and after.cold else {}
        if before.rebuild and after.rebuild:
            found["edit-source"] = _timing(before.rebuild, after.rebuild)
        return found


def _timing(before: Sequence[float], after: Sequence[float]) -> Timing:
    ratio = median(before) / median(after) if before and after and median(after) > 0 else None
    return Timing(before=list(before), after=list(after), ratio=ratio, verdict="inconclusive")


def measure(
    session: Session,
    request: OptimizeRequest,
    edited: Edited,
    names: Sequence[str],
    progress: Progress,
    budget: float | None = None,
) -> Times:
    """Times the original and the variants on copies of the context; the user's files and cache are
    left alone. Of `names`, the smallest first, the next one is timed where the rebuilds of the
    one before turn out slower than the original's, or where all of them are asked for. It takes
    `budget` seconds at most: what is not measured then is left out, and said."""
    rounds = request.rebuilds if edited.scenario is not None else 0
    together = list(names) if request.time_all else list(names[:1])
    clock = Clock(budget, _parts(1 + len(together), rounds))
    bench = _Bench(session, request, edited, clock, progress)
    times = Times(bench.arms, clock)
    try:
        bench.cold(ORIGINAL, *together)
        bench.rebuild(rounds, ORIGINAL, *together)
        for before, name in zip(names, names[len(together) :], strict=False):
            if clock.done < len(clock.parts) or not _is_slower(times, before):
                break
            clock.parts = [*clock.parts, *_parts(1, rounds), *["warm"] * rounds]
            bench.cold(name)
            bench.rebuild(rounds, ORIGINAL, name)
    except OutOfTime:
        return replace(times, note=_over(clock))
    return replace(times, note="" if clock.done == len(clock.parts) else _over(clock))


def _parts(count: int, rounds: int) -> list[str]:
    """The kinds of the builds of so many files."""
    return ["cold"] * count + ["warm"] * count * rounds


def _is_slower(times: Times, name: str) -> bool:
    return rebuilds_slower(times.timings(name).get("edit-source"))


def _called(name: str) -> str:
    return name if name == ORIGINAL else f"{name} variant"


def _over(clock: Clock) -> str:
    return (
        f"stopped after {seconds(clock.passed())}, with {clock.done} of {len(clock.parts)} builds"
        " timed: it takes no longer than the builds before it took; --time-all times it to the end"
    )


@dataclass
class _Bench:
    session: Session
    request: OptimizeRequest
    edited: Edited
    clock: Clock
    progress: Progress
    arms: dict[str, ArmTimes] = field(default_factory=dict)
    laboratories: dict[str, Laboratory] = field(default_factory=dict)

    def cold(self, *names: str) -> None:
        for name in names:
            said = f"a build without cache of the {_called(name)}"
            self.progress.stage(self.clock.said(said))
            self.laboratories[name] = Laboratory(
                self.session,
                self.request.context,
                self.edited.states[name],
                self.request.build(name),
                on_event=self.progress.build,
                until=self.clock.until,
            )
            self.arms[name] = ArmTimes()
            measured = self.laboratories[name].cold()
            self.clock.note(measured.seconds)
            if not measured.failure:
                self.arms[name].cold.append(measured.seconds)

    def rebuild(self, rounds: int, *names: str) -> None:
        """Whole rounds, for a round of which only a half was timed favours one of them."""
        edit, done = self.edited.scenario, len(self.arms[names[0]].rebuild)
        for number in range(rounds if edit is not None else 0):
            if edit is None or not self.clock.has_time_for(len(names)):
                return
            order = names if number % 2 == 0 else names[::-1]
            measured = {}
            for name in order:
                said = f"a rebuild of the {_called(name)} after an edit"
                self.progress.stage(self.clock.said(said))
                made = edit.make(f"{done + number}-{name}")
                measured[name] = self.laboratories[name].after(made)
                self.clock.note(measured[name].seconds)
            for name, one in measured.items():
                self._keep(self.arms[name], one)

    @staticmethod
    def _keep(arm: ArmTimes, measured: Measured) -> None:
        arm.steps = [
            StepOutcome(
                name=f"{step.line} {step.instruction}",
                cached=one.answer == "hit",
                seconds=one.seconds,
            )
            for step, one in measured.steps.items()
        ]
        if not measured.failure:
            arm.rebuild.append(measured.seconds)
            arm.found = {step: one.answer == "hit" for step, one in measured.steps.items()}
