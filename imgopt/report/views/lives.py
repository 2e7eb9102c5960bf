"""The page of `imgopt/lives/1`."""

from __future__ import annotations

from imgopt.report.lives import line, past_line, ranked, why
from imgopt.report.view import Cell, Section, Table, Tile, View
from imgopt.report.views import sections
from imgopt.results.lives import History, LaterEdit, Lives, LivesResult, Past


def view(result: LivesResult) -> View:
    return View(
        title=f"{result.project or 'Dockerfile'}: does it live on?",
        kind="lives",
        level=sections.level_of(result.verdict),
        word=result.verdict,
        headline=result.message,
        rule="Each later edit was made on a copy of the project, built and run both ways; what the"
        " original does not survive does not count.",
        tiles=[Tile(lives.name, line(lives)) for lives in result.candidates],
        sections=[
            *edits_section(result.candidates),
            *(_history(found, number) for number, found in enumerate(result.history)),
        ],
        raw=sections.raw_result(result),
    )


def edits_section(candidates: list[Lives]) -> list[Section]:
    """Which later edits each candidate survives, what breaks first; nothing where none was
    tried."""
    tables = [
        Table(
            f"{lives.name}: {line(lives)}",
            ("Later edit", "What changes", "", "Why"),
            [_row(one) for one in ranked(lives.edits)],
        )
        for lives in candidates
        if lives.edits
    ]
    return [Section("later-edits", "Later edits", tables)] if tables else []


def _row(one: LaterEdit) -> tuple[Cell, ...]:
    return (Cell(one.name), Cell(one.means), sections.verdict_cell(one.verdict), Cell(why(one)))


def _history(found: History, number: int) -> Section:
    table = Table(
        past_line(found),
        ("Commit", "", "Changed", "Why"),
        [_commit(one) for one in found.commits],
    )
    return Section(f"history-{number}", f"{found.name}: the project's own commits", [table])


def _commit(one: Past) -> tuple[Cell, ...]:
    return (
        Cell(one.commit[:10], code=True),
        sections.verdict_cell(one.verdict),
        sections.lines_cell("\n".join(one.changed)),
        Cell(why(one)),
    )
