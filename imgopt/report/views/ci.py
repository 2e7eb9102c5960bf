"""The page of `imgopt/ci/1`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imgopt.report.common import change_text, shorten
from imgopt.report.surface import WORDS, cause_cells, change_line, headline, place_text
from imgopt.report.view import Cell, Level, Section, Table, Text, Tile, View
from imgopt.report.views import sections
from imgopt.results.ci import Cause, CiResult, Finding, ImageCheck
from imgopt.results.size_text import delta_text, two_sizes

_FINDINGS, _CAUSES = 500, 300
_LEVELS: dict[str, Level] = {"error": "bad", "warn": "bad", "info": "neutral"}
_STATUS: dict[str, Level] = {
    "passed": "good",
    "warned": "neutral",
    "failed": "bad",
    "no-baseline": "neutral",
}


def view(result: CiResult) -> View:
    return View(
        title=f"Image size: {', '.join(image.name for image in result.images[:3])}",
        kind="ci",
        level=_STATUS[result.status],
        word=WORDS[result.status],
        headline=headline(result),
        rule=f"Sizes are {result.metric}, compared with {result.against}.",
        tiles=[_tile(image, result) for image in result.images[:6]],
        sections=[
            part
            for number, image in enumerate(result.images)
            for part in _sections(image, number, result)
        ],
        raw=sections.raw_result(result),
    )


def _tile(image: ImageCheck, result: CiResult) -> Tile:
    now, before = (
        image.sizes.of(result.metric_of(image)),
        image.before.of(result.metric_of(image)) if image.before else None,
    )
    if image.state == "not-built":
        return Tile(image.name, "not built", level="bad")
    texts = two_sizes(before, now)
    if now is None or before is None:
        return Tile(image.name, texts[1])
    level: Level = "neutral" if now == before else "bad" if now > before else "good"
    return Tile(image.name, texts[0], texts[1], change_text(before, now), level)


def _sections(image: ImageCheck, number: int, result: CiResult) -> Iterator[Section]:
    notes = [Text(f"Note: {note}") for note in image.notes]
    blocks = [_findings(image.findings)] if image.findings else [Text("No rule is broken.")]
    source = (
        f"{image.platform}, {image.reference} from {image.source}. "
        if image.state != "not-built"
        else ""
    )
    intro = f"{source}{change_line(image, result)}"
    yield Section(f"findings-{number}", image.name, [*blocks, *notes], intro)
    attribution = image.attribution
    if attribution is not None and attribution.delta:
        base = [attribution.base] if attribution.base is not None else []
        tables = [
            _causes("By instruction", [*base, *attribution.instructions]),
            _causes("By package", attribution.packages),
            _causes("By path", attribution.paths),
        ]
        yield Section(
            f"causes-{number}",
            f"Where {image.name} grew",
            tables,
            "Each table sums to the whole change.",
        )


def _findings(findings: Sequence[Finding]) -> Table:
    rows = [
        (
            Cell(finding.level, level=_LEVELS[finding.level]),
            Cell(finding.rule),
            Cell("\n".join([finding.message, *finding.causes, *_fix(finding)])),
            Cell(place_text(finding), code=True),
        )
        for finding in findings[:_FINDINGS]
    ]
    left = len(findings) - len(rows)
    caption = f"Findings, and {left} more in the JSON result" if left else "Findings"
    return Table(caption, ("Level", "Rule", "What", "Where"), rows, searchable=len(rows) > 20)


def _fix(finding: Finding) -> list[str]:
    return (
        [f"fix: {finding.fix.because}", finding.fix.replacement] if finding.fix is not None else []
    )


def _causes(caption: str, causes: Sequence[Cause]) -> Table:
    changed = [cause for cause in causes if cause.delta]
    rows = []
    for cause in changed[:_CAUSES]:
        change, name, places = cause_cells(cause)
        rows.append(
            (
                Cell(change, cause.delta),
                Cell(name, code=True),
                Cell(shorten(places, 200), code=True),
            )
        )
    rest = sum(cause.delta for cause in changed[_CAUSES:])
    if rest:
        rows.append(
            (Cell(delta_text(0, rest), rest), Cell(f"{len(changed) - _CAUSES} others"), Cell(""))
        )
    total = sum(cause.delta for cause in changed)
    last = (Cell(delta_text(0, total), total), Cell("sum"), Cell(""))
    return Table(caption, ("Change", "What", "Where"), rows, last, searchable=len(rows) > 20)
