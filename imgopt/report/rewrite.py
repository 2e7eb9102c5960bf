"""The result of `imgopt rewrite`: a diff for each variant, what changed and what needs evidence."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from imgopt.report.command import command_line, words_of
from imgopt.report.common import (
    block_markdown,
    safe_markdown,
    safe_terminal,
)
from imgopt.report.file_diff import diff_lines, diff_listing, ignore_diff
from imgopt.report.layout import Column, Grid, Words
from imgopt.results.rewrite import Finding, RewriteResult, StaticVariant

_SHOWN_LINES = 3
"""Lines that are named where one reason holds for several."""


def text(result: RewriteResult) -> RenderableType:
    """The diffs, then the reasons, then the next command."""
    parts: list[RenderableType] = []
    for variant in result.variants:
        parts += _variant(result, variant)
    parts += findings_text(result.findings)
    if not any(variant.changes for variant in result.variants):
        parts.append(Words("Nothing can be changed from the text alone.", style="bold"))
    command = safe_terminal(
        command_line("optimize", words_of(result.arguments, ".", result.dockerfile))
    )
    parts.append(
        Words(f"Next: {command}   (builds, runs and proves; needs a Docker engine)", style="bold")
    )
    return Group(*parts)


def findings_text(findings: Sequence[Finding]) -> list[RenderableType]:
    """What the author should change himself, below a heading."""
    if not findings:
        return []
    lines: list[RenderableType] = [Words("What you should look at", style="bold red")]
    for finding in findings:
        words = (
            f"  ! line {finding.line}: {safe_terminal(finding.message)};"
            f" {safe_terminal(finding.hint)}"
        )
        lines.append(Words(words, style="red" if finding.level == "error" else "yellow"))
    return [*lines, Words("")]


def findings_markdown(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    rows = [
        f"- **line {one.line}**: {safe_markdown(one.message)}; {safe_markdown(one.hint)}"
        for one in findings
    ]
    return ["### What you should look at", "", *rows, ""]


def _variant(result: RewriteResult, variant: StaticVariant) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if variant.changes:
        lines.append(Words(f"{variant.name}: unproven, from text alone", style="bold yellow"))
    lines.append(diff_listing(unified_diff(result, variant)))
    rows = [("  +", name, lines or "new", why) for name, lines, why in _changes(variant)]
    rows += [("  -", *row) for row in _skips(variant)]
    columns = (Column(), Column(), Column(), Column(wraps=True))
    return [*lines, Grid(columns, [tuple(map(safe_terminal, row)) for row in rows]), Words("")]


def _changes(variant: StaticVariant) -> list[tuple[str, str, str]]:
    return _by_reason(
        [(change.strategy, change.line, change.because) for change in variant.changes]
    )


def _skips(variant: StaticVariant) -> list[tuple[str, str, str]]:
    return _by_reason([(skip.strategy, skip.line, skip.reason) for skip in variant.skips])


def _by_reason(told: Sequence[tuple[str, int | None, str]]) -> list[tuple[str, str, str]]:
    """Strategy, lines and reason: what is the same for many lines is said once."""
    lines: dict[tuple[str, str], list[int | None]] = {}
    for strategy, line, reason in told:
        lines.setdefault((strategy, reason), []).append(line)
    return [(strategy, _lines_said(found), reason) for (strategy, reason), found in lines.items()]


def _lines_said(lines: Sequence[int | None]) -> str:
    numbers = [str(line) for line in lines if line]
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    more = len(numbers) - _SHOWN_LINES
    first = ", ".join(numbers[:_SHOWN_LINES] if more > 0 else numbers[:-1])
    return f"lines {first} and {f'{more:,} more' if more > 0 else numbers[-1]}"


def unified_diff(result: RewriteResult, variant: StaticVariant) -> list[str]:
    """The change as a patch; empty where nothing changes."""
    return [
        *diff_lines(result.original, variant.dockerfile, result.dockerfile),
        *ignore_diff(result.ignored, variant.dockerignore),
    ]


def markdown(result: RewriteResult) -> str:
    lines: list[str] = []
    for variant in result.variants:
        lines += [f"### {variant.name} (unproven, from text alone)", ""]
        lines += [block_markdown("\n".join(unified_diff(result, variant)), "diff"), ""]
        lines += [
            f"- **{name}** ({at or 'new'}): {safe_markdown(why)}"
            for name, at, why in _changes(variant)
        ]
        lines += [
            f"- refused: **{name}**: {safe_markdown(why)}" for name, _, why in _skips(variant)
        ]
        lines.append("")
    return "\n".join([*lines, *findings_markdown(result.findings)])
