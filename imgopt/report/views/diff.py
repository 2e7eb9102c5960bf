"""The page of `imgopt/diff/1`: what grew from one image to another."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from imgopt.report.common import ratio_text
from imgopt.report.view import Block, Cell, Level, Section, Table, Tile, View
from imgopt.report.views import sections
from imgopt.report.words import ledger_text
from imgopt.results.diff import Change, Diff
from imgopt.results.figures import Cause, Waterfall
from imgopt.results.size_text import delta_text, two_sizes

ROWS = 500


def view(result: Diff) -> View:
    before, after = result.before.sizes, result.after.sizes
    change = after.payload - before.payload
    texts = two_sizes(before.payload, after.payload)
    level: Level = "neutral" if change == 0 else "good" if change < 0 else "bad"
    return View(
        title=f"{result.before.image} and {result.after.image}",
        kind="diff",
        level=level,
        word="the same size" if change == 0 else "smaller" if change < 0 else "larger",
        headline=f"{texts[0]} → {texts[1]} shipped, {ratio_text(before.payload, after.payload)}",
        rule=(
            f"Base image {delta_text(0, result.base.delta)}, own layers"
            f" {delta_text(0, result.own.delta)}."
        ),
        notes=list(result.notes),
        tiles=_tiles(result),
        sections=[
            *_causes(result),
            Section("instructions", "By instruction", [_instructions(result)]),
            *_packages(result),
            *sections.contents_section(result.paths, "before", "after"),
            sections.reproduce_section(
                f"imgopt diff {shlex.quote(result.before.image)} {shlex.quote(result.after.image)}",
                [("before", result.before.digest), ("after", result.after.digest)],
            ),
        ],
        raw=sections.raw_result(result),
    )


def _tiles(result: Diff) -> list[Tile]:
    before, after = result.before.sizes, result.after.sizes
    return [
        *(
            sections.size_tile(name, getattr(before, name), getattr(after, name))
            for name in ("wire", "tar", "payload", "live")
        ),
        sections.count_tile("layers", result.before.layers, result.after.layers),
    ]


def _causes(result: Diff) -> list[Section]:
    """The change in payload, by base and the classes of the ledger."""
    start, end = result.before.sizes.payload, result.after.sizes.payload
    halves = [
        Cause(name=half.name, bytes=half.delta, detail=half.detail)
        for half in (result.base, result.own)
    ]
    blocks: list[Block] = []
    if start + sum(cause.bytes for cause in halves) == end:
        blocks.append(sections.fall(Waterfall(size="payload", start=start, end=end, causes=halves)))
    blocks.append(
        Table(
            "By class",
            ("Class", "Before", "After", "Change"),
            _rows(result.classes),
            _total(result.classes),
        )
    )
    return [Section("causes", "What changed the size", blocks)]


def _rows(changes: Sequence[Change]) -> list[tuple[Cell, ...]]:
    return [
        (Cell(ledger_text(change.name)), *_sizes(change.before, change.after)) for change in changes
    ]


def _total(changes: Sequence[Change]) -> tuple[Cell, ...]:
    both = sum(change.before for change in changes), sum(change.after for change in changes)
    return Cell("total"), *_sizes(*both)


def _sizes(before: int, after: int) -> tuple[Cell, Cell, Cell]:
    texts = two_sizes(before, after)
    return (
        Cell(texts[0], before),
        Cell(texts[1], after),
        Cell(delta_text(before, after), after - before),
    )


def _instructions(result: Diff) -> Table:
    rows = [
        (Cell(row.instruction, code=True), Cell(row.kind), *_sizes(row.before, row.after))
        for row in result.instructions
    ]
    total = (
        Cell("total"),
        Cell(""),
        *_sizes(
            sum(row.before for row in result.instructions),
            sum(row.after for row in result.instructions),
        ),
    )
    return Table(
        "Payload by instruction", ("Instruction", "Change", "Before", "After", "Bytes"), rows, total
    )


def _packages(result: Diff) -> list[Section]:
    if not result.packages:
        return []
    ordered = sorted(result.packages, key=lambda row: -abs(row.after - row.before))
    rows = [
        (
            Cell(row.name),
            Cell(row.ecosystem),
            Cell(
                " → ".join(
                    dict.fromkeys(
                        (row.version_before or "not there", row.version_after or "not there")
                    )
                )
            ),
            *_sizes(row.before, row.after),
        )
        for row in ordered[:ROWS]
    ]
    rest = ordered[ROWS:]
    if rest:
        both = sum(row.before for row in rest), sum(row.after for row in rest)
        rows.append((Cell(f"[{len(rest):,} others]"), Cell(""), Cell(""), *_sizes(*both)))
    total = sum(row.before for row in ordered), sum(row.after for row in ordered)
    foot = (Cell("total"), Cell(""), Cell(""), *_sizes(*total))
    headers = ("Package", "Kind", "Version", "Before", "After", "Bytes")
    return [
        Section(
            "packages",
            "By package",
            [Table("Live bytes by package", headers, rows, foot, searchable=True)],
        )
    ]
