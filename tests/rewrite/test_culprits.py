"""A step of ours that does not build costs the strategy that wrote it, and no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from imgopt.loop.attempt import Attempt, Proven, _State, _Worker
from imgopt.results.rewrite import Change
from imgopt.rewrite.plan import Plan
from imgopt.strategies.variants import choose_variants

NAMES = ("layer-order", "cache-mounts", "multi-stage", "slim-base", "non-root", "start-command")
FETCH = "mvn --batch-mode dependency:go-offline"


class Worker(_Worker):
    """The strategy `by` writes a step, which does not build."""

    def __init__(self, by: str, step: str) -> None:
        self._kind = choose_variants(["slim"])[0]
        self._original = cast(Any, SimpleNamespace(evidence=SimpleNamespace()))
        self._by, self._step = by, step
        self.left_out: list[str] = []

    def plan(self, state: _State) -> Plan:
        left = [name for name in NAMES if name not in state.off]
        text = "FROM maven\nRUN mvn package\n" + (f"RUN {self._step}\n" if self._by in left else "")
        changes = (Change(strategy=name, line=1, because="") for name in left)
        return Plan(text, None, tuple(changes), (), None)

    def prove(self, plan: Plan, state: _State) -> Proven:
        state.builds += 1
        self.left_out = list(state.off)
        if f"RUN {self._step}\n" not in plan.dockerfile:
            return Proven("proven")
        name = f"[builder 3/5] RUN --mount=type=cache,target=/root/.m2 {self._step}"
        return Proven("refuted", failure="it does not build", step=name)

    def _end(self, state: _State, plan: Plan, outcome: Proven | None, reason: str) -> Attempt:
        return Attempt(self._kind, plan, outcome, reason, builds=state.builds)


@pytest.mark.parametrize("by", NAMES)
def test_the_strategy_that_wrote_the_step_is_left_out_at_once(by: str) -> None:
    worker = Worker(by, FETCH)
    found = worker.run()
    assert (found.verdict, found.builds) == ("proven", 2)
    assert worker.left_out == [by]
