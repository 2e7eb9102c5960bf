"""The page of `imgopt/deploy-proof/1`: the tiers, every trial, the rolling update as a picture."""

from __future__ import annotations

from collections import Counter

from imgopt.report.common import count_text, seconds_text
from imgopt.report.deploy_proof import next_step, place_of
from imgopt.report.view import Answers, Block, Cell, Section, Table, Tile, View
from imgopt.report.views import sections
from imgopt.results.deploy import Case, DeployProof

_MOST_SECONDS = 600


def view(result: DeployProof) -> View:
    return View(
        title="Deployment files on real parts",
        kind="deploy-proof",
        level=sections.level_of(result.verdict),
        word=result.verdict,
        headline=result.message or result.verdict,
        rule=next_step(result),
        tiles=_tiles(result),
        sections=[*_tiers(result), *_cases(result), *_findings(result)],
        raw=sections.raw_result(result),
    )


def _tiles(result: DeployProof) -> list[Tile]:
    asked = [one for one in result.cases if one.requests is not None]
    verdicts = Counter(one.verdict for one in result.cases)
    tiles = []
    if asked:
        tiles.append(Tile("requests", f"{sum(one.requests or 0 for one in asked):,}"))
        tiles.append(Tile("of them failed", f"{sum(one.failed or 0 for one in asked):,}"))
    if result.cases:
        tiles.append(Tile("trials passed", f"{verdicts['passed']} of {len(result.cases)}"))
    return tiles


def _tiers(result: DeployProof) -> list[Section]:
    rows = [
        (
            Cell(f"{one.number}: {one.name}"),
            sections.verdict_cell(one.verdict),
            sections.lines_cell(one.detail),
            Cell(seconds_text(one.seconds), one.seconds),
        )
        for one in result.tiers
    ]
    table = Table("Tiers", ("Tier", "Verdict", "What was tried", "Time"), rows)
    return [Section("tiers", "What was tried", [table])] if rows else []


def _cases(result: DeployProof) -> list[Section]:
    rows = [
        (
            Cell(one.name),
            sections.verdict_cell(one.verdict),
            _count(one.requests),
            _count(one.failed),
            sections.lines_cell(one.detail),
            Cell(seconds_text(one.seconds), one.seconds),
        )
        for one in result.cases
    ]
    if not rows:
        return []
    headers = ("Trial", "Verdict", "Requests", "Failed", "What was seen", "Time")
    blocks: list[Block] = [Table("Trials", headers, rows)]
    blocks += [_answers(one) for one in result.cases if one.by_second]
    return [Section("trials", "Trials on a node", blocks)]


def _count(value: int | None) -> Cell:
    return Cell("not measured" if value is None else f"{value:,}", value)


def _answers(case: Case) -> Answers:
    """Two versions by name; what others answered counts for the second."""
    seconds = case.by_second[:_MOST_SECONDS]
    names = list(dict.fromkeys(name for one in seconds for name in sorted(one.answers)))
    first, others = names[:1], names[1:]
    shown = tuple([*first, ", ".join(others)] if others else first)
    rows = []
    for one in seconds:
        counts = [one.answers.get(name, 0) for name in first]
        if others:
            counts.append(sum(one.answers.get(name, 0) for name in others))
        rows.append((counts, one.failed))
    failed = count_text(sum(one.failed for one in seconds), "failed request")
    marks = sorted((at, said) for said, at in case.marks.items())
    return Answers(f"{case.name}: answers of each second, {failed}", shown, rows, marks)


def _findings(result: DeployProof) -> list[Section]:
    rows = [
        (
            Cell(one.level, level="bad" if one.level == "error" else "neutral", whole=True),
            Cell(place_of(one), code=True),
            Cell(one.object, code=True),
            Cell(one.message),
            Cell(one.fix),
        )
        for one in result.findings
    ]
    if not rows:
        return []
    headers = ("Level", "Where", "Object", "What", "What to do")
    return [Section("findings", "What was refused", [Table("Findings", headers, rows)])]
