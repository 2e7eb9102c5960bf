"""Sections that several kinds of results share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec

from imgopt.report.common import change_text, ratio_text, seconds_text
from imgopt.report.html import leaf_name
from imgopt.report.view import (
    Bars,
    Block,
    Cell,
    Fall,
    Level,
    Map,
    Section,
    SideBySide,
    Table,
    Text,
    Tile,
)
from imgopt.report.words import SIZES, about, wire_text
from imgopt.results import Result, to_json
from imgopt.results.asked import Asked
from imgopt.results.figures import LayerFigure, PathFigure, Waterfall
from imgopt.results.optimize import Check, Sizes
from imgopt.results.path_tree import Node, as_figure, leaves, totals
from imgopt.results.rewrite import Change, Finding, Skip
from imgopt.results.size_text import delta_text, exact_size, size_text, two_sizes

RAW_LIMIT = 60_000
"""A result of more bytes than this is not put into its own page."""
TABLE_ROWS = 1000
FEW_ROWS = 12
"""A table of more rows is folded (blocks.html.j2)."""
MAP_TILES = 350
TABLE_ROOM, MAP_ROOM = 160_000, 110_000
"""Characters of HTML that the rows and the tiles may take, however long their paths are."""
VERDICT_LEVELS: dict[str, Level] = {
    "proven": "good",
    "good": "good",
    "passed": "good",
    "faster": "good",
    "less": "good",
    "lives": "good",
    "holds": "good",
    "refuted": "bad",
    "failed": "bad",
    "slower": "bad",
    "more": "bad",
    "breaks": "bad",
    "unproven": "bad",
}


def raw_result(result: Result) -> str:
    """The result as JSON, or nothing where that is too much for a page."""
    with suppress(UnicodeEncodeError):  # to_json can write those, too
        if len(msgspec.json.encode(result)) > RAW_LIMIT:
            return ""
    text = to_json(result)
    return text if len(text) <= 2 * RAW_LIMIT else ""


def level_of(verdict: str) -> Level:
    return VERDICT_LEVELS.get(verdict, "neutral")


def verdict_cell(verdict: str) -> Cell:
    return Cell(verdict, level=level_of(verdict), whole=True)


def lines_cell(text: str) -> Cell:
    """The first line, and the others in small under it."""
    first, *notes = text.splitlines() or [""]
    return Cell(first, notes=tuple(notes))


def size_cell(size: int | None) -> Cell:
    return Cell(size_text(size), size if size is not None else -1)


def wire_cell(sizes: Sizes | None) -> Cell:
    return Cell(
        wire_text(sizes), sizes.wire if sizes is not None and sizes.wire is not None else -1
    )


def seconds_cell(seconds: float | None) -> Cell:
    return Cell(seconds_text(seconds), seconds if seconds is not None else -1)


def size_tile(label: str, before: int | None, after: int | None) -> Tile:
    """A tile of two sizes; smaller is welcome."""
    texts = two_sizes(before, after)
    if before is None or after is None:
        return Tile(label, *texts)
    level: Level = "neutral" if before == after else "good" if after < before else "bad"
    return Tile(label, *texts, change=ratio_text(before, after), level=level)


def count_tile(label: str, before: int | None, after: int | None) -> Tile:
    """A tile of two counts."""
    texts = tuple("not measured" if value is None else f"{value:,}" for value in (before, after))
    change = (
        "" if before is None or after is None or before == after else change_text(before, after)
    )
    return Tile(label, texts[0], texts[1], change)


def seconds_tile(
    label: str, before: float | None, after: float | None, change: str = "", level: str = ""
) -> Tile:
    """A tile of two times; `change` is what may be said of them."""
    return Tile(label, seconds_text(before), seconds_text(after), change, level_of(level))


def size_tiles(before: Sizes | None, after: Sizes | None) -> tuple[list[Tile], list[Tile]]:
    """The size that counts (what a pull moves, else what is visible), and the three others."""
    if before is None or after is None:
        return [], []
    tiles = [
        size_tile(f"{name}: {words}", getattr(before, name), getattr(after, name))
        for name, words in SIZES.items()
    ]
    if before.wire is not None and after.wire is not None:
        tiles[0] = replace(
            tiles[0], before=about(before, tiles[0].before), after=about(after, tiles[0].after)
        )
    first = 0 if before.wire is not None and after.wire is not None else len(tiles) - 1
    return [tiles[first]], [tile for number, tile in enumerate(tiles) if number != first]


def fall(waterfall: Waterfall, arms: str = "") -> Fall:
    causes = [(cause.name, cause.bytes, cause.detail) for cause in waterfall.causes]
    caption = f"{waterfall.size}{arms}: {SIZES.get(waterfall.size, '')}"
    return Fall(caption, waterfall.start, waterfall.end, causes)


def causes_section(waterfalls: Sequence[Block]) -> list[Section]:
    if not waterfalls:
        return []
    intro = (
        "Each bar begins where the one above ends; the changes sum to the difference, to the byte."
    )
    return [Section("causes", "What changed the size", waterfalls, intro)]


def layer_bars(before: Sequence[LayerFigure], after: Sequence[LayerFigure], caption: str) -> Bars:
    """Layers of both images, aligned: the base's together, then by instruction in the order of the
    first image."""
    sizes = {False: _by_instruction(before), True: _by_instruction(after)}
    names = list(dict.fromkeys((*sizes[False], *sizes[True])))
    rows = [(name, sizes[False].get(name), sizes[True].get(name)) for name in names]
    return Bars(caption, "bytes", rows, ("total", sizes[False].total(), sizes[True].total()))


def _by_instruction(layers: Iterable[LayerFigure]) -> Counter[str]:
    result: Counter[str] = Counter()
    for layer in layers:
        result["base image" if layer.base else layer.instruction] += layer.tar
    return result


def contents_section(
    figures: Sequence[PathFigure],
    before_name: str,
    after_name: str | None,
    *,
    number: int = 0,
    of: int = 1,
) -> list[Section]:
    """The table first, then the map; both sum to the live bytes. `of` such sections share the room
    of a page."""
    if not figures:
        return []
    rows = fitting(figures, TABLE_ROWS // of, lambda node: len(node.path) + 160, TABLE_ROOM // of)
    before, after = totals(rows)
    compared = after_name is not None
    headers = ("Path", "Before", "After", "Change") if compared else ("Path", "Bytes")
    table = Table(
        "Live bytes by path",
        headers,
        [
            _path_row(leaf_name(node.path, node.rest), node.before, node.after, compared)
            for node in rows
        ],
        _path_row("total", before, after, compared),
        searchable=True,
    )
    tiles = Map("The same as a map", _tiles(rows, of), before_name, after_name)
    heading = "What is inside" + (f": {before_name} and {after_name}" if of > 1 else "")
    intro = f"{exact_size(before)} → {exact_size(after)}" if compared else exact_size(before)
    shown = f"{intro}; small entries of a folder are one row."
    return [
        Section(
            f"contents-{number}" if number else "contents",
            heading,
            (table, tiles),
            shown,
            folded=True,
        )
    ]


def fitting(
    figures: Sequence[PathFigure], limit: int, weight: Callable[[Node], int], room: int
) -> list[Node]:
    """At most about `limit` nodes, and fewer where their weights together would not fit into
    `room`."""
    nodes = leaves(figures, limit)
    while len(nodes) > 10 and sum(map(weight, nodes)) > room:
        limit = limit * 3 // 4
        nodes = leaves(map(as_figure, nodes), limit)
    return nodes


def _tiles(rows: Sequence[Node], of: int) -> list[Node]:
    return fitting(
        [*map(as_figure, rows)],
        MAP_TILES // of,
        lambda node: 2 * len(node.path) + 270,
        MAP_ROOM // of,
    )


def _path_row(name: str, before: int, after: int, compared: bool) -> tuple[Cell, ...]:
    path = Cell(name, code=name != "total")
    if not compared:
        return path, size_cell(before)
    texts = two_sizes(before, after)
    change = "same" if before == after else delta_text(before, after)
    return path, Cell(texts[0], before), Cell(texts[1], after), Cell(change, after - before)


def dockerfile_section(
    before: str,
    after: str,
    names: tuple[str, str],
    changes: Sequence[Change],
    ident: str = "dockerfile",
    title: str = "The Dockerfile, side by side",
) -> list[Section]:
    """Both files, each change's reason under its line; reasons without a line stand above."""
    if not before or not after:
        return []
    notes: dict[int, tuple[str, ...]] = {}
    for change in changes:
        if change.line is not None:
            notes[change.line] = (
                *notes.get(change.line, ()),
                f"{change.strategy}: {change.because}",
            )
    loose = [
        (Cell(change.strategy), Cell(change.because)) for change in changes if change.line is None
    ]
    blocks: list[Block] = [Table("New parts", ("Strategy", "Because"), loose)] if loose else []
    blocks.append(SideBySide(f"{names[0]} → {names[1]}", *names, before, after, notes))
    return [Section(ident, title, blocks)]


def findings_section(findings: Sequence[Finding]) -> list[Section]:
    """What the author should change himself."""
    if not findings:
        return []
    rows = [
        (
            Cell(str(one.line), one.line),
            Cell(one.file, code=True),
            Cell(one.message, level="bad"),
            Cell(one.hint),
        )
        for one in findings
    ]
    table = Table(
        "Secrets that the build brings into an image",
        ("Line", "File", "What is wrong", "What to do"),
        rows,
    )
    return [Section("findings", "What you should look at", [table])]


def checks_section(
    checks: Sequence[Check], caption: str, ident: str = "proof", title: str = "Proof"
) -> list[Section]:
    if not checks:
        return []
    ordered = sorted(
        checks, key=lambda check: ("failed", "not measured", "passed").index(check.verdict)
    )
    rows = [
        (Cell(check.name), verdict_cell(check.verdict), lines_cell(check.detail))
        for check in ordered
    ]
    passed = sum(check.verdict == "passed" for check in checks)
    missing = sum(check.verdict == "not measured" for check in checks)
    intro = (
        f"{passed} of {len(checks)} checks passed"
        + (f", {missing} could not be measured" if missing else "")
        + "."
    )
    headers = ("Check", "Verdict", "What was compared")
    open_rows = len(rows) - passed
    tables = [Table(caption, headers, rows)]
    if open_rows and len(rows) > FEW_ROWS:
        tables = [Table("Failed or not measured", headers, rows[:open_rows])]
        tables.append(Table("Passed", headers, rows[open_rows:]))
    return [Section(ident, title, tables, intro)]


def refusals_section(
    skips: Sequence[tuple[str, Skip]], repairs: Sequence[str] = ()
) -> list[Section]:
    """What was not done, and why; `skips` come with the name of their variant."""
    blocks: list[Block] = []
    if skips:
        rows = [
            (
                Cell(name),
                Cell(skip.strategy),
                Cell(str(skip.line or ""), skip.line or 0),
                Cell(skip.reason),
            )
            for name, skip in skips
        ]
        blocks.append(Table("Refused", ("Variant", "Strategy", "Line", "Reason"), rows))
    if repairs:
        blocks.append(
            Table("Repaired on the way", ("What",), [(Cell(repair),) for repair in repairs])
        )
    return [Section("refusals", "What was not done, and why", blocks)] if blocks else []


def asked_section(asked: Asked) -> list[Section]:
    if not asked.line:
        return []
    rows = [
        (Cell(one.name, code=True), Cell("" if one.status is None else str(one.status)))
        for one in asked.requests
    ]
    caption = asked.line[:1].upper() + asked.line[1:]
    headers = ("Request", "What the original answered")
    blocks: list[Block] = [Table(caption, headers, rows, searchable=len(rows) > 20)]
    if asked.unasked:
        blocks.append(Table("Not asked", ("What, and why",), [(Cell(s),) for s in asked.unasked]))
    tests = [(Cell(line),) for line in (asked.tests, asked.tests_offer) if line]
    if tests:
        blocks.append(Table("The project's own tests", ("What they said of the original",), tests))
    if asked.reached:
        unread = [(Cell(path, code=True),) for path in asked.unread]
        caption = f"{asked.reached[:1].upper()}{asked.reached[1:]}"
        blocks.append(Table(caption, ("Not read",), unread or [(Cell("none"),)]))
    return [Section("asked", "What was asked", blocks, folded=True)]


def reproduce_section(command: str, facts: Iterable[tuple[str, str]]) -> Section:
    rows = [(Cell(name), Cell(value)) for name, value in facts if value]
    blocks: list[Block] = [Text(command, fixed=True)]
    if rows:
        blocks.append(Table("Environment", ("What", "Value"), rows))
    return Section("reproduce", "How to reproduce", blocks, folded=True)
