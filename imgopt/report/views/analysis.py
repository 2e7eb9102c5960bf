"""The page of `imgopt/analysis/1`: one image."""

from __future__ import annotations

from imgopt.report.command import command_line
from imgopt.report.common import count_text, percent_text
from imgopt.report.view import Block, Cell, Level, Map, Section, Table, Tile, View
from imgopt.report.views import sections
from imgopt.report.words import ledger_text
from imgopt.results.analysis import Analysis, Finding
from imgopt.results.path_tree import Node
from imgopt.results.size_text import size_text

ROWS = 500
_LEVELS: dict[str, Level] = {"error": "bad", "warning": "bad"}


def view(result: Analysis) -> View:
    waste = result.sizes.payload - result.sizes.live
    saving = sum(finding.bytes for finding in result.findings)
    word = count_text(len(result.findings), "finding") if result.findings else "nothing found"
    return View(
        title=result.image,
        kind="analysis",
        level="neutral" if result.findings else "good",
        word=word,
        headline=_headline(result),
        rule=(
            f"{size_text(waste)} are shipped and not visible; findings name {size_text(saving)} in"
            " all."
        ),
        tiles=_tiles(result),
        sections=_sections(result),
        raw=sections.raw_result(result),
    )


def _headline(result: Analysis) -> str:
    sizes = result.sizes
    wire = (
        f"{'about ' if sizes.wire_estimated else ''}{size_text(sizes.wire)} on the wire, "
        if sizes.wire
        else ""
    )
    return f"{wire}{size_text(sizes.live)} visible in the container"


def _tiles(result: Analysis) -> list[Tile]:
    sizes = result.sizes
    share = (sizes.payload - sizes.live) / sizes.payload if sizes.payload else 0.0
    return [
        Tile("wire" + (" (estimate)" if sizes.wire_estimated else ""), size_text(sizes.wire)),
        Tile("tar", size_text(sizes.tar)),
        Tile("payload", size_text(sizes.payload)),
        Tile("live", size_text(sizes.live)),
        Tile("shipped for nothing", percent_text(share)),
        Tile("layers", str(len(result.layers))),
        Tile("packages", f"{len(result.packages):,}"),
        Tile("platform", result.platform),
    ]


def _sections(result: Analysis) -> list[Section]:
    found = [
        *_findings(result),
        Section("layers", "Layers", [_layers(result)]),
        Section(
            "ledger",
            "Every byte in one class",
            [_ledger(result)],
            "The classes sum to the payload.",
        ),
        *_contents(result),
        *_packages(result),
        *_waste(result),
        *_junk(result),
    ]
    facts = [
        ("digest", result.digest),
        ("source", result.source),
        ("Dockerfile", result.dockerfile or ""),
    ]
    return [*found, sections.reproduce_section(command_line("analyze", result.image), facts)]


def _findings(result: Analysis) -> list[Section]:
    if not result.findings:
        return []
    rows = [
        (
            Cell(finding.level, level=_LEVELS.get(finding.level, "neutral")),
            sections.size_cell(finding.bytes),
            Cell(finding.message),
            Cell(_where(finding)),
            Cell(finding.hint + (f" ({finding.strategy})" if finding.strategy else "")),
        )
        for finding in result.findings
    ]
    headers = ("Level", "Saves", "What", "Where", "What to do")
    return [Section("findings", "Findings", [Table("Ranked by bytes", headers, rows)])]


def _where(finding: Finding) -> str:
    where = finding.where
    line = f"{where.file or 'Dockerfile'}:{where.line} " if where.line else ""
    return f"{line}{where.instruction}"


def _layers(result: Analysis) -> Table:
    rows = [
        (
            Cell(str(layer.index), layer.index),
            Cell(layer.instruction, code=True),
            Cell({True: "base", False: "own", None: ""}[layer.base]),
            sections.size_cell(layer.sizes.wire),
            sections.size_cell(layer.sizes.tar),
            sections.size_cell(layer.sizes.payload),
            sections.size_cell(layer.sizes.live),
        )
        for layer in result.layers
    ]
    total = (
        Cell("total"),
        Cell(""),
        Cell(""),
        sections.size_cell(result.sizes.wire),
        sections.size_cell(result.sizes.tar),
        sections.size_cell(result.sizes.payload),
        sections.size_cell(result.sizes.live),
    )
    return Table(
        "Layers", ("Layer", "Instruction", "Whose", "Wire", "Tar", "Payload", "Live"), rows, total
    )


def _ledger(result: Analysis) -> Table:
    rows = [
        (Cell(ledger_text(name)), sections.size_cell(size)) for name, size in result.ledger.items()
    ]
    return Table(
        "Ledger",
        ("Class", "Bytes"),
        rows,
        (Cell("total"), sections.size_cell(result.sizes.payload)),
    )


def _contents(result: Analysis) -> list[Section]:
    """Of the shortened list of the largest files; what it leaves out is one row and one tile."""
    if not result.files:
        return []
    largest = sorted(result.files, key=lambda row: (-row.bytes, row.path))[: sections.TABLE_ROWS]
    rest = result.sizes.live - sum(row.bytes for row in largest)
    nodes = [
        Node(row.path, row.bytes, row.bytes, row.files, row.files)
        for row in largest[: sections.MAP_TILES]
    ]
    tiled = result.sizes.live - sum(node.before for node in nodes)
    rows = [
        (Cell(row.path, code=True), Cell(row.package or ""), sections.size_cell(row.bytes))
        for row in largest
    ]
    if rest > 0:
        rows.append((Cell("[all others]"), Cell(""), sections.size_cell(rest)))
    if tiled > 0:
        nodes.append(Node("/", tiled, tiled, 0, 0, 1))
    total = (Cell("total"), Cell(""), sections.size_cell(result.sizes.live))
    table = Table("Largest files", ("Path", "Package", "Bytes"), rows, total, searchable=True)
    shown: list[Block] = [table, Map("The same as a map", nodes, result.image)]
    return [Section("contents", "What is inside", shown)]


def _packages(result: Analysis) -> list[Section]:
    if not result.packages:
        return []
    own = [package for package in result.packages if package.inside is None]
    ordered = sorted(own, key=lambda package: (-package.bytes, package.ecosystem, package.name))
    rows = [
        (
            Cell(package.name),
            Cell(package.version),
            Cell(package.ecosystem),
            sections.size_cell(package.bytes),
        )
        for package in ordered[:ROWS]
    ]
    left = sum(package.bytes for package in ordered[ROWS:])
    if left:
        rows.append(
            (
                Cell(f"[{len(ordered) - ROWS:,} others]"),
                Cell(""),
                Cell(""),
                sections.size_cell(left),
            )
        )
    rows.append((Cell("[of no package]"), Cell(""), Cell(""), sections.size_cell(result.unowned)))
    total = (
        Cell("total"),
        Cell(""),
        Cell(""),
        sections.size_cell(sum(p.bytes for p in own) + result.unowned),
    )
    table = Table(
        "Packages by live bytes",
        ("Package", "Version", "Kind", "Bytes"),
        rows,
        total,
        searchable=True,
    )
    return [Section("packages", "Packages", [table], "Every live byte has one owner or none.")]


def _waste(result: Analysis) -> list[Section]:
    if not result.waste:
        return []
    rows = [
        (
            Cell(waste.path, code=True),
            Cell(ledger_text(waste.kind)),
            Cell(str(waste.shipped_by), waste.shipped_by),
            Cell(str(waste.killed_by), waste.killed_by),
            sections.size_cell(waste.bytes),
        )
        for waste in result.waste[:ROWS]
    ]
    rest = result.waste_rest.bytes + sum(waste.bytes for waste in result.waste[ROWS:])
    count = result.waste_rest.count + len(result.waste[ROWS:])
    if count:
        rows.append(
            (
                Cell(f"[{count:,} others]"),
                Cell(""),
                Cell("", -1),
                Cell("", -1),
                sections.size_cell(rest),
            )
        )
    total = sum(waste.bytes for waste in result.waste) + result.waste_rest.bytes
    foot = (Cell("total"), Cell(""), Cell("", -1), Cell("", -1), sections.size_cell(total))
    headers = ("Path", "Class", "Shipped by layer", "Killed by layer", "Bytes")
    return [
        Section(
            "waste", "Shipped for nothing", [Table("Waste", headers, rows, foot, searchable=True)]
        )
    ]


def _junk(result: Analysis) -> list[Section]:
    if not result.junk:
        return []
    rows = [
        (
            Cell(junk.kind),
            Cell(f"{junk.files:,}", junk.files),
            Cell(", ".join(place.path for place in junk.places[:3])),
            sections.size_cell(junk.bytes),
        )
        for junk in result.junk
    ]
    headers = ("Kind", "Files", "Most of it in", "Bytes")
    return [
        Section("junk", "Rarely needed at run time", [Table("Live bytes by kind", headers, rows)])
    ]
