"""The page of `imgopt/proof/1`."""

from __future__ import annotations

from imgopt.report.command import command_line, words_of
from imgopt.report.common import seconds_text
from imgopt.report.proof import allowed_words, headline
from imgopt.report.view import Block, Cell, Section, Table, Text, Tile, View
from imgopt.report.views import sections
from imgopt.results.proof import ProofCheck, ProofResult


def view(result: ProofResult) -> View:
    return View(
        title=f"{result.project or _name(result)}: does {_name(result)} do the same job?",
        kind="proof",
        level=sections.level_of(result.verdict),
        word=result.verdict,
        headline=headline(result),
        rule=result.reason
        or "It was built and run beside the original, and answered as the original did.",
        tiles=_tiles(result),
        sections=[
            *_checks(result),
            *_log(result),
            *sections.asked_section(result.asked),
            _reproduce(result),
        ],
        raw=sections.raw_result(result),
    )


def _name(result: ProofResult) -> str:
    return result.candidate.dockerfile or result.candidate.image


def _tiles(result: ProofResult) -> list[Tile]:
    before, after = result.original, result.candidate
    tiles = []
    if before.tar_bytes is not None and after.tar_bytes is not None:
        tiles.append(sections.size_tile("tar", before.tar_bytes, after.tar_bytes))
    if before.layers is not None and after.layers is not None:
        tiles.append(sections.count_tile("layers", before.layers, after.layers))
    tiles.append(Tile("user", before.user or "root", after.user or "root"))
    if before.build_seconds is not None and after.build_seconds is not None:
        times = seconds_text(before.build_seconds), seconds_text(after.build_seconds)
        tiles.append(Tile("build, one run", *times))
    return tiles


def _checks(result: ProofResult) -> list[Section]:
    rows = [
        (
            Cell(check.name),
            sections.verdict_cell(check.verdict),
            sections.lines_cell(check.detail),
            sections.lines_cell("\n".join(check.allowed)),
        )
        for check in result.checks
    ]
    if not rows:
        return []
    headers = ("Check", "Verdict", "What was compared", "As intended")
    blocks: list[Block] = [Table("All checks", headers, rows)]
    blocks += [_failures(check) for check in result.checks if check.failures]
    return [Section("proof", "Proof", blocks)]


def _failures(check: ProofCheck) -> Table:
    rows = [
        (
            Cell(failure.kind),
            Cell(failure.subject, code=True),
            Cell(failure.message),
            Cell(failure.needed_by, code=True),
            Cell(failure.notice),
            Cell(failure.instead),
            Cell(allowed_words([failure.allow]) if failure.allow else "", code=True),
        )
        for failure in check.failures
    ]
    return Table(
        f"What failed: {check.name}",
        ("Kind", "Subject", "What", "Needed by", "Noticed", "Instead", "Meant so"),
        rows,
        searchable=len(rows) > 20,
    )


def _log(result: ProofResult) -> list[Section]:
    blocks: list[Block] = [Text("\n".join(result.log), fixed=True)] if result.log else []
    blocks += (
        [Table("What may help", ("Setting",), [(Cell(hint),) for hint in result.hints])]
        if result.hints
        else []
    )
    return [Section("log", "What it said", blocks)] if blocks else []


def _reproduce(result: ProofResult) -> Section:
    original = result.original
    subject = "." if original.dockerfile else original.image
    words = words_of(result.arguments, subject, original.dockerfile)
    command = command_line("prove", words, result.run_arguments, "--with", _name(result))
    facts = [
        ("original", f"{original.dockerfile} {original.image}".strip()),
        ("candidate", f"{result.candidate.dockerfile} {result.candidate.image}".strip()),
        ("base of the original", original.base or ""),
        ("base of the candidate", result.candidate.base or ""),
    ]
    return sections.reproduce_section(command, facts)
