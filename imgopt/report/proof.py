"""How a proof is shown: the verdict, then each check in one line with what it compared and what failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imgopt.report.command import command_line, words_of
from imgopt.report.common import block_markdown, code_markdown, safe_markdown, safe_terminal, table_markdown
from imgopt.results.proof import Compared, ProofCheck, ProofResult
from imgopt.results.size_text import size_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from imgopt.report.layout import Words


_SHOWN = 6
_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not measured": ("–", "yellow")}
_VERDICTS = {
    "proven": ("green", "PROVEN", "the candidate does the same job"),
    "refuted": ("red", "REFUTED", "the candidate does not do the same job"),
    "unproven": ("yellow", "UNPROVEN", "no check failed, but the images were not seen doing their job"),
}


def text(result: ProofResult) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.layout import Words

    style, word, meaning = _VERDICTS.get(result.verdict, ("yellow", result.verdict.upper(), ""))
    head = Words.assemble((f"{word} ", f"bold {style}"), meaning)
    lines: list[RenderableType] = [head, _sides(result), Words(""), _checks(result.checks)]
    lines.extend(_log_lines(result))
    lines.append(Words(""))
    lines.append(Words(f"next: {_next(result)}", style="bold"))
    return Group(*lines)


def _sides(result: ProofResult) -> RenderableType:
    from imgopt.report.layout import Words

    return Words.assemble(
        ("original   ", "dim"), _side(result.original), "\n", ("candidate  ", "dim"), _side(result.candidate)
    )


def _side(side: Compared) -> str:
    facts = [
        side.dockerfile or side.image[:19],
        f"on {side.base}" if side.base else "",
        f"{size_text(side.tar_bytes)} of layers" if side.tar_bytes is not None else "",
        f"user {side.user or 'root'}" if side.image else "not built",
    ]
    return safe_terminal(", ".join(fact for fact in facts if fact))


def _checks(checks: list[ProofCheck]) -> RenderableType:
    from imgopt.report.layout import Column, Grid, Words

    rows = []
    for check in checks:
        mark, style = _MARKS.get(check.verdict, ("?", "yellow"))
        name = Words(check.name, style="bold" if check.failures else "")
        said = Words()
        for line in _lines(check):
            said.append("\n" if said.plain else "").append_text(line)
        rows.append((Words(mark, style=style), name, said))
    return Grid((Column(), Column(), Column(wraps=True)), rows)


def _lines(check: ProofCheck) -> Iterator[Words]:
    from imgopt.report.layout import Words

    said = f"not measured: {check.detail}" if check.verdict == "not measured" else check.detail
    yield Words(safe_terminal(said))
    yield from (Words(safe_terminal(failure.message), style="red") for failure in check.failures[:_SHOWN])
    if len(check.failures) > _SHOWN:
        yield Words(f"and {len(check.failures) - _SHOWN} more", style="red")
    yield from (Words(f"allowed: {safe_terminal(allowed)}", style="dim") for allowed in check.allowed[:_SHOWN])
    if len(check.allowed) > _SHOWN:
        yield Words(f"and {len(check.allowed) - _SHOWN} allowed", style="dim")


def _log_lines(result: ProofResult) -> Iterator[RenderableType]:
    from imgopt.report.layout import Words

    if result.log:
        yield Words("\nthe last lines it wrote:", style="bold")
        yield from (Words(f"  {safe_terminal(line)}") for line in result.log)
    for hint in result.hints:
        yield Words(f"hint: {safe_terminal(hint)}", style="yellow")


def _next(result: ProofResult) -> str:
    if result.verdict == "proven":
        if not result.candidate.dockerfile or not result.original.dockerfile:
            return "imgopt diff says what it saves in bytes"
        words = words_of(result.arguments, ".", result.original.dockerfile)
        command = command_line("bench", words, "--with", result.candidate.dockerfile)
        return f"{safe_terminal(command)}   (what it saves in bytes and seconds)"
    if result.verdict == "refuted":
        return "mend what failed and prove again; what is intended is said with --allow KEY"
    if result.hints:
        return "give what the original needs to start (--env, --env-file, --http, --run), and prove again"
    return "see why smoke is not measured; `imgopt doctor` says what this machine can do"


def markdown(result: ProofResult) -> str:
    """For a pull request."""
    _, word, meaning = _VERDICTS.get(result.verdict, ("", result.verdict.upper(), ""))
    rows = [
        (
            safe_markdown(check.name),
            f"**{check.verdict}**" if check.verdict == "failed" else check.verdict,
            _evidence(check),
        )
        for check in result.checks
    ]
    parts = [
        f"## {word}: {meaning}",
        safe_markdown(result.reason) if result.reason else "",
        f"- original: {code_markdown(_side(result.original))}\n- candidate: {code_markdown(_side(result.candidate))}",
        table_markdown(("check", "verdict", "what was compared"), rows),
    ]
    if result.log:
        parts.append(block_markdown("\n".join(result.log)))
    parts += [f"- {safe_markdown(hint)}" for hint in result.hints]
    return "\n\n".join(part for part in parts if part) + "\n"


def _evidence(check: ProofCheck) -> str:
    found = [safe_markdown(check.detail)]
    found += [f"✗ {safe_markdown(failure.message)}" for failure in check.failures[:_SHOWN]]
    found += [f"and {len(check.failures) - _SHOWN} more"] if len(check.failures) > _SHOWN else []
    found += [f"allowed: {safe_markdown(text)}" for text in check.allowed[:_SHOWN]]
    return "<br>".join(found)
