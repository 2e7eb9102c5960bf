"""The result of `imgopt rewrite`: a diff for each variant, what changed and what needs evidence."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from rich.console import Group, RenderableType

from imgopt.report.command import command_line, words_of
from imgopt.report.common import block_markdown, safe_markdown, safe_terminal
from imgopt.report.layout import Code, Column, Grid, Words
from imgopt.results.rewrite import Finding, RewriteResult, StaticVariant

STYLES = {"+": "green", "-": "red", "@": "cyan"}


def text(result: RewriteResult) -> RenderableType:
    """The diffs, then the reasons, then the next command."""
    parts: list[RenderableType] = []
    for variant in result.variants:
        parts += _variant(result, variant)
    parts += findings_text(result.findings)
    if not any(variant.changes for variant in result.variants):
        parts.append(Words("Nothing can be changed from the text alone.", style="bold"))
    command = safe_terminal(command_line("optimize", words_of(result.arguments, ".", result.dockerfile)))
    parts.append(Words(f"Next: {command}   (builds, runs and proves; needs a Docker engine)", style="bold"))
    return Group(*parts)


def findings_text(findings: Sequence[Finding]) -> list[RenderableType]:
    """What the author should change himself, below a heading."""
    if not findings:
        return []
    lines: list[RenderableType] = [Words("What you should look at", style="bold red")]
    for finding in findings:
        words = f"  ! line {finding.line}: {safe_terminal(finding.message)}; {safe_terminal(finding.hint)}"
        lines.append(Words(words, style="red" if finding.level == "error" else "yellow"))
    return [*lines, Words("")]


def findings_markdown(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    rows = [f"- **line {one.line}**: {safe_markdown(one.message)}; {safe_markdown(one.hint)}" for one in findings]
    return ["### What you should look at", "", *rows, ""]


def _variant(result: RewriteResult, variant: StaticVariant) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if variant.changes:
        lines.append(Words(f"{variant.name}: unproven, from text alone", style="bold yellow"))
    lines += [Code(safe_terminal(line), style=STYLES.get(line[:1], "")) for line in unified_diff(result, variant)]
    if variant.dockerignore is not None and any(c.strategy == "ignore-file" for c in variant.changes):
        lines.append(Words(".dockerignore", style="bold"))
        lines += [Code("  " + safe_terminal(line)) for line in variant.dockerignore.splitlines()]
    rows = [("  +", c.strategy, f"line {c.line}" if c.line else "new", c.because) for c in variant.changes]
    rows += [("  -", s.strategy, f"line {s.line}" if s.line else "", s.reason) for s in variant.skips]
    columns = (Column(), Column(), Column(), Column(wraps=True))
    return [*lines, Grid(columns, [tuple(map(safe_terminal, row)) for row in rows]), Words("")]


def unified_diff(result: RewriteResult, variant: StaticVariant) -> list[str]:
    """The change as a patch; empty where nothing changes."""
    before, after = result.original.splitlines(), variant.dockerfile.splitlines()
    name = result.dockerfile
    return list(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm=""))


def markdown(result: RewriteResult) -> str:
    lines: list[str] = []
    for variant in result.variants:
        lines += [f"### {variant.name} (unproven, from text alone)", ""]
        lines += [block_markdown("\n".join(unified_diff(result, variant)), "diff"), ""]
        lines += [f"- **{c.strategy}** (line {c.line or 'new'}): {safe_markdown(c.because)}" for c in variant.changes]
        lines += [f"- refused: **{s.strategy}**: {safe_markdown(s.reason)}" for s in variant.skips]
        lines.append("")
    return "\n".join([*lines, *findings_markdown(result.findings)])
