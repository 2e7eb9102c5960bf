"""The comment on a pull or merge request, and the step summary: Markdown that says less when it
would be too long."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from imgopt.report.common import (
    block_markdown,
    code_markdown,
    count_text,
    safe_markdown,
    shorten,
    table_markdown,
)
from imgopt.report.surface import WORDS, cause_cells, change_line
from imgopt.results.ci import Attribution, Cause, CiResult, Finding, ImageCheck
from imgopt.results.size_text import delta_text, size_text

COMMENT_BYTES = 65_000
"""GitHub takes 65,536 characters and answers 422 above."""
_STEPS = ((1_000, 200), (20, 20), (5, 5), (0, 0))
"""Findings and table rows per image: all that is sensible, then less, then only the headlines."""
_ICONS = {"passed": "✅", "warned": "⚠️", "failed": "❌", "no-baseline": "❔"}


def marker(result: CiResult) -> str:
    """A comment that nobody sees, the same in every run over the same images: by it the old comment
    is found."""
    names = "\0".join(sorted({image.name for image in result.images}))
    return (
        "<!--"
        f" imgopt:ci:{hashlib.sha256(names.encode('utf-8', 'surrogatepass')).hexdigest()[:8]} -->"
    )


def markdown(result: CiResult, most: int = COMMENT_BYTES) -> str:
    """At most so many bytes of UTF-8."""
    text = ""
    for findings, rows in _STEPS:
        text = _page(result, findings, rows)
        if len(text.encode()) <= most:
            return text
    return _cut(text, most)


def _page(result: CiResult, findings: int, rows: int) -> str:
    parts = [
        marker(result),
        f"### {_ICONS[result.status]} Image size: {WORDS[result.status]}",
        _overview(result),
        *(_image(image, result, findings, rows) for image in result.images),
        _footer(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _overview(result: CiResult) -> str:
    rows = [
        (
            code_markdown(shorten(image.name, 100)),
            safe_markdown(image.platform),
            safe_markdown(change_line(image, result)),
        )
        for image in result.images[:200]
    ]
    return table_markdown(("image", "platform", f"size ({result.metric})"), rows)


def _image(image: ImageCheck, result: CiResult, most: int, rows: int) -> str:
    if not most:
        count = len(image.findings)
        return (
            f"{safe_markdown(shorten(image.name, 100))}: {count_text(count, 'finding')}"
            if count
            else ""
        )
    parts = [f"#### {safe_markdown(shorten(image.name, 100))}"] if len(result.images) > 1 else []
    ranked = sorted(
        image.findings, key=lambda finding: ("error", "warn", "info").index(finding.level)
    )
    parts += [_finding(finding) for finding in ranked[:most]]
    if len(ranked) > most:
        parts.append(f"and {count_text(len(ranked) - most, 'more finding')}")
    parts += [
        f"*Accepted:* {safe_markdown(rule.reason)}"
        for rule in image.rules
        if rule.verdict == "accepted"
    ]
    parts += [f"*Note:* {safe_markdown(note)}" for note in image.notes]
    if image.attribution is not None and image.attribution.delta:
        parts.append(_attribution(image.attribution, rows))
    return "\n\n".join(parts) if len(parts) > (len(result.images) > 1) else ""


def _finding(finding: Finding) -> str:
    place = finding.place
    where = (
        f" — {code_markdown(f'{place.file}:{place.line}' if place.line else place.file)}"
        if place
        else ""
    )
    head = (
        f"**{finding.level}** {safe_markdown(finding.rule)}:"
        f" {safe_markdown(shorten(finding.message, 600))}{where}"
    )
    lines = [f"- {safe_markdown(shorten(cause, 300))}" for cause in finding.causes[:12]]
    text = "\n".join([head, "", *lines]) if lines else head
    if finding.fix is not None:
        saves = f", saves about {size_text(finding.fix.saves)}" if finding.fix.saves else ""
        because = safe_markdown(shorten(finding.fix.because, 300))
        text += f"\n\nFix ({safe_markdown(finding.fix.strategy)}{saves}): {because}\n\n"
        text += block_markdown(shorten(finding.fix.replacement, 4_000), "dockerfile")
    return (
        f"{text}\n\n<sub>{safe_markdown(shorten(finding.hint, 300))}</sub>"
        if finding.hint
        else text
    )


def _attribution(attribution: Attribution, rows: int) -> str:
    base = [attribution.base] if attribution.base is not None else []
    tables = [
        _table("instruction", [*base, *attribution.instructions], rows),
        _table("package", attribution.packages, rows),
        _table("path", attribution.paths, rows),
    ]
    body = "\n\n".join(table for table in tables if table)
    change = safe_markdown(delta_text(attribution.before, attribution.after))
    return (
        f"<details><summary>Where {change} come from</summary>\n\n{body}\n\n</details>"
        if body
        else ""
    )


def _table(what: str, causes: Sequence[Cause], most: int) -> str:
    changed = [cause for cause in causes if cause.delta]
    if not changed:
        return ""
    shown, rest = changed[:most], changed[most:]
    rows = [_row(*cause_cells(cause)) for cause in shown]
    if rest:
        rows.append(
            (
                safe_markdown(delta_text(0, sum(cause.delta for cause in rest))),
                f"{len(rest)} others",
                "",
            )
        )
    rows.append(
        (
            f"**{safe_markdown(delta_text(0, sum(cause.delta for cause in changed)))}**",
            "**sum**",
            "",
        )
    )
    return table_markdown(("change", what, "where"), rows, right=(0,))


def _row(change: str, name: str, places: str) -> tuple[str, str, str]:
    return safe_markdown(change), code_markdown(name), code_markdown(shorten(places, 200))


def _footer(result: CiResult) -> str:
    lines = [
        f"compared with {safe_markdown(shorten(result.against, 200))} by imgopt"
        f" {safe_markdown(result.tool)}"
    ]
    if any(image.state == "no-baseline" for image in result.images):
        lines.insert(
            0,
            "**No baseline: nothing was compared.** Record one with `imgopt ci baseline` and commit"
            " the file.",
        )
    elif result.status != "failed" and any(image.smaller for image in result.images):
        lines.insert(0, "Smaller than the baseline: `imgopt ci baseline --ratchet` records it.")
    return "\n\n".join([*lines[:-1], f"<sub>{lines[-1]}</sub>"])


def _cut(text: str, most: int) -> str:
    """Even the headlines of very many images can be too much."""
    lines: list[str] = []
    room = most - 100
    for line in text.split("\n"):
        room -= len(line.encode()) + 1
        if room < 0:
            return "\n".join([*lines, "", "… and more: see the JSON result"]) + "\n"
        lines.append(line)
    return text
