"""The page of `imgopt/fleet-cost/1`."""

from __future__ import annotations

from imgopt.report import fleet_cost as words
from imgopt.report.common import count_text, seconds_text
from imgopt.report.view import Block, Cell, Section, Table, Text, Tile, View
from imgopt.report.views import sections
from imgopt.results.fleet import CostSubject, FleetCost
from imgopt.results.size_text import size_text

LAYER_HEAD = ("layer", "per node and month", "changes/month", "wire")
LEVER_HEAD = ("with", "per node and month", "ready", "rollout")


def view(result: FleetCost) -> View:
    total = sum(one.bytes_per_month for one in result.subjects)
    dollars = sum(one.dollars_per_month for one in result.subjects)
    return View(
        title="What images cost on nodes",
        kind="fleet-cost",
        level="neutral",
        word="estimated",
        headline=(
            f"{count_text(len(result.subjects), 'image')}: {size_text(total)} and"
            f" ${dollars:,.2f} a month"
        ),
        rule="A model: bytes by release history, seconds by the figures below.",
        tiles=_tiles(result),
        sections=[
            _ranked(result),
            *(_subject(number, one) for number, one in enumerate(result.subjects)),
            _figures(result),
        ],
        raw=sections.raw_result(result),
    )


def _tiles(result: FleetCost) -> list[Tile]:
    return [
        Tile(one.name, size_text(one.bytes_per_node_month), "per node and month")
        for one in result.subjects[:6]
    ]


def _ranked(result: FleetCost) -> Section:
    rows = [tuple(Cell(text) for text in words.cells(one)) for one in result.subjects]
    blocks: list[Block] = [Table("By bytes that a node fetches in a month.", words.HEAD, rows)]
    blocks += [Text(f"left out: {one}") for one in result.skipped]
    return Section("ranked", "What moves most", blocks)


def _subject(number: int, subject: CostSubject) -> Section:
    pulls = [
        tuple(Cell(text) for text in words.pull_cells(name, one))
        for name, one in words.pulls(subject)
    ]
    layers = [
        (
            Cell(one.label),
            sections.size_cell(one.bytes_per_node_month),
            Cell(f"{one.changes_per_month:.1f}", one.changes_per_month),
            sections.size_cell(one.wire),
        )
        for one in subject.layers
    ]
    levers = [
        (
            Cell(one.what),
            sections.size_cell(one.bytes_per_node_month),
            Cell(seconds_text(one.ready_seconds), one.ready_seconds),
            Cell(seconds_text(one.rollout_seconds), one.rollout_seconds),
        )
        for one in subject.levers
    ]
    said = [words.basis(subject), words.rollout_text(subject), words.bound_text(subject)]
    said += subject.notes
    blocks: list[Block] = [Text(line) for line in said if line]
    blocks += [
        Table("One pull on one node.", ("moved", *words.PULL_HEAD), pulls),
        Table("What moves, by the instruction that made it.", LAYER_HEAD, layers),
        Table("The same with one thing changed.", LEVER_HEAD, levers),
    ]
    if subject.next:
        blocks.append(Text(f"Next: {subject.next}"))
    return Section(f"image-{number}", subject.name, blocks)


def _figures(result: FleetCost) -> Section:
    rows = [
        (Cell(one.name), Cell(f"{one.value:g}"), Cell(one.unit), Cell(one.what), Cell(one.source))
        for one in result.parameters
    ]
    head = ("figure", "value", "unit", "what", "from")
    table = Table("Given ones first; --set NAME=VALUE changes each.", head, rows)
    return Section("figures", "Figures of the model", [table])
