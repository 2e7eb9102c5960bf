"""The page of `imgopt/deploy/1`: start, stop, memory, what was set and why, and the files."""

from __future__ import annotations

from imgopt.report.deploy import headline, next_step, ranked
from imgopt.report.view import Block, Cell, Level, Section, SideBySide, Table, Text, Tile, View
from imgopt.report.views import sections
from imgopt.results.deploy import LEVELS, DeployFiles, Figure

_TILES = {
    "memory limit": ("limits.memory", "mem_limit"),
    "memory request": ("requests.memory", "reservations.memory"),
    "start may take": ("start_period",),
    "stop may take": ("terminationGracePeriodSeconds", "stop_grace_period"),
    "drain before it": ("preStop.sleep.seconds",),
    "a gateway waits": ("timeouts.request", "timeouts.backendRequest"),
}
"""What is shown above all else, by the ends of figures' names."""
_LEVELS: dict[str, Level] = {"error": "bad", "warning": "bad", "note": "neutral"}


def view(result: DeployFiles) -> View:
    gravest = next((level for level in LEVELS for one in result.remarks if one.level == level), "")
    return View(
        title=f"{result.name}: files for {result.target}",
        kind="deploy",
        level="bad" if gravest == "error" else "good",
        word="read what is wrong first" if gravest == "error" else "written",
        headline=headline(result),
        rule="Every figure is from a run of the image, or says that it is a rule.",
        tiles=list(_tiles(result.figures)),
        sections=[_set(result), *_said(result), *_files(result)],
        notes=(next_step(result),),
        raw=sections.raw_result(result),
    )


def _tiles(figures: list[Figure]) -> list[Tile]:
    found = []
    for label, ends in _TILES.items():
        figure = next((one for one in figures if one.name.endswith(ends)), None)
        if figure is not None:
            found.append(Tile(label, figure.value, change=figure.origin))
    return found


def _set(result: DeployFiles) -> Section:
    rows = [
        (
            Cell(one.name, code=True),
            Cell(one.value, code=True),
            Cell(one.origin),
            Cell("measured" if one.measured else "rule", whole=True),
        )
        for one in ranked(result.figures)
    ]
    headers = ("What is set", "To", "From", "By")
    return Section("set", "What was set and why", [Table("All figures", headers, rows)])


def _said(result: DeployFiles) -> list[Section]:
    rows = [
        (Cell(one.level, level=_LEVELS[one.level], whole=True), Cell(one.message), Cell(one.fix))
        for level in LEVELS
        for one in result.remarks
        if one.level == level
    ]
    refused = [(Cell(one.what, code=True), Cell(one.reason)) for one in result.refused]
    blocks: list[Block] = []
    if rows:
        blocks.append(Table("What to know", ("Level", "What", "What to do"), rows))
    if refused:
        blocks.append(Table("Not written", ("What", "Why"), refused))
    return [Section("remarks", "Warnings", blocks)] if blocks else []


def _files(result: DeployFiles) -> list[Section]:
    found = []
    for number, file in enumerate(result.files):
        block: Block = Text(file.text, fixed=True)
        if file.before is not None and file.change == "changed":
            block = SideBySide(file.path, "as it was", "with the run", file.before, file.text)
        title = f"{file.path} ({file.change}): {file.does}"
        found.append(Section(f"file-{number}", title, [block], folded=True))
    return found
