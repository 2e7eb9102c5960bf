"""The page of `imgopt/fleet-layout/1`."""

from __future__ import annotations

from imgopt.report import fleet_layout as words
from imgopt.report.view import Bars, Block, Cell, Section, SideBySide, Table, Text, Tile, View
from imgopt.report.views import sections
from imgopt.results.fleet import FleetLayout
from imgopt.results.size_text import size_text


def view(result: FleetLayout) -> View:
    now, best = words.today(result), words.proposed(result)
    return View(
        title="How the bytes should lie in layers",
        kind="fleet-layout",
        level="neutral",
        word="replayed" if result.releases else "estimated",
        headline=words.headline(result),
        rule=words.basis(result),
        tiles=[
            Tile("per node and month", size_text(words.figure(now)), size_text(words.figure(best)))
        ],
        sections=[_ways(result), *_change(result)],
        notes=result.notes,
        raw=sections.raw_result(result),
    )


def _ways(result: FleetLayout) -> Section:
    ways = [tuple(Cell(cell) for cell in words.way_cells(result, one)) for one in result.options]
    groups = [tuple(Cell(cell) for cell in words.group_cells(one)) for one in result.groups]
    bars = [(one.what, None, words.figure(one)) for one in result.options]
    blocks: list[Block] = [
        Bars("Bytes per node and month.", "bytes", bars),
        Table("The ways to lay the groups.", words.WAYS, ways),
        Table("A package's group is decided by its name.", words.GROUPS, groups),
    ]
    return Section("ways", "Ways to lay the layers", blocks)


def _change(result: FleetLayout) -> list[Section]:
    change = result.change
    if change is None:
        return []
    blocks: list[Block] = [Text(line) for line in words.change_lines(change)]
    if change.dockerfile is not None and result.original is not None:
        sides = ("today", "proposed", result.original, change.dockerfile)
        blocks.append(SideBySide("The Dockerfile, not proven yet.", *sides))
    if result.next:
        blocks.append(Text(f"Next: {result.next}"))
    return [Section("change", "The change to the Dockerfile", blocks)]
