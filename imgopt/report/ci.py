"""A gate's answer on every surface: one module per family of formats, all from the one result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgopt.report.charts import bencher, benchmark_action
from imgopt.report.comment import markdown
from imgopt.report.common import safe_terminal
from imgopt.report.github import github
from imgopt.report.gitlab import gitlab, metrics
from imgopt.report.junit import junit
from imgopt.report.rdjson import rdjson
from imgopt.report.sarif import sarif
from imgopt.report.surface import WORDS, cause_cells, change_line, headline, place_text
from imgopt.results.ci import Attribution, Cause, CiResult, Finding, ImageCheck
from imgopt.results.size_text import delta_text, size_text

__all__ = [
    "bencher",
    "benchmark_action",
    "github",
    "gitlab",
    "junit",
    "markdown",
    "metrics",
    "rdjson",
    "sarif",
    "text",
]

if TYPE_CHECKING:
    from rich.console import RenderableType

    from imgopt.report.layout import Grid, Words

_ROWS = 8
_FINDINGS = 50
_STYLES = {"error": "bold red", "warn": "yellow", "info": "cyan"}


def text(result: CiResult) -> RenderableType:
    """The answer, then per image its sizes, what was found and who did it."""
    from rich.console import Group

    from imgopt.report.layout import Words

    head = Words()
    head.append(WORDS[result.status], style=_head_style(result))
    head.append(f"  {safe_terminal(headline(result))}")
    parts: list[RenderableType] = [head]
    for image in result.images:
        parts += [Words(), *_image(image, result)]
    if any(image.state == "no-baseline" for image in result.images):
        parts.append(
            Words("record one: imgopt ci baseline IMAGE, and commit the file", style="dim")
        )
    if result.status != "failed" and any(image.smaller for image in result.images):
        parts.append(
            Words(
                "smaller than the baseline: imgopt ci baseline --ratchet IMAGE records it",
                style="dim",
            )
        )
    grown = next(
        (image for image in result.images if image.findings and image.state == "compared"), None
    )
    if grown is not None:
        line = (
            f"Next: imgopt analyze {safe_terminal(grown.reference)} --findings   (what to change)"
        )
        parts += [Words(), Words(line, style="bold")]
    return Group(*parts)


def _head_style(result: CiResult) -> str:
    return {
        "passed": "bold green",
        "warned": "yellow",
        "failed": "bold red",
        "no-baseline": "yellow",
    }[result.status]


def _image(image: ImageCheck, result: CiResult) -> Sequence[RenderableType]:
    from imgopt.report.layout import Words

    head = Words()
    head.append(safe_terminal(image.name), style="bold")
    lines: list[RenderableType] = [head, Words(f"  {change_line(image, result)}")]
    if image.state != "not-built":
        source = f"{safe_terminal(image.reference)} from {image.source}"
        head.append(f"  {safe_terminal(image.platform)}  {source}", style="dim")
        lines.append(Words(f"  {_all_sizes(image)}", "dim"))
    findings = sorted(
        image.findings, key=lambda finding: ("error", "warn", "info").index(finding.level)
    )
    for finding in findings[:_FINDINGS]:
        lines += _finding(finding)
    if len(findings) > _FINDINGS:
        lines.append(Words(f"  … {len(findings) - _FINDINGS} more findings: --format json"))
    for rule in image.rules:
        if rule.verdict in ("accepted", "not-measured"):
            lines.append(
                Words(f"  {rule.verdict} {rule.rule}: {safe_terminal(rule.reason)}", style="dim")
            )
    lines += [Words(f"  note: {safe_terminal(note)}", style="dim") for note in image.notes]
    if image.attribution is not None and image.attribution.delta:
        for table in _tables(image.attribution):
            lines += [] if table is None else [Words(), table]
    return lines


def _all_sizes(image: ImageCheck) -> str:
    sizes = image.sizes
    about = "≈ " if sizes.wire_estimated else ""
    error = f" ± {size_text(sizes.wire_error)}" if sizes.wire_error else ""
    return (
        f"wire {about}{size_text(sizes.wire)}{error} · tar {size_text(sizes.tar)} · "
        f"payload {size_text(sizes.payload)} · live {size_text(sizes.live)}"
    )


def _finding(finding: Finding) -> list[Words]:
    from imgopt.report.layout import Words

    head = Words("  ")
    head.append(finding.level, style=_STYLES[finding.level])
    head.append(f" {finding.rule}: {safe_terminal(finding.message)}")
    if finding.place is not None:
        head.append(f"  {safe_terminal(place_text(finding))}", style="dim")
    lines = [head, *(Words(f"      {safe_terminal(cause)}") for cause in finding.causes)]
    if finding.fix is not None:
        saves = (
            f", saves about {size_text(finding.fix.saves)}" if finding.fix.saves is not None else ""
        )
        lines.append(
            Words(
                f"      fix ({finding.fix.strategy}{saves}): {safe_terminal(finding.fix.because)}"
            )
        )
        lines += [
            Words(f"        + {safe_terminal(line)}")
            for line in finding.fix.replacement.splitlines()[:20]
        ]
    if finding.hint:
        lines.append(Words(f"      {safe_terminal(finding.hint)}", style="dim"))
    return lines


def _tables(attribution: Attribution) -> list[Grid | None]:
    metric = attribution.metric
    base = [attribution.base] if attribution.base is not None else []
    return [
        _table(f"by instruction ({metric})", [*base, *attribution.instructions]),
        _table("by package", attribution.packages),
        _table("by path", attribution.paths),
    ]


def _table(title: str, causes: Sequence[Cause]) -> Grid | None:
    from imgopt.report.layout import Column, Grid

    changed = [cause for cause in causes if cause.delta]
    if not changed:
        return None
    shown, rest = changed[:_ROWS], changed[_ROWS:]
    rows = [tuple(safe_terminal(cell) for cell in cause_cells(cause)) for cause in shown]
    if rest:
        rows.append(
            (
                delta_text(0, sum(cause.delta for cause in rest)),
                "1 other" if len(rest) == 1 else f"{len(rest)} others",
                "",
            )
        )
    rows.append((delta_text(0, sum(cause.delta for cause in changed)), "sum", ""))
    columns = Column("change", right=True), Column("what", wraps=True), Column("where", wraps=True)
    return Grid(columns, rows, title)
