"""A short benchmark: one cold build of each, and rebuilds after an edited source file, interleaved.
It takes no longer than the builds before it took, unless the user asks for more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from imgopt.cache.measure import Laboratory, Measured
from imgopt.cache.scenarios import Scenario, scenarios
from imgopt.cache.state import State, read_state
from imgopt.context.files import list_files
from imgopt.dockerfile import IgnoreFile
from imgopt.engine import Session
from imgopt.errors import OutOfTime
from imgopt.loop.clock import Clock, seconds
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.results.optimize import StepOutcome, Timing
from imgopt.rewrite.plan import Plan
from imgopt.rewrite.source import Source


@dataclass
class ArmTimes:
    """Seconds of one Dockerfile, in the order measured."""

    cold: list[float] = field(default_factory=list)
    rebuild: list[float] = field(default_factory=list)
    steps: list[StepOutcome] = field(default_factory=list)


@dataclass(frozen=True)
class Times:
    """`arms`: "original" and the variants by name; `edit` says what was edited, "" when nothing
    could be; `note` why less was timed than usual."""

    arms: Mapping[str, ArmTimes]
    edit: str = ""
    clock: Clock | None = None
    note: str = ""

    def timings(self, name: str) -> dict[str, Timing]:
        """The timings of a variant beside the original's."""
        before, after = self.arms.get("original"), self.arms.get(name)
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
    source: Source,
    plans: Mapping[str, Plan],
    progress: Progress,
    budget: float | None = None,
) -> Times:
    """Times the original and the plans on copies of the context; the user's files and cache are
    left alone. It takes `budget` seconds at most: what is not measured then is left out, and
    said."""
    section = request.config.build
    state = read_state(
        request.context, request.dockerfile, target=section.target, build_args=section.args
    )
    chosen = scenarios(request.context, state, source.churn, only=("edit-source",))
    edit = next((item for item in chosen if isinstance(item, Scenario)), None)
    states = {
        "original": state,
        **{name: _state_of(request, state, plan) for name, plan in plans.items()},
    }
    rounds = request.rebuilds if edit is not None else 0
    clock = Clock(budget, ["cold"] * len(states) + ["warm"] * len(states) * rounds)
    arms = {name: ArmTimes() for name in states}
    times = Times(arms, edit.edit if edit is not None else "", clock)
    laboratories: dict[str, Laboratory] = {}
    try:
        for name, one in states.items():
            progress.stage(clock.said(f"a build without cache of the {_called(name)}"))
            build = request.build(name)
            laboratories[name] = Laboratory(
                session, request.context, one, build, on_event=progress.build, until=clock.until
            )
            _note(clock, arms[name].cold, laboratories[name].cold())
        if edit is not None:
            _rebuild(laboratories, edit, rounds, arms, clock, progress)
    except OutOfTime:
        return replace(times, note=_over(clock))
    return replace(times, note="" if clock.done == len(clock.parts) else _over(clock))


def _called(name: str) -> str:
    return name if name == "original" else f"{name} variant"


def _over(clock: Clock) -> str:
    return (
        f"stopped after {seconds(clock.passed())}, with {clock.done} of {len(clock.parts)} builds"
        " timed: it takes no longer than the builds before it took; --time-all times it to the end"
    )


def _state_of(request: OptimizeRequest, state: State, plan: Plan) -> State:
    ignore = IgnoreFile.parse(plan.ignore) if plan.ignore is not None else None
    return replace(
        state.with_dockerfile(plan.dockerfile),
        ignore_text=plan.ignore,
        tree=list_files(request.context, ignore),
        dockerfile_path=None,
    )


def _rebuild(
    laboratories: Mapping[str, Laboratory],
    edit: Scenario,
    rounds: int,
    arms: Mapping[str, ArmTimes],
    clock: Clock,
    progress: Progress,
) -> None:
    """Whole rounds, for a round of which only a half was timed favours one of them."""
    names = list(laboratories)
    for number in range(rounds):
        if not clock.has_time_for(len(names)):
            return
        order = names if number % 2 == 0 else names[::-1]
        measured = {}
        for name in order:
            progress.stage(clock.said(f"a rebuild of the {_called(name)} after an edit"))
            measured[name] = laboratories[name].after(edit.make(f"{number}-{name}"))
            clock.note(measured[name].seconds)
        for name, one in measured.items():
            if not one.failure:
                arms[name].rebuild.append(one.seconds)
            arms[name].steps = _steps(one)


def _steps(measured: Measured) -> list[StepOutcome]:
    return [
        StepOutcome(
            name=f"{step.line} {step.instruction}", cached=one.answer == "hit", seconds=one.seconds
        )
        for step, one in measured.steps.items()
    ]


def _note(clock: Clock, times: list[float], measured: Measured) -> None:
    clock.note(measured.seconds)
    if not measured.failure:
        times.append(measured.seconds)
