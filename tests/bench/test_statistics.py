from __future__ import annotations

import math
import random

import numpy as np
import pytest
import scipy.stats

from imgopt.bench.order import rounds
from imgopt.bench.statistics import (
    Comparison,
    Limits,
    compare,
    interval,
    noise_floor,
    remarks,
    signed_rank_p,
)

SIMULATIONS = 2000


def simulate(
    source: random.Random,
    effect: float = 1.0,
    noise: float = 0.03,
    drift: float = 0.0,
    slow_first: float = 1.0,
) -> Comparison:
    """Six rounds of two arms as the runner does them; every time is 10 s times noise times what the
    clock adds."""
    samples: dict[str, list[float]] = {"A": [], "B": []}
    turns = [arm for turn in rounds(["A", "B"], 6, source.randrange(2**32)) for arm in turn]
    for index, arm in enumerate(turns):
        value = 10 * math.exp(source.gauss(0, noise)) * (1 + drift * index / len(turns))
        samples[arm].append(
            value * (effect if arm == "B" else 1) * (slow_first if index == 0 else 1)
        )
    return compare(samples["A"], samples["B"])


@pytest.mark.parametrize(
    "machine",
    [
        {},
        {"drift": 0.5},
        {"drift": -0.4},
        {"slow_first": 3.0},
        {"drift": 0.3, "slow_first": 2.0},
        {"noise": 0.3},
    ],
    ids=str,
)
def test_same_against_same_raises_at_most_five_false_alarms_in_a_hundred(
    machine: dict[str, float],
) -> None:
    source = random.Random(str(machine))
    alarms = sum(
        simulate(source, **machine).verdict in ("faster", "slower") for _ in range(SIMULATIONS)
    )
    assert alarms / SIMULATIONS <= 0.05


@pytest.mark.parametrize(("effect", "word"), [(0.8, "faster"), (1.25, "slower")])
@pytest.mark.parametrize("drift", [0.0, 0.2])
def test_a_fifth_at_three_percent_noise_is_found(effect: float, word: str, drift: float) -> None:
    source = random.Random(7)
    found = sum(
        simulate(source, effect=effect, drift=drift).verdict == word for _ in range(SIMULATIONS)
    )
    assert found / SIMULATIONS >= 0.95


def test_without_mirrored_order_drift_would_be_a_false_alarm() -> None:
    drifting = [10 + step for step in range(12)]
    assert compare(drifting[0::2], drifting[1::2]).p < 0.05


@pytest.mark.parametrize("seed", range(200))
def test_figures_equal_scipy(seed: int) -> None:
    source = np.random.default_rng(seed)
    count = int(source.integers(6, 13))
    values = source.normal(0.3, 1, count)
    if seed % 2:
        values = np.round(values, 1)  # ties and zeros
    ours = signed_rank_p(values.tolist())
    ranks = scipy.stats.rankdata(np.abs(values)) * np.sign(values)
    theirs = scipy.stats.permutation_test(
        (ranks,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert ours == pytest.approx(theirs.pvalue)
    if not seed % 2:
        assert ours == pytest.approx(scipy.stats.wilcoxon(values, method="exact").pvalue)
    bounds = interval(values.tolist())
    expected = scipy.stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    assert (bounds.low, bounds.high) == (expected.low, expected.high)
    assert bounds.median == pytest.approx(float(np.median(values)))


@pytest.mark.parametrize("count", [6, 7, 10, 20, 30])
def test_the_interval_covers_the_median_as_often_as_it_says(count: int) -> None:
    source = random.Random(count)
    samples = [interval([source.expovariate(1) for _ in range(count)]) for _ in range(SIMULATIONS)]
    covered = sum(
        bool(s.low is not None and s.high is not None and s.low <= math.log(2) <= s.high)
        for s in samples
    )
    assert covered / SIMULATIONS >= 0.94


@pytest.mark.parametrize("count", [1, 3, 5])
def test_fewer_than_six_runs_are_never_a_claim(count: int) -> None:
    comparison = compare([10.0] * count, [1.0] * count)
    assert comparison.verdict == "inconclusive"
    assert comparison.reason == f"{count} run{'s' * (count > 1)}: no claim from fewer than 6"
    assert comparison.ratio == pytest.approx(10)


def test_a_sure_but_tiny_difference_is_no_change() -> None:
    assert (
        compare([10.0, 10.1, 10.2, 10.0, 10.1, 10.2], [10.1, 10.2, 10.3, 10.1, 10.2, 10.3]).verdict
        == "no change"
    )


def test_a_difference_below_the_measured_noise_floor_is_not_claimed() -> None:
    before, after = [10.0] * 6, [8.5] * 6
    assert compare(before, after).verdict == "faster"
    assert compare(before, after, Limits(floor=0.2)).verdict == "no change"


def test_wide_noise_is_inconclusive_and_not_no_change() -> None:
    assert compare([10, 12, 9, 14, 10, 8], [11, 9, 13, 8, 12, 9]).verdict == "inconclusive"


def test_the_noise_floor_is_the_widest_difference_of_the_same_thing() -> None:
    assert noise_floor([10.0] * 6, [10, 10.4, 9.9, 10, 10.1, 9.7]) == pytest.approx(0.04)


def test_arms_of_different_length_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="as many samples"):
        compare([1.0], [1.0, 2.0])


def test_rounds_mirror_each_other_and_the_seed_decides() -> None:
    order = rounds(["a", "b", "c"], 6, seed=3)
    assert all(sorted(turn) == ["a", "b", "c"] for turn in order)
    assert order[1] == order[0][::-1]
    assert order[3] == order[2][::-1]
    assert order == rounds(["a", "b", "c"], 6, seed=3)
    assert len({tuple(rounds(["a", "b"], 2, seed)[0]) for seed in range(20)}) == 2


def test_a_slow_first_run_and_outliers_are_remarked() -> None:
    assert "first run" in remarks([20, 10.1, 10, 10.2, 9.9, 10])[0]
    assert "1 of 6 runs" in remarks([10, 10.1, 10, 30, 9.9, 10])[0]
    assert remarks([10, 10.1, 10, 10.2, 9.9, 10]) == []
