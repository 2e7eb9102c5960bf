"""What may be said about noisy times: medians, intervals, an exact test, and when to say nothing.

Two arms are measured in rounds, each arm once per round, in an order that mirrors itself (see
`order`). So sample i of one arm belongs to sample i of the other, and drift of the machine falls on
both. Everything here is distribution free: the interval of a median comes from order statistics,
the test permutes the signs of ranked differences (Wilcoxon's statistic, its exact distribution also
with ties), and one slow outlier cannot make a claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, log
from statistics import median
from typing import Literal

Verdict = Literal["faster", "slower", "no change", "inconclusive"]

ALPHA = 0.05
MIN_RUNS = 6
"""With five pairs no exact two-sided test can reach 0.05, and no order statistics hold a median
with 95 %."""
MIN_EFFECT = 0.02
"""Smaller relative differences are not claimed, however sure they are."""
SAME_MARGIN = 0.05
"""A change is called none where its whole interval is within this share (or the noise floor, where
that is larger)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A median with its interval of at least 95 %; `low` and `high` are None from fewer than six
    samples."""

    median: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """ratio = before / after (10 is ten times faster), its interval, the exact p, and what follows,
    in words."""

    ratio: float
    low: float | None
    high: float | None
    p: float
    verdict: Verdict
    reason: str


def interval(samples: Sequence[float]) -> Interval:
    """The median and its narrowest symmetric order-statistic interval that covers at least 95 %."""
    ordered = sorted(samples)
    rank = _interval_rank(len(ordered))
    if rank == 0:
        return Interval(median(ordered), None, None)
    return Interval(median(ordered), ordered[rank - 1], ordered[-rank])


def _interval_rank(count: int) -> int:
    """The largest k with P(Binomial(count, 1/2) < k) <= 2.5 %: x(k)..x(count+1-k) covers; 0 where
    there is none."""
    rank, below = 0, 0
    while True:
        below += comb(count, rank)
        if below / 2**count > ALPHA / 2:
            return rank
        rank += 1


def signed_rank_p(differences: Sequence[float]) -> float:
    """Two-sided exact p of "differences are symmetric around 0": all sign flips of the ranked
    differences.

    Equal differences share the mean of their ranks; zeros keep their rank and count for neither
    side (Pratt).
    """
    scores = _signed_scores(differences)
    observed = abs(sum(scores))
    counts: Counter[int] = Counter({0: 1})
    for score in map(abs, filter(None, scores)):
        flipped: Counter[int] = Counter()
        for total, count in counts.items():
            flipped[total + score] += count
            flipped[total - score] += count
        counts = flipped
    extreme = sum(count for total, count in counts.items() if abs(total) >= observed)
    return extreme / counts.total()


def _signed_scores(differences: Sequence[float]) -> list[int]:
    """Twice the rank of each absolute difference (so that shared ranks are integers), with the
    sign; 0 for zeros."""
    sizes = sorted(abs(value) for value in differences)
    first = {size: index for index, size in reversed(list(enumerate(sizes)))}
    shared = Counter(sizes)
    doubled = {size: 2 * first[size] + shared[size] + 1 for size in shared}
    return [
        0 if value == 0 else doubled[abs(value)] * (1 if value > 0 else -1) for value in differences
    ]


def noise_floor(first: Sequence[float], second: Sequence[float]) -> float:
    """From an A/A run: the relative difference that pairs of the same thing show on this
    machine."""
    ratios = [b / a for a, b in zip(first, second, strict=True)]
    bounds = interval(ratios)
    edges = (
        (bounds.low, bounds.high)
        if bounds.low is not None and bounds.high is not None
        else (min(ratios), max(ratios))
    )
    return max(abs(edge - 1) for edge in edges)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a difference counts: p below `alpha`, and more than `min_effect` and the noise `floor`
    (shares of 1)."""

    alpha: float = ALPHA
    min_effect: float = MIN_EFFECT
    floor: float = 0.0


DEFAULT_LIMITS = Limits()


def compare(
    before: Sequence[float], after: Sequence[float], limits: Limits = DEFAULT_LIMITS
) -> Comparison:
    """What these paired samples (seconds, or any positive figure where less is better) allow to be
    said."""
    if len(before) != len(after) or not before:
        raise ValueError("compare needs as many samples of one arm as of the other")
    ratios = [a / b for a, b in zip(before, after, strict=True)]
    bounds = interval(ratios)
    p = signed_rank_p([log(ratio) for ratio in ratios])
    verdict, reason = _verdict(bounds, p, len(ratios), limits)
    return Comparison(bounds.median, bounds.low, bounds.high, p, verdict, reason)


def _verdict(bounds: Interval, p: float, count: int, limits: Limits) -> tuple[Verdict, str]:
    if bounds.low is None or bounds.high is None:  # fewer than MIN_RUNS have no interval
        return (
            "inconclusive",
            f"{count} {'run' if count == 1 else 'runs'}: no claim from fewer than {MIN_RUNS}",
        )
    floor, margin = max(limits.floor, limits.min_effect), max(limits.floor, SAME_MARGIN)
    effect = _change(bounds.median)
    if p < limits.alpha and effect > floor:
        word: Verdict = "faster" if bounds.median > 1 else "slower"
        return (
            word,
            (
                f"p = {p:.3g} < {limits.alpha}, and {_percent(effect)} is more than the threshold"
                f" of {_percent(floor)}"
            ),
        )
    if max(_change(bounds.low), _change(bounds.high)) <= margin:
        return "no change", f"the whole interval is within {_percent(margin)}"
    if p < limits.alpha:
        return (
            "inconclusive",
            f"{_percent(effect)} is not more than the threshold of {_percent(floor)}",
        )
    return (
        "inconclusive",
        (
            f"p = {p:.3g} is not below {limits.alpha}, and the interval is wider than"
            f" {_percent(margin)}"
        ),
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _change(ratio: float) -> float:
    """The share by which after differs from before."""
    return abs(1 / ratio - 1)


def remarks(samples: Sequence[float]) -> list[str]:
    """Warnings about samples in the order they were measured: a slow first run, outliers."""
    if len(samples) < 4:
        return []
    middle = median(samples)
    spread = median(abs(value - middle) for value in samples) or middle * 0.01
    far = [index for index, value in enumerate(samples) if abs(value - middle) > 14.826 * spread]
    found = []
    if samples[0] == max(samples) and samples[0] - middle > 6 * spread:
        found.append("the first run was much slower: something was cold; more warm-up would help")
    if far and far != [0]:
        found.append(
            f"{len(far)} of {len(samples)} runs are far from the others: was the machine busy?"
        )
    return found
