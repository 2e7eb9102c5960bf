"""`imgopt cache`: every scenario predicted, measured if wanted, and both side by side."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from imgopt.cache.edits import Edit
from imgopt.cache.graph import Step
from imgopt.cache.match import Known
from imgopt.cache.measure import Laboratory, Measured
from imgopt.cache.predict import Prediction, StepPrediction, predict
from imgopt.cache.reasons import shortened
from imgopt.cache.scenarios import Scenario, Skipped
from imgopt.cache.state import State
from imgopt.cache.times import Times
from imgopt.results.cache import (
    Agreement,
    CacheResult,
    CacheScenario,
    CacheStep,
    ScenarioStep,
    SkippedScenario,
)

GONE = "the change takes this step out of the Dockerfile"


def examine(
    state: State,
    chosen: Sequence[Scenario | Skipped],
    laboratory: Laboratory | None = None,
    known: Callable[[Edit], Known | None] | None = None,
    times: Times | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> CacheResult:
    """Predicts the scenarios; with a laboratory (whose first build is done), builds them, too.

    `known` gives what was measured of a change before; `times` the seconds of steps; `tell` hears
    what is done.
    """
    cold = laboratory.first if laboratory is not None else None
    made = [one for one in chosen if isinstance(one, Scenario)]
    found = [_scenario(state, one, laboratory, known, times or Times(), tell) for one in made]
    steps = [step for step, _ in state.graph.placed]
    return CacheResult(
        dockerfile=state.dockerfile_path or state.dockerfile.name,
        steps=[
            CacheStep(stage=s.stage, line=s.line, instruction=shortened(s.instruction, 200))
            for s in steps
        ],
        scenarios=found,
        agreement=agreement(found) if laboratory is not None else None,
        skipped=[
            SkippedScenario(name=one.name, reason=one.reason)
            for one in chosen
            if isinstance(one, Skipped)
        ],
        cold_seconds=cold.seconds if cold is not None else None,
        notes=[] if steps else ["the Dockerfile has no cacheable step"],
    )


def _scenario(
    state: State,
    scenario: Scenario,
    laboratory: Laboratory | None,
    known: Callable[[Edit], Known | None] | None,
    times: Times,
    tell: Callable[[str], None],
) -> CacheScenario:
    edit = scenario.example
    prediction = predict(state, edit.applied(state), known(edit) if known else None)
    measured = None
    if laboratory is not None:
        tell(scenario.name)
        measured = laboratory.after(fresh(scenario))
    return CacheScenario(
        name=scenario.name,
        edit=scenario.edit,
        steps=list(_steps(state, prediction, measured, times)),
        failure=measured.failure or None if measured is not None else None,
    )


def fresh(scenario: Scenario) -> Edit:
    """The scenario's change with bytes that no earlier run had."""
    return scenario.make(secrets.token_hex(4))


def _steps(
    state: State, prediction: Prediction, measured: Measured | None, times: Times
) -> Iterator[ScenarioStep]:
    """One answer for each step of the original, in its order."""
    said = _by_original(state, prediction)
    seen = (
        {(s.stage, s.index): one for s, one in measured.steps.items()}
        if measured is not None
        else {}
    )
    for step, _ in state.graph.placed:
        one = said.get(step)
        if one is None:
            yield ScenarioStep(predicted="miss", reason=GONE, reason_not_measured=GONE)
            continue
        real = seen.get((one.step.stage, one.step.index))
        yield ScenarioStep(
            predicted=one.verdict,
            measured=real.answer if real is not None else None,
            reason=one.reason,
            seconds=real.seconds
            if real is not None
            else 0.0
            if one.verdict == "hit"
            else times.of(one.step),
            reason_not_measured=None if real is not None else _why_not(measured),
        )


def _why_not(measured: Measured | None) -> str:
    if measured is None:
        return "no build was asked for (--measure)"
    return (
        f"the build fails: {measured.failure}"
        if measured.failure
        else "the build's progress does not show it"
    )


def _by_original(state: State, prediction: Prediction) -> Mapping[Step, StepPrediction]:
    """The answers by the original's steps: the same place, or (after a change of the file) the same
    text."""
    before = [step for step, _ in state.graph.placed]
    after = list(prediction.steps)
    if [(s.stage, s.index) for s in before] == [(p.step.stage, p.step.index) for p in after]:
        return dict(zip(before, after, strict=True))
    found: dict[Step, StepPrediction] = {}
    for step in before:
        match = next(
            (
                p
                for p in after
                if (p.step.stage, p.step.instruction) == (step.stage, step.instruction)
            ),
            None,
        )
        if match is not None:
            after.remove(match)
            found[step] = match
    return found


def agreement(found: Iterable[CacheScenario]) -> Agreement:
    """How often what was decided is what the engine did."""
    steps = [step for scenario in found for step in scenario.steps if step.measured is not None]
    decided = [step for step in steps if step.predicted != "unknown"]
    right = sum(step.predicted == step.measured for step in decided)
    return Agreement(
        decided=len(decided),
        right=right,
        wrong=len(decided) - right,
        unknown=len(steps) - len(decided),
    )
