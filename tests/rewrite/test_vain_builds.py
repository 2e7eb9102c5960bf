"""What was learned and changes nothing is not built again."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.loop.attempt import MOST_BUILDS, Attempt, Proven, _State, _Worker
from imgopt.rewrite.plan import Plan
from imgopt.strategies.variants import choose_variants


class Worker(_Worker):
    """Plans that are given; every one is refuted, and something is learned until they end."""

    def __init__(self, *texts: str) -> None:
        self._kind = choose_variants(["slim"])[0]
        self._texts: Iterator[str] = iter(texts)
        self.left = len(texts)
        self.built: list[str] = []

    def plan(self, state: _State) -> Plan:
        del state
        return Plan(next(self._texts), None, (), (), None)

    def prove(self, plan: Plan, state: _State) -> Proven:
        state.builds += 1
        self.built.append(plan.dockerfile)
        return Proven("refuted", failure=f"{plan.dockerfile} fails")

    def _inapplicable(self, plan: Plan) -> str:
        del plan
        return ""

    def _learn(self, state: _State, plan: Plan, outcome: Proven) -> bool:
        del state, plan, outcome
        self.left -= 1
        return self.left > 0


def run(*texts: str) -> tuple[list[str], Attempt]:
    worker = Worker(*texts)
    return worker.built, worker.run()


def test_a_plan_that_a_repair_changed_is_built() -> None:
    built, attempt = run("a", "b", "c")
    assert (built, attempt.builds) == (["a", "b", "c"], 3)


def test_a_plan_that_a_repair_left_as_it_was_is_not_built_again() -> None:
    built, attempt = run("a", "a", "a", "b")
    assert (built, attempt.builds, attempt.reason) == (["a", "b"], 2, "b fails")


def test_a_variant_has_no_more_builds_than_it_may() -> None:
    built, attempt = run(*map(str, range(50)))
    assert (len(built), attempt.builds) == (MOST_BUILDS, MOST_BUILDS)
    assert MOST_BUILDS == 8
