"""The page of `imgopt/stack/1`: a summary; the page of each build follows it."""

from __future__ import annotations

from imgopt.report.stack import counted, is_good, said
from imgopt.report.view import Cell, Section, Table, Tile, View
from imgopt.report.views import optimize, sections
from imgopt.results.stack import StackResult


def view(result: StackResult) -> View:
    good = all(map(is_good, result.parts))
    return View(
        title=f"{result.project}: every build of {result.file}",
        kind="stack",
        level="good" if good else "neutral",
        word="proven" if good else "partly",
        headline=counted(result),
        rule="Each build was optimized by itself, with its companions beside it.",
        tiles=[Tile(part.name, said(part)) for part in result.parts],
        sections=[
            Section(
                "builds",
                "Builds",
                [Table("All builds", ("Build", "Verdict", "Result"), _rows(result))],
            )
        ],
        raw=sections.raw_result(result),
    )


def parts(result: StackResult) -> list[View]:
    """The pages of what was built, in the file's order."""
    return [optimize.view(part.result) for part in result.parts if part.result is not None]


def _rows(result: StackResult) -> list[tuple[Cell, ...]]:
    return [
        (
            Cell(part.name),
            sections.verdict_cell(part.result.verdict if part.result is not None else "no result"),
            Cell(said(part)),
        )
        for part in result.parts
    ]
