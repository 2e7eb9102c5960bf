"""Random projects, built twice by the real engine: what was decided is what happened, in every
step."""

from __future__ import annotations

import pytest

from .generate import generated
from .kit import Bench, Judged

CASES = 200
BATCH = 25
FIRST_SEED = 1000


@pytest.fixture(scope="module")
def judged(bench: Bench) -> list[Judged]:
    seeds = range(FIRST_SEED, FIRST_SEED + CASES)
    return [
        one
        for at in range(0, CASES, BATCH)
        for one in bench.judge([generated(seed) for seed in seeds[at : at + BATCH]])
    ]


@pytest.mark.engine
def test_what_is_decided_agrees_with_the_engine_in_every_step(judged: list[Judged]) -> None:
    assert not [line for one in judged for line in one.wrong]


@pytest.mark.engine
def test_little_is_left_to_the_build_and_every_step_is_seen(judged: list[Judged]) -> None:
    steps = [pair for one in judged for pair in zip(one.predicted, one.measured, strict=True)]
    assert len(steps) > 4 * CASES
    assert all(real is not None for _, real in steps)
    assert sum(said == "unknown" for said, _ in steps) <= 0.05 * len(steps)
    assert {real for _, real in steps} == {"hit", "miss"}
