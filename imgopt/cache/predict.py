"""Prediction: for every step of a state, whether a build finds it in the cache that another state's
build left."""

from __future__ import annotations

from dataclasses import dataclass

from imgopt.cache.graph import Step, Vertex
from imgopt.cache.match import Known, Matching, Verdict
from imgopt.cache.reasons import Cause, Reasons
from imgopt.cache.state import State


@dataclass(frozen=True, slots=True)
class StepPrediction:
    """What a build does with one step: `reason` names the file, flag, variable or step that
    decides."""

    step: Step
    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Prediction:
    """The steps of the state that is built, in file order."""

    steps: tuple[StepPrediction, ...]
    matching: Matching
    reasons: Reasons

    def vertex(self, step: Step) -> Vertex:
        return next(vertex for placed, vertex in self.matching.after.graph.placed if placed is step)

    def cause(self, step: Step) -> Cause | None:
        """Why a step is not (surely) found; None for a hit."""
        vertex = self.vertex(step)
        return (
            None if self.matching.outcomes[vertex].verdict == "hit" else self.reasons.cause(vertex)
        )


def predict(before: State, after: State, known: Known | None = None) -> Prediction:
    """What a build of `after` finds, right after `before` was built; nothing else is taken to be in
    the cache.

    Raises InputError for a Dockerfile that BuildKit refuses.
    """
    matching = Matching(before, after, known)
    reasons = Reasons(matching)
    steps = tuple(
        StepPrediction(step, matching.outcomes[vertex].verdict, reasons.sentence(vertex))
        for step, vertex in after.graph.placed
    )
    return Prediction(steps, matching, reasons)
