"""A short benchmark: one cold build of each, and rebuilds after an edited source file, interleaved."""

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
from imgopt.results.optimize import StepOutcome, Timing
from imgopt.rewrite.loop.original import Source
from imgopt.rewrite.loop.request import OptimizeRequest, Progress
from imgopt.rewrite.plan import Plan


@dataclass
class ArmTimes:
    """Seconds of one Dockerfile, in the order measured."""

    cold: list[float] = field(default_factory=list)
    rebuild: list[float] = field(default_factory=list)
    steps: list[StepOutcome] = field(default_factory=list)


@dataclass(frozen=True)
class Times:
    """`arms`: "original" and the variants by name; `edit` says what was edited, "" when nothing could be."""

    arms: Mapping[str, ArmTimes]
    edit: str = ""

    def timings(self, name: str) -> dict[str, Timing]:
        """The timings of a variant beside the original's."""
        before, after = self.arms.get("original"), self.arms.get(name)
        if before is None or after is None:
            return {}
        found = {"cold": _timing(before.cold, after.cold)}
        if before.rebuild and after.rebuild:
            found["edit-source"] = _timing(before.rebuild, after.rebuild)
        return found


def _timing(before: Sequence[float], after: Sequence[float]) -> Timing:
    ratio = median(before) / median(after) if before and after and median(after) > 0 else None
    return Timing(before=list(before), after=list(after), ratio=ratio, verdict="inconclusive")


def measure(
    session: Session, request: OptimizeRequest, source: Source, plans: Mapping[str, Plan], progress: Progress
) -> Times:
    """Times the original and the plans on copies of the context; the user's files and cache are left alone."""
    section = request.config.build
    state = read_state(request.context, request.dockerfile, target=section.target, build_args=section.args)
    chosen = scenarios(request.context, state, source.churn, only=("edit-source",))
    edit = next((item for item in chosen if isinstance(item, Scenario)), None)
    states = {"original": state, **{name: _state_of(request, state, plan) for name, plan in plans.items()}}
    laboratories: dict[str, Laboratory] = {}
    arms = {name: ArmTimes() for name in states}
    for name, one in states.items():
        progress.stage(f"Timing a cold build: {name}")
        laboratories[name] = Laboratory(session, request.context, one, request.build(name), on_event=progress.build)
        _note(arms[name].cold, laboratories[name].cold())
    if edit is not None:
        _rebuild(laboratories, states, edit, request.rebuilds, arms, progress)
    return Times(arms, edit.edit if edit is not None else "")


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
    states: Mapping[str, State],
    edit: Scenario,
    rounds: int,
    arms: Mapping[str, ArmTimes],
    progress: Progress,
) -> None:
    names = list(laboratories)
    for number in range(rounds):
        order = names if number % 2 == 0 else names[::-1]
        for name in order:
            progress.stage(f"Timing a rebuild after an edit, {number + 1} of {rounds}: {name}")
            measured = laboratories[name].after(edit.make(f"{number}-{name}"))
            _note(arms[name].rebuild, measured)
            arms[name].steps = _steps(states[name], measured)


def _steps(state: State, measured: Measured) -> list[StepOutcome]:
    del state
    return [
        StepOutcome(name=f"{step.line} {step.instruction}", cached=one.answer == "hit", seconds=one.seconds)
        for step, one in measured.steps.items()
    ]


def _note(times: list[float], measured: Measured) -> None:
    if not measured.failure:
        times.append(measured.seconds)
