"""How a proof of deployment files is shown: the verdict, the tiers, one row for each trial, the
seconds of a rolling update as a line for each release, what was refused and on which line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imgopt.report.common import (
    count_text,
    safe_markdown,
    safe_terminal,
    seconds_text,
    table_markdown,
)
from imgopt.results.deploy import Case, DeployFinding, DeployProof, Second

if TYPE_CHECKING:
    from rich.console import RenderableType

_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not measured": ("–", "yellow")}
_STYLES = {"passed": "bold green", "failed": "bold red", "not measured": "bold yellow"}
_BARS = "▁▂▃▄▅▆▇█"
_MOST_SECONDS = 60


def text(result: DeployProof) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.layout import Words

    word = (f"{result.verdict}: ", _STYLES[result.verdict])
    lines: list[RenderableType] = [Words.assemble(word, safe_terminal(result.message)), Words("")]
    lines.append(
        _rows([(f"tier {t.number}", t.verdict, _of_tier(t.name, t.detail)) for t in result.tiers])
    )
    if result.cases:
        lines += [Words(""), _rows([(c.name, c.verdict, _took(c)) for c in result.cases])]
    for case in result.cases:
        lines += [Words(f"  {safe_terminal(line)}") for line in picture(case)]
    lines += _findings(result.findings)
    lines += [Words(""), Words(f"Next: {next_step(result)}", style="bold")]
    return Group(*lines)


def _of_tier(name: str, detail: str) -> str:
    return f"{name}: {detail}" if detail else name


def _took(case: Case) -> str:
    return f"{case.detail} ({seconds_text(case.seconds)})" if case.seconds else case.detail


def _rows(rows: Sequence[tuple[str, str, str]]) -> RenderableType:
    from imgopt.report.layout import Column, Grid, Words

    cells = []
    for name, verdict, detail in rows:
        mark, style = _MARKS[verdict]
        said = f"not measured: {detail}" if verdict == "not measured" else detail
        title = Words(safe_terminal(name), style="bold" if verdict == "failed" else "")
        cells.append((Words(mark, style=style), title, Words(safe_terminal(said))))
    return Grid((Column(), Column(), Column(wraps=True)), cells)


def picture(case: Case) -> Iterator[str]:
    """Answers of each second by the release that gave them, and where requests failed."""
    if not case.by_second or not (case.failed or len(_releases(case.by_second)) > 1):
        return
    seconds = case.by_second[:_MOST_SECONDS]
    most = max((sum(one.answers.values()) for one in seconds), default=0) or 1
    yield f"{case.name}, a column for each second:"
    for name in _releases(seconds):
        yield f"{name:>10}  {''.join(_bar(one.answers.get(name, 0), most) for one in seconds)}"
    yield f"{'failed':>10}  {''.join('✗' if one.failed else '·' for one in seconds)}"


def _releases(seconds: Sequence[Second]) -> list[str]:
    return list(dict.fromkeys(name for one in seconds for name in sorted(one.answers)))


def _bar(count: int, most: int) -> str:
    return _BARS[min(len(_BARS) - 1, count * len(_BARS) // (most + 1))] if count else "·"


def _findings(findings: Sequence[DeployFinding]) -> list[RenderableType]:
    from imgopt.report.layout import Words

    lines: list[RenderableType] = []
    for one in findings:
        style = {"error": "red", "warning": "yellow"}.get(one.level, "")
        lines.append(Words(""))
        lines.append(Words(safe_terminal(f"{place_of(one)} {one.level} {one.object}"), style=style))
        lines.append(Words(f"  {safe_terminal(one.message)}"))
        lines += [Words(f"  {safe_terminal(one.fix)}")] if one.fix else []
    return lines


def place_of(one: DeployFinding) -> str:
    return f"{one.file}:{one.line}" if one.line is not None else one.file


def next_step(result: DeployProof) -> str:
    if result.verdict == "passed":
        return "apply them; `imgopt deploy check` holds them against the rules"
    if result.verdict == "failed":
        return "mend what failed and try again; `imgopt deploy check` says what is behind it"
    missing = [tier.detail for tier in result.tiers if tier.verdict == "not measured"]
    return safe_terminal(missing[0]) if missing else "see what was not measured"


def markdown(result: DeployProof) -> str:
    """For a pull request."""
    tiers = [
        (
            f"{tier.number}: {safe_markdown(tier.name)}",
            _bold(tier.verdict),
            safe_markdown(tier.detail),
        )
        for tier in result.tiers
    ]
    cases = [
        (
            safe_markdown(case.name),
            _bold(case.verdict),
            _count(case.requests),
            _count(case.failed),
            safe_markdown(_took(case)),
        )
        for case in result.cases
    ]
    findings = [
        f"- `{one.level}` {safe_markdown(place_of(one))} {safe_markdown(one.object)}:"
        f" {safe_markdown(one.message)}"
        for one in result.findings
    ]
    parts = [
        f"## {result.verdict}: {safe_markdown(result.message)}",
        table_markdown(("tier", "verdict", "what was tried"), tiers),
        table_markdown(("trial", "verdict", "requests", "failed", "what was seen"), cases)
        if cases
        else "",
        f"{count_text(len(findings), 'finding')}:\n\n" + "\n".join(findings) if findings else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _bold(verdict: str) -> str:
    return f"**{verdict}**" if verdict == "failed" else verdict


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
