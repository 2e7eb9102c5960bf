"""The page of `imgopt/optimize/1`."""

from __future__ import annotations

from pathlib import Path

from imgopt.bench.statistics import interval
from imgopt.report.command import again
from imgopt.report.common import new_user_text, seconds_text
from imgopt.report.optimize import notes
from imgopt.report.view import Block, Cell, Dots, Fall, Section, Table, Tile, View
from imgopt.report.views import sections
from imgopt.report.views.lives import edits_section
from imgopt.report.views.run_facts import run_sections
from imgopt.report.words import (
    SIZES,
    WIRE,
    claim_text,
    gain_text,
    measure_text,
    medians,
    pushed_text,
    recommended,
    timing_text,
)
from imgopt.results.optimize import OptimizeResult, Part, Parts, Variant

PART_ROWS = 400


def view(result: OptimizeResult) -> View:
    chosen = _chosen(result)
    tiles, more = _tiles(result, chosen) if chosen else ([], [])
    return View(
        title=f"{_project(result)}: {result.dockerfile}",
        kind="optimize",
        level=sections.level_of(result.verdict),
        word=result.verdict,
        headline=_headline(result, chosen),
        rule=_rule(result, chosen),
        tiles=tiles,
        more=more,
        notes=notes(result),
        sections=[
            *sections.findings_section(result.findings),
            *_variants(result),
            *_compose(result),
            *(_details(result, chosen) if chosen else []),
            *sections.asked_section(result.asked),
            *(run_sections(result.run_facts) if result.run_facts is not None else []),
            *_ending(result),
        ],
        raw=sections.raw_result(result),
    )


def _project(result: OptimizeResult) -> str:
    return result.project or Path(result.context).name or result.context


def _chosen(result: OptimizeResult) -> Variant | None:
    """The recommended variant, else the first one that was built, else the first."""
    named = [variant for variant in result.variants if variant.name == result.recommended]
    built = [variant for variant in result.variants if variant.sizes]
    return next(iter((*named, *built, *result.variants)), None)


def _headline(result: OptimizeResult, chosen: Variant | None) -> str:
    if result.verdict == "good" or chosen is None:
        return result.message or "Nothing to gain: this file is good"
    return gain_text(result, chosen)


def _rule(result: OptimizeResult, chosen: Variant | None) -> str:
    if chosen is None or result.verdict == "good":
        return result.message if chosen else ""
    if chosen.verdict != "proven":
        return f"Variant {chosen.name} is {chosen.verdict}: {chosen.reason or result.message}"
    passed = sum(check.verdict == "passed" for check in chosen.checks)
    mounted = new_user_text(result.original.user, chosen.user)
    return (
        f"Variant {chosen.name} is proven: it was built and run beside the original, "
        f"and {passed} of {len(chosen.checks)} checks passed, none failed."
        + (f" {mounted}." if mounted else "")
    )


def _tiles(result: OptimizeResult, chosen: Variant) -> tuple[list[Tile], list[Tile]]:
    """What counts (size, builds, user), and what a reader opens."""
    original = result.original
    tiles, more = sections.size_tiles(original.sizes, chosen.sizes)
    for name, timing in sorted(chosen.timings.items(), key=lambda item: item[0] == "cold"):
        if timing.before and timing.after:
            words = timing_text(timing)
            tiles.append(
                sections.seconds_tile(measure_text(name), *medians(timing), words, timing.verdict)
            )
    if "cold" not in chosen.timings and original.build_seconds and chosen.build_seconds:
        words = claim_text("inconclusive", 1.0, 1)
        tiles.append(
            sections.seconds_tile(
                measure_text("cold"), original.build_seconds, chosen.build_seconds, words
            )
        )
    moved = pushed_text(result, chosen)
    if moved:
        before, _, after = moved.partition(" → ")
        tiles.append(Tile("pushed again after an edit", before, after))
    if original.user or chosen.user:
        tiles.append(Tile("user", original.user or "root", chosen.user or "root"))
    if original.layers is not None and chosen.layers is not None:
        more.append(sections.count_tile("layers", original.layers, chosen.layers))
    return tiles, more


def _variants(result: OptimizeResult) -> list[Section]:
    if not result.variants:
        return []
    rows = [
        (
            Cell(variant.name + (" (recommended)" if variant.name == result.recommended else "")),
            sections.verdict_cell(variant.verdict),
            sections.wire_cell(variant.sizes),
            sections.size_cell(variant.sizes.live if variant.sizes else None),
            sections.seconds_cell(variant.build_seconds),
            Cell(variant.reason),
        )
        for variant in result.variants
    ]
    sizes = result.original.sizes
    first = (
        Cell("original"),
        Cell(""),
        sections.wire_cell(sizes),
        sections.size_cell(sizes.live if sizes else None),
        sections.seconds_cell(result.original.build_seconds),
        Cell(""),
    )
    headers = ("Variant", "Verdict", "Wire", "Live", "Cold build", "Why not")
    return [Section("variants", "Variants", [Table("All variants", headers, [first, *rows])])]


def _compose(result: OptimizeResult) -> list[Section]:
    """What the project's Compose file says that does not hold for the recommended variant."""
    best = recommended(result)
    rows = [
        (Cell(note.service), Cell(note.key, code=True), Cell(note.message), Cell(note.instead))
        for note in (best.compose if best is not None else ())
    ]
    if not rows:
        return []
    headers = ("Service", "Key", "What does not hold", "Write there")
    table = Table("What the Compose file has to say otherwise", headers, rows)
    return [Section("compose", "Compose file", [table])]


def _details(result: OptimizeResult, chosen: Variant) -> list[Section]:
    names = (result.dockerfile, f"Dockerfile.{chosen.name}")
    return [
        *sections.causes_section(_causes(result, chosen)),
        *_layers(result, chosen),
        *_parts(chosen.parts),
        *sections.contents_section(chosen.contents, "original", chosen.name),
        *_builds(result, chosen),
        *_times(chosen),
        *edits_section([chosen.lives] if chosen.lives is not None else []),
        *sections.dockerfile_section(
            result.original.dockerfile, chosen.dockerfile, names, chosen.changes
        ),
        *sections.checks_section(
            chosen.checks, f"Does {chosen.name} do the same job as the original?"
        ),
    ]


def _causes(result: OptimizeResult, chosen: Variant) -> list[Block]:
    """By cause; the wire size at least by base swap and own edits, what neither explains being
    named."""
    blocks: list[Block] = [sections.fall(waterfall) for waterfall in chosen.waterfalls]
    before, after = result.original.sizes, chosen.sizes
    if blocks or before is None or after is None or before.wire is None or after.wire is None:
        return blocks
    if chosen.base_swap_bytes is None or chosen.own_edit_bytes is None:
        return []
    base, own = -chosen.base_swap_bytes, -chosen.own_edit_bytes
    rest = after.wire - before.wire - base - own
    causes = [("base image", base, chosen.base), ("our edits", own, ""), ("unexplained", rest, "")]
    shown = [cause for cause in causes if cause[1]]
    return [Fall(f"wire: {SIZES[WIRE]}", before.wire, after.wire, shown)]


def _layers(result: OptimizeResult, chosen: Variant) -> list[Section]:
    before, after = result.original.layer_figures, chosen.layer_figures
    if not before or not after:
        return []
    bars = sections.layer_bars(
        before, after, f"original (before) and {chosen.name} (after), tar bytes"
    )
    return [Section("layers", "Layers, side by side", [bars], folded=True)]


def _parts(parts: Parts) -> list[Section]:
    """Where every byte of the original went: by reason, then the paths."""
    groups = {
        "kept": parts.kept,
        "reinstalled": parts.reinstalled,
        "replaced": parts.replaced,
        "dropped": parts.dropped,
    }
    every = [(fate, part) for fate, members in groups.items() for part in members]
    if not every:
        return []
    total = sum(part.bytes for _, part in every)
    summary = [
        (
            Cell(fate),
            sections.size_cell(sum(part.bytes for part in members)),
            Cell(f"{len(members):,}", len(members)),
        )
        for fate, members in groups.items()
    ]
    blocks: list[Block] = [
        Table(
            "By fate",
            ("Fate", "Bytes", "Paths"),
            summary,
            (Cell("total"), sections.size_cell(total), Cell(f"{len(every):,}", len(every))),
        ),
        Table(
            "By path",
            ("Path", "Fate", "Bytes", "Reason"),
            _part_rows(every),
            (Cell("total"), Cell(""), sections.size_cell(total), Cell("")),
            searchable=True,
        ),
    ]
    intro = "Every path that the original adds over its base has exactly one fate, and a reason."
    return [Section("parts", "Where every byte went", blocks, intro, folded=True)]


def _part_rows(every: list[tuple[str, Part]]) -> list[tuple[Cell, ...]]:
    ordered = sorted(every, key=lambda item: (-item[1].bytes, item[1].path))
    rows: list[tuple[Cell, ...]] = [
        (Cell(part.path, code=True), Cell(fate), sections.size_cell(part.bytes), Cell(part.reason))
        for fate, part in ordered[:PART_ROWS]
    ]
    rest = ordered[PART_ROWS:]
    if rest:
        size = sum(part.bytes for _, part in rest)
        rows.append(
            (
                Cell(f"[{len(rest):,} others]"),
                Cell(""),
                sections.size_cell(size),
                Cell("smaller than all above"),
            )
        )
    return rows


def _builds(result: OptimizeResult, chosen: Variant) -> list[Section]:
    blocks: list[Block] = []
    for name, steps in (("original", result.original.steps), (chosen.name, chosen.steps)):
        rows = [
            (
                Cell(step.name, code=True),
                Cell("cached" if step.cached else "run"),
                sections.seconds_cell(step.seconds),
            )
            for step in steps
        ]
        if rows:
            total = sum(step.seconds for step in steps)
            blocks.append(
                Table(
                    f"Steps of {name}",
                    ("Step", "Cache", "Seconds"),
                    rows,
                    (Cell("total"), Cell(""), sections.seconds_cell(total)),
                )
            )
    intro = "Steps may run beside each other, so that a build can take less than their sum."
    return (
        [Section("steps", "The builds, step by step", blocks, intro, folded=True)] if blocks else []
    )


def _times(chosen: Variant) -> list[Section]:
    blocks: list[Block] = []
    for name, timing in chosen.timings.items():
        if not timing.before or not timing.after:
            continue
        rows = []
        for arm, values in (("original", timing.before), (chosen.name, timing.after)):
            bounds = interval(values)
            rows.append((arm, values, bounds.median, bounds.low, bounds.high))
        note = f"{timing_text(timing)}." + (f" p = {timing.p:.3g}." if timing.p is not None else "")
        caption = measure_text(name)
        blocks.append(
            Dots(caption[0].upper() + caption[1:], "seconds", rows, note[0].upper() + note[1:])
        )
    intro = (
        "Every run is a dot; the line is the median, the band its interval of at least 95 % (from"
        " six runs on)."
    )
    return [Section("times", "Build times", blocks, intro)] if blocks else []


def _ending(result: OptimizeResult) -> list[Section]:
    skips = [(variant.name, skip) for variant in result.variants for skip in variant.skips]
    repairs = [
        f"{variant.name}: {repair}" for variant in result.variants for repair in variant.repairs
    ]
    facts = [
        *result.environment.items(),
        *((f"base {name}", image) for name, image in sorted(result.bases.items())),
    ]
    facts.append(("builds made", str(result.builds)))
    facts.append(("cold build of the original", seconds_text(result.original.build_seconds)))
    return [
        *sections.refusals_section(skips, repairs),
        sections.reproduce_section(again(result), facts),
    ]
