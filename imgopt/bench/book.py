"""The growing record of a benchmark: every value in the order measured, from which the result is
made at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imgopt.bench.statistics import Limits, compare, interval, noise_floor, remarks
from imgopt.results.bench import Compared, Failure, Measure, Samples
from imgopt.results.figures import StepFigure

AGAIN = " (again)"
"""Ends the name of the first arm's second self in an A/A run."""


@dataclass(slots=True)
class Series:
    """One arm in one measure."""

    warm_up: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    export_seconds: list[float] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)
    wire_bytes: int | None = None
    wire_is_estimate: bool = False
    steps: list[StepFigure] = field(default_factory=list)
    failure: Failure | None = None


@dataclass(slots=True)
class Page:
    """One measure."""

    name: str
    kind: str
    unit: str
    edit: str = ""
    series: dict[str, Series] = field(default_factory=dict)

    def of(self, arm: str) -> Series:
        return self.series.setdefault(arm, Series())


class Book:
    """All measures, in the order in which they were begun."""

    def __init__(self, arms: Sequence[str], limits: Limits) -> None:
        self._arms, self._limits = tuple(arms), limits
        self.pages: dict[str, Page] = {}

    def page(self, name: str, kind: str, unit: str, edit: str = "") -> Page:
        return self.pages.setdefault(name, Page(name, kind, unit, edit))

    def load(self, measures: Sequence[Measure]) -> None:
        """Takes over what an earlier, interrupted run measured."""
        for measure in measures:
            page = self.page(measure.name, measure.kind, measure.unit, measure.edit)
            for samples in measure.samples:
                page.series[samples.arm] = Series(
                    warm_up=list(samples.warm_up),
                    values=list(samples.values),
                    export_seconds=list(samples.export_seconds),
                    exit_codes=list(samples.exit_codes),
                    wire_bytes=samples.wire_bytes,
                    wire_is_estimate=samples.wire_is_estimate,
                    steps=list(samples.steps),
                    failure=samples.failure,
                )

    def measures(self) -> list[Measure]:
        """What may be said so far."""
        return [self._measure(page) for page in self.pages.values() if page.series]

    def _measure(self, page: Page) -> Measure:
        first = self._arms[0]
        floor = _floor(page.series, first)
        known = {arm: remarks(series.values) for arm, series in page.series.items()}
        return Measure(
            name=page.name,
            kind=page.kind,
            unit=page.unit,
            edit=page.edit,
            samples=[_samples(arm, page.series[arm]) for arm in self._arms if arm in page.series],
            comparisons=[
                compared
                for arm in self._arms[1:]
                if not arm.endswith(AGAIN)
                and (compared := self._compared(page, first, arm, floor)) is not None
            ],
            noise_floor=floor,
            remarks=[f"{arm}: {said}" for arm, remarked in known.items() for said in remarked],
        )

    def _compared(self, page: Page, first: str, arm: str, floor: float | None) -> Compared | None:
        before, after = page.series.get(first), page.series.get(arm)
        count = min(len(before.values), len(after.values)) if before and after else 0
        if before is None or after is None or not count:
            return None
        limits = Limits(self._limits.alpha, self._limits.min_effect, floor or 0.0)
        said = compare(before.values[:count], after.values[:count], limits)
        return Compared(
            before=first,
            after=arm,
            ratio=said.ratio,
            low=said.low,
            high=said.high,
            p=said.p,
            verdict=_word(said.verdict, page.unit),
            reason=said.reason,
        )


def _word(verdict: str, unit: str) -> str:
    """Bytes are not faster: the same claims, said of memory."""
    return (
        {"faster": "less", "slower": "more"}.get(verdict, verdict) if unit == "bytes" else verdict
    )


def _floor(series: Mapping[str, Series], first: str) -> float | None:
    """From an A/A run: how much the first arm differed from itself."""
    one, other = series.get(first), series.get(f"{first}{AGAIN}")
    count = min(len(one.values), len(other.values)) if one and other else 0
    return (
        noise_floor(one.values[:count], other.values[:count]) if one and other and count else None
    )


def _samples(arm: str, series: Series) -> Samples:
    bounds = interval(series.values) if series.values else None
    return Samples(
        arm=arm,
        values=list(series.values),
        warm_up=list(series.warm_up),
        median=bounds.median if bounds else None,
        low=bounds.low if bounds else None,
        high=bounds.high if bounds else None,
        export_seconds=list(series.export_seconds),
        exit_codes=list(series.exit_codes),
        wire_bytes=series.wire_bytes,
        wire_is_estimate=series.wire_is_estimate,
        steps=list(series.steps),
        failure=series.failure,
    )
