"""What a page of a benchmark shows of time: builds, the cache, every sample."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from imgopt.report.common import percent_text, seconds_text
from imgopt.report.view import (
    Block,
    Dots,
    Gantt,
    Matrix,
    Section,
)
from imgopt.report.words import measure_text
from imgopt.results.bench import (
    Arm,
    BenchResult,
    Measure,
    Samples,
)


def title(measure: Measure) -> str:
    """ "rebuild after an edit of the source", "start to first answer"."""
    return measure_text(measure.name, measure.kind == "build")


def cache_section(result: BenchResult) -> list[Section]:
    """Which step was run again in which scenario, per arm."""
    builds = [
        measure for measure in result.measures if measure.kind == "build" and measure.name != "cold"
    ]
    groups = []
    for arm in result.arms:
        rows = [(measure.name, _samples(measure, arm.name)) for measure in builds]
        ran = [(name, samples.steps) for name, samples in rows if samples and samples.steps]
        if not ran:
            continue
        names = [step.name for step in max((steps for _, steps in ran), key=len)]
        cells = [
            (name, _states(names, {step.name: step.cached for step in steps}))
            for name, steps in ran
        ]
        groups.append((arm.name, names, cells))
    if not groups:
        return []
    caption = (
        "Per change and step: hit (from the cache) or run (again). The steps are numbered below"
        " each table."
    )
    return [Section("cache", "What a change rebuilds", [Matrix(caption, groups)])]


def _states(names: Sequence[str], cached: dict[str, bool]) -> list[str]:
    return [
        "unknown" if name not in cached else "hit" if cached[name] else "miss" for name in names
    ]


def _samples(measure: Measure, arm: str) -> Samples | None:
    return next((samples for samples in measure.samples if samples.arm == arm), None)


def builds_section(result: BenchResult) -> list[Section]:
    shown = [arm for arm in result.arms if any(not step.cached for step in arm.steps)]
    end = max(
        (
            step.start + step.seconds
            for arm in shown
            for step in arm.steps
            if step.start is not None
        ),
        default=0.0,
    )
    blocks: list[Block] = [Gantt(f"{arm.name}{_how_cold(arm)}", arm.steps, end) for arm in shown]
    intro = "One build of each on a common scale; the base image was there before."
    return [Section("builds", "The builds in time", blocks, intro)] if blocks else []


def _how_cold(arm: Arm) -> str:
    return ", partly from the cache" if any(step.cached for step in arm.steps) else ", cold"


def times_section(result: BenchResult) -> list[Section]:
    blocks: list[Block] = []
    for measure in result.measures:
        rows = [(s.arm, s.values, s.median, s.low, s.high) for s in measure.samples if s.values]
        if rows:
            notes = [
                f"{c.after}: {c.verdict} ({c.reason})." for c in measure.comparisons
            ] + measure.remarks
            notes += [
                f"{s.arm} exits with {_codes(s.exit_codes)}."
                for s in measure.samples
                if s.exit_codes
            ]
            notes += [
                f"{s.arm}: {seconds_text(median(s.export_seconds))} of it to export the image."
                for s in measure.samples
                if s.export_seconds
            ]
            if measure.noise_floor is not None:
                notes.append(
                    "The same thing differed from itself by up to"
                    f" {percent_text(measure.noise_floor)}."
                )
            heading = f"{title(measure)}{f': {measure.edit}' if measure.edit else ''}"
            blocks.append(
                Dots(
                    heading,
                    "seconds" if measure.unit == "seconds" else "bytes",
                    rows,
                    " ".join(notes),
                )
            )
    intro = (
        "Every run is a dot; the line is the median, the band its interval of at least 95 % (from"
        " six runs on)."
    )
    return [Section("times", "Raw times", blocks, intro)] if blocks else []


def _codes(codes: Sequence[int]) -> str:
    return " or ".join(str(code) for code in sorted(set(codes)))
