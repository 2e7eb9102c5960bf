"""The page of `imgopt/bench/1`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imgopt.report.common import percent_text, seconds_text
from imgopt.report.view import (
    Block,
    Cell,
    Level,
    Section,
    Table,
    Text,
    Tile,
    View,
)
from imgopt.report.views import sections
from imgopt.report.views.bench_times import builds_section, cache_section, times_section, title
from imgopt.report.words import compared_text, sizes_text
from imgopt.results.bench import (
    Arm,
    BenchResult,
    Compared,
    Comparison,
    Environment,
    Measure,
)
from imgopt.results.size_text import size_text


def view(result: BenchResult) -> View:
    first, best = result.arms[0], _best(result)
    word, level = _verdict(result, best)
    tiles, more = _tiles(result, best) if best else ([], [])
    return View(
        title=f"{_project(result)}: {' and '.join(arm.name for arm in result.arms)}, measured",
        kind="bench",
        level=level,
        word=word,
        headline=_headline(first, best),
        rule=_rule(result, best),
        tiles=tiles,
        more=more,
        sections=[
            *_arms(result),
            *_figures(result),
            *_causes(result),
            *_layers(result),
            *_contents(result),
            *cache_section(result),
            *builds_section(result),
            *times_section(result),
            *_files(result),
            *_proofs(result),
            *sections.refusals_section(
                [(arm.name, skip) for arm in result.arms for skip in arm.skips]
            ),
            sections.reproduce_section(shlex.join(result.command), _facts(result)),
        ],
        raw=sections.raw_result(result),
    )


def _project(result: BenchResult) -> str:
    return result.project or Path(result.context).name or result.context


def _best(result: BenchResult) -> Arm | None:
    """Of the other arms the smallest that was built."""
    built = [arm for arm in result.arms[1:] if arm.exact]
    return min(built, key=lambda arm: arm.exact.sizes.live if arm.exact else 0, default=None)


def _others(result: BenchResult) -> list[Arm]:
    """Every arm but the first; the best before the others, as it is the one that the headline is
    about."""
    best = _best(result)
    return sorted(result.arms[1:], key=lambda arm: arm is not best)


def _verdict(result: BenchResult, best: Arm | None) -> tuple[str, Level]:
    if any(arm.failure for arm in result.arms):
        return "a build failed", "bad"
    partly = ", partly measured" if result.partial else ""
    if best and best.proof:
        return best.proof + partly, sections.level_of(best.proof)
    return ("partly measured" if partly else "measured"), "neutral"


def _headline(first: Arm, best: Arm | None) -> str:
    sizes = [arm.exact.sizes if arm and arm.exact else None for arm in (first, best)]
    return sizes_text(sizes[0], sizes[1])


def _rule(result: BenchResult, best: Arm | None) -> str:
    parts = [f"Partial: {result.reason}."] if result.partial else []
    if best:
        runs = f"up to {result.runs}" if result.partial else result.runs
        parts.append(
            f"{best.name} beside {result.arms[0].name}, {runs} runs each, in mirrored order."
        )
    parts.append(
        f"A time is claimed only with p < {result.alpha}, at least six runs, "
        f"and more than {percent_text(result.min_effect)} and the noise of the machine."
    )
    return " ".join(parts)


def _tiles(result: BenchResult, best: Arm) -> tuple[list[Tile], list[Tile]]:
    """What counts (size and times), and what a reader opens."""
    first = result.arms[0].exact
    second = best.exact
    if first is None or second is None:
        return [], []
    tiles, more = sections.size_tiles(first.sizes, second.sizes)
    for label in ("layers", "files", "packages"):
        before, after = getattr(first, label), getattr(second, label)
        if before is not None and after is not None:
            more.append(sections.count_tile(label, before, after))
    if first.context_bytes is not None and second.context_bytes is not None:
        more.append(sections.size_tile("context sent", first.context_bytes, second.context_bytes))
    for measure in result.measures:
        tiles += _measure_tile(measure, result.arms[0].name, best.name)
    return tiles, more


def _measure_tile(measure: Measure, before: str, after: str) -> list[Tile]:
    medians = {samples.arm: samples.median for samples in measure.samples}
    compared = next(
        (c for c in measure.comparisons if (c.before, c.after) == (before, after)), None
    )
    values = medians.get(before), medians.get(after)
    if None in values or compared is None:
        return []
    if measure.unit == "seconds":
        tile = sections.seconds_tile(title(measure), *values)
    else:
        tile = sections.size_tile(title(measure), *(round(value or 0) for value in values))
    return [
        replace(tile, change=compared_text(compared), level=sections.level_of(compared.verdict))
    ]


def _arms(result: BenchResult) -> list[Section]:
    rows = []
    for arm in result.arms:
        sizes = arm.exact.sizes if arm.exact else None
        word = "failed" if arm.failure else arm.proof or "built"
        rows.append(
            (
                Cell(arm.name),
                Cell(
                    arm.dockerfile
                    + (f" ({arm.target})" if arm.target else "")
                    + (f" @ {arm.revision}" if arm.revision else "")
                ),
                sections.verdict_cell(word),
                sections.wire_cell(sizes),
                sections.size_cell(sizes.live if sizes else None),
            )
        )
    blocks: list[Block] = [Table("Arms", ("Name", "Dockerfile", "State", "Wire", "Live"), rows)]
    for arm in result.arms:
        if arm.failure:
            where = f" at line {arm.failure.line}" if arm.failure.line else ""
            blocks.append(Text(f"{arm.name}: {arm.failure.message}{where} {arm.failure.step}"))
            blocks.append(Text("\n".join(arm.failure.output), fixed=True))
    return [Section("arms", "What was compared", blocks)]


def _figures(result: BenchResult) -> list[Section]:
    """Every measure of every arm against the first, in one table."""
    rows = []
    for measure in result.measures:
        bytes_moved = {samples.arm: samples.wire_bytes for samples in measure.samples}
        for samples in measure.samples:
            compared = _against_first(measure, samples.arm)
            rows.append(
                (
                    Cell(title(measure)),
                    Cell(samples.arm),
                    _value_cell(measure, samples.median),
                    (
                        _claim_cell(compared)
                        if compared
                        else Cell("failed" if samples.failure else "")
                    ),
                    (
                        sections.size_cell(bytes_moved[samples.arm])
                        if measure.kind == "build"
                        else Cell("", -1)
                    ),
                )
            )
    if not rows:
        return []
    headers = ("Measure", "Arm", "Median", "Change", "Wire bytes moved again")
    return [
        Section(
            "figures",
            "All measures",
            [Table("Medians, and what may be said of them", headers, rows)],
        )
    ]


def _against_first(measure: Measure, arm: str) -> Compared | None:
    return next((compared for compared in measure.comparisons if compared.after == arm), None)


def _claim_cell(compared: Compared) -> Cell:
    return Cell(compared_text(compared), level=sections.level_of(compared.verdict), whole=True)


def _value_cell(measure: Measure, value: float | None) -> Cell:
    if measure.unit == "seconds" or value is None:
        return sections.seconds_cell(value)
    return sections.size_cell(round(value))


def _causes(result: BenchResult) -> list[Section]:
    blocks: list[Block] = [
        sections.fall(waterfall, f", {comparison.before} → {comparison.after}")
        for comparison in _compared(result)
        for waterfall in comparison.waterfalls
    ]
    return sections.causes_section(blocks)


def _compared(result: BenchResult) -> list[Comparison]:
    order = [arm.name for arm in _others(result)]
    return sorted(result.comparisons, key=lambda comparison: order.index(comparison.after))


def _layers(result: BenchResult) -> list[Section]:
    first = result.arms[0]
    blocks: list[Block] = [
        sections.layer_bars(
            first.layers, arm.layers, f"{first.name} (before) and {arm.name} (after), tar bytes"
        )
        for arm in _others(result)
        if first.layers and arm.layers
    ]
    return [Section("layers", "Layers, side by side", blocks)] if blocks else []


def _contents(result: BenchResult) -> list[Section]:
    """One section per compared arm; they share the room that a page has."""
    shown = [comparison for comparison in _compared(result) if comparison.contents]
    return [
        section
        for number, comparison in enumerate(shown)
        for section in sections.contents_section(
            comparison.contents, comparison.before, comparison.after, number=number, of=len(shown)
        )
    ]


def _files(result: BenchResult) -> list[Section]:
    first = result.arms[0]
    found: list[Section] = []
    changed = [arm for arm in _others(result) if arm.text != first.text]
    for number, arm in enumerate(changed):
        names = (f"{first.name}: {first.dockerfile}", f"{arm.name}: {arm.dockerfile}")
        title = _titled("The Dockerfile, side by side", arm, changed)
        found += sections.dockerfile_section(
            first.text, arm.text, names, arm.changes, f"dockerfile-{number}", title
        )
    return found


def _titled(title: str, arm: Arm, shown: Sequence[Arm]) -> str:
    """With the arm's name where there are several such sections."""
    return f"{title}: {arm.name}" if len(shown) > 1 else title


def _proofs(result: BenchResult) -> list[Section]:
    found: list[Section] = []
    proven = [arm for arm in _others(result) if arm.checks]
    for number, arm in enumerate(proven):
        caption = f"Does {arm.name} do the same job as {result.arms[0].name}?"
        found += sections.checks_section(
            arm.checks, caption, f"proof-{number}", _titled("Proof", arm, proven)
        )
    return found


def _facts(result: BenchResult) -> list[tuple[str, str]]:
    return [
        *environment_facts(result.environment),
        ("seed", str(result.seed)),
        ("runs", f"{result.runs}, after {result.warm_up} to warm up"),
        ("measured in", seconds_text(result.seconds)),
    ]


def environment_facts(environment: Environment) -> list[tuple[str, str]]:
    """Name and value of all that is known, in a fixed order."""
    memory = size_text(environment.memory_bytes) if environment.memory_bytes else ""
    git = environment.git_revision + (" with uncommitted changes" if environment.git_dirty else "")
    return [
        ("imgopt", environment.imgopt),
        ("engine", environment.engine),
        ("BuildKit", environment.buildkit),
        ("buildx", environment.buildx),
        ("storage", environment.storage),
        ("platform", environment.platform),
        ("CPU", f"{environment.cpus or '?'} x {environment.cpu}" if environment.cpu else ""),
        ("memory", memory),
        ("load at the start", ", ".join(f"{load:.2f}" for load in environment.load)),
        ("git", git if environment.git_revision else ""),
        *((f"base {name}", image) for name, image in sorted(environment.bases.items())),
    ]
