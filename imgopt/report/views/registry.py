"""The page of `imgopt/registry/1`."""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.report.common import count_text, percent_text
from imgopt.report.registry import saved_text
from imgopt.report.view import Block, Cell, Level, Map, Section, Table, Text, Tile, View
from imgopt.report.views import sections
from imgopt.results.path_tree import Node
from imgopt.results.registry import CountRow, Missed, RegistryFinding, RegistryResult
from imgopt.results.size_text import size_text

_MOST_ROWS, _MOST_NAMES, _MOST_TILES = 200, 12, 120
_LEVELS: dict[str, Level] = {"error": "bad", "warn": "bad", "note": "neutral"}


def view(result: RegistryResult) -> View:
    sums = result.totals
    errors = sum(each.level == "error" for each in result.findings)
    return View(
        title=f"{', '.join(result.sources)}: a registry",
        kind="registry",
        level="bad" if errors else "neutral",
        word="scanned",
        headline=f"{count_text(sums.images, 'image')} in {size_text(sums.wire_bytes)};"
        f" {size_text(sums.shared_bytes)} of them shared,"
        f" {size_text(sum(each.saved_bytes for each in result.missed))} could be",
        rule="Read from manifests and configurations, and from each blob once.",
        tiles=_tiles(result),
        sections=_sections(result),
        notes=tuple(f"{name}: {why}" for name, why in sorted(result.not_measured.items())),
        raw=sections.raw_result(result),
    )


def _tiles(result: RegistryResult) -> list[Tile]:
    sums = result.totals
    found = [
        Tile("repositories", str(sums.repositories)),
        Tile("images", str(sums.images)),
        Tile("stored, each blob once", size_text(sums.wire_bytes)),
        Tile("pulled, each image by itself", size_text(sums.pulled_bytes)),
    ]
    if sums.payload_bytes and sums.unique_bytes is not None:
        found.append(
            Tile(
                "files, unpacked",
                size_text(sums.payload_bytes),
                size_text(sums.unique_bytes),
                f"{percent_text(sums.unique_bytes / sums.payload_bytes)} of it is unique",
            )
        )
    return found


def _sections(result: RegistryResult) -> list[Section]:
    named: list[tuple[str, str, Sequence[Block]]] = [
        ("findings", "What to do first", [_findings(result)]),
        ("map", "Whose bytes", _map(result)),
        ("missed", "The same files under other digests", _missed(result)),
        ("trees", "The same trees in several layers", _trees(result)),
        ("bases", "Bases", _bases(result)),
        ("cost", "Cost per month", _cost(result)),
        ("teams", "Teams", _teams(result)),
        ("waste", "Waste by class", _waste(result)),
        ("census", "Platforms, ages, codecs, instructions", _census(result)),
        ("problems", "What could not be read", _problems(result)),
    ]
    return [Section(name, title, blocks) for name, title, blocks in named if blocks]


def _findings(result: RegistryResult) -> Block:
    if not result.findings:
        return Text("Nothing was found.")
    return Table(
        "By bytes, images and pulls",
        ("", "Finding", "Would save", "Images", "Where", "What mends it"),
        [_finding(each) for each in result.findings[:_MOST_ROWS]],
        searchable=True,
    )


def _finding(each: RegistryFinding) -> tuple[Cell, ...]:
    return (
        Cell(each.level, level=_LEVELS[each.level], whole=True),
        Cell(each.message),
        Cell(saved_text(each), each.bytes or 0),
        Cell(str(each.images), each.images),
        _names(each.where),
        Cell(each.command, code=True),
    )


def _names(names: Sequence[str]) -> Cell:
    more = len(names) - _MOST_NAMES
    shown = [*names[:_MOST_NAMES], *([f"and {more} more"] if more > 0 else [])]
    return Cell(shown[0] if shown else "", notes=tuple(shown[1:]))


def _map(result: RegistryResult) -> list[Block]:
    rows = [each for each in result.repositories if each.own_bytes]
    leaves = [
        Node(f"/{each.name}", each.own_bytes, each.own_bytes, each.images, each.images)
        for each in rows[:_MOST_TILES]
    ]
    rest = sum(each.own_bytes for each in rows[_MOST_TILES:])
    if rest:
        leaves.append(Node("/others", rest, rest, 0, 0, len(rows) - _MOST_TILES))
    table = Table(
        "Repositories",
        ("Repository", "Team", "Tags", "Images", "All bytes", "Its own", "Pulls", "Newest"),
        [
            (
                Cell(each.name),
                Cell(each.team),
                Cell(str(each.tags), each.tags),
                Cell(str(each.images), each.images),
                sections.size_cell(each.wire_bytes),
                sections.size_cell(each.own_bytes),
                Cell("" if each.pulls is None else str(each.pulls), each.pulls or 0),
                Cell(each.newest or ""),
            )
            for each in result.repositories[:_MOST_ROWS]
        ],
        searchable=True,
    )
    caption = "Bytes that no other repository has, on the wire"
    return [Map(caption, leaves, "own bytes"), table] if leaves else [table]


def _missed(result: RegistryResult) -> list[Block]:
    if not result.missed:
        return []
    groups = Table(
        "Layers with the same files",
        (
            "#",
            "Instruction",
            "Layers",
            "Would save",
            "Images",
            "They differ in",
            "Because",
            "Where",
        ),
        [_group(each) for each in result.missed[:_MOST_ROWS]],
        searchable=True,
    )
    cells = Table(
        "Between two repositories",
        ("Repository", "Repository", "Both have"),
        [
            (Cell(each.first), Cell(each.second), sections.size_cell(each.bytes))
            for each in result.matrix[:_MOST_ROWS]
        ],
        searchable=True,
    )
    return [groups, cells] if result.matrix else [groups]


def _group(each: Missed) -> tuple[Cell, ...]:
    return (
        Cell(str(each.number), each.number),
        Cell(each.instructions[0] if each.instructions else "", code=True),
        Cell(str(len(each.blobs)), len(each.blobs)),
        sections.size_cell(each.saved_bytes),
        Cell(str(each.images), each.images),
        Cell(", ".join(each.causes)),
        Cell(", ".join(each.reasons)),
        _names([*each.repositories, *each.sources]),
    )


def _trees(result: RegistryResult) -> list[Block]:
    rows = [
        (
            Cell(each.name),
            Cell(each.path, code=True),
            Cell(str(each.files), each.files),
            sections.size_cell(each.bytes),
            Cell(str(each.copies), each.copies),
            sections.size_cell(each.saved_bytes),
            _names(each.repositories),
        )
        for each in result.trees[:_MOST_ROWS]
    ]
    headers = ("What", "Path", "Files", "One copy", "Copies", "Would save, unpacked", "Where")
    return [Table("Trees", headers, rows, searchable=True)] if rows else []


def _bases(result: RegistryResult) -> list[Block]:
    rows = [
        (
            Cell(each.name, notes=(each.platform, each.system)),
            Cell(str(each.images), each.images),
            Cell(str(each.repositories), each.repositories),
            sections.size_cell(each.wire_bytes),
            Cell(each.created or ""),
            Cell(f"serves {each.serves}" if each.chosen else "", each.serves),
        )
        for each in result.bases[:_MOST_ROWS]
    ]
    headers = ("Base", "Images", "Repositories", "Bytes", "Made", "One of the fewest")
    return [Table("Bases, known by their layers", headers, rows, searchable=True)] if rows else []


def _cost(result: RegistryResult) -> list[Block]:
    rows = [
        (
            Cell(each.repository),
            Cell(f"{each.releases_per_month:g}", each.releases_per_month),
            sections.size_cell(each.bytes_per_month),
            Cell(f"{each.dollars_per_month:,.2f}", each.dollars_per_month),
        )
        for each in result.costs[:_MOST_ROWS]
    ]
    headers = ("Repository", "Releases a month", "Bytes a month", "Dollars a month")
    caption = "On 100 nodes, with the other defaults of `imgopt fleet cost`"
    return [Table(caption, headers, rows, searchable=True)] if rows else []


def _teams(result: RegistryResult) -> list[Block]:
    rows = [
        (
            Cell(each.team),
            Cell(str(each.repositories), each.repositories),
            Cell(str(each.images), each.images),
            sections.size_cell(each.wire_bytes),
            sections.size_cell(each.own_bytes),
            Cell(str(each.findings), each.findings),
        )
        for each in result.teams[:_MOST_ROWS]
    ]
    headers = ("Team", "Repositories", "Images", "All bytes", "Its own", "Findings")
    return (
        [Table("Teams, by label or by the first part of the name", headers, rows)] if rows else []
    )


def _waste(result: RegistryResult) -> list[Block]:
    rows = [
        (
            Cell(each.kind),
            Cell(str(each.files), each.files),
            sections.size_cell(each.bytes),
            sections.size_cell(each.shipped_bytes),
        )
        for each in result.waste
    ]
    headers = ("Class", "Files", "Each blob once", "Over all images")
    return [Table("Uncompressed bytes", headers, rows)] if rows else []


def _census(result: RegistryResult) -> list[Block]:
    codecs = [
        CountRow(name=each.codec, count=each.blobs, wire_bytes=each.wire_bytes)
        for each in result.codecs
    ]
    tables = (
        ("Images by platform", "Platform", result.platforms),
        ("Images by age", "Age", result.ages),
        ("Layers by codec", "Codec", codecs),
        ("Layers by instruction", "Instruction", result.instructions[:_MOST_ROWS]),
    )
    return [
        Table(
            caption,
            (name, "Count", "Bytes, each blob once"),
            [
                (
                    Cell(row.name),
                    Cell(str(row.count), row.count),
                    sections.size_cell(row.wire_bytes),
                )
                for row in rows
            ],
        )
        for caption, name, rows in tables
        if rows
    ]


def _problems(result: RegistryResult) -> list[Block]:
    rows = [(Cell(one.where), Cell(one.kind), Cell(one.what)) for one in result.problems]
    return [Table("Problems", ("Where", "Kind", "What"), rows[:_MOST_ROWS])] if rows else []
