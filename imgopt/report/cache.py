"""How cache results are shown: one line per change, one column per step, and why the first step
misses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imgopt.report.command import command_line, words_of
from imgopt.report.common import (
    code_markdown,
    percent_text,
    safe_markdown,
    safe_terminal,
    seconds_text,
    shorten,
    table_markdown,
    without_instruction,
)
from imgopt.results.cache import CacheResult, CacheScenario, CacheStep, ScenarioStep

if TYPE_CHECKING:
    from rich.console import RenderableType

_MARKS = {"hit": ("·", "green"), "miss": ("●", "red"), "unknown": ("?", "yellow")}


def _legend(result: CacheResult) -> str:
    signs = ["· found in the cache", "● runs again", "? only a build can tell"]
    return ", ".join([*signs, "! measured otherwise"] if result.agreement is not None else signs)


def text(result: CacheResult) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.layout import Words

    parts: list[RenderableType] = [_steps_table(result), Words(""), _matrix(result), Words("")]
    parts += [Words(safe_terminal(line), style=style) for line, style in _remarks(result)]
    parts.append(Words(_legend(result), style="dim"))
    parts.append(Words(f"next: {_next(result)}", style="bold"))
    return Group(*parts)


def _steps_table(result: CacheResult) -> RenderableType:
    from imgopt.report.layout import Clip, Column, Grid

    steps = Column(f"steps of {safe_terminal(result.dockerfile)}", wraps=True)
    rows = [
        (
            str(number),
            str(step.line),
            safe_terminal(step.stage),
            Clip(safe_terminal(step.instruction)),
        )
        for number, step in enumerate(result.steps, 1)
    ]
    return Grid((Column("#", right=True), Column("line", right=True), Column("stage"), steps), rows)


def _matrix(result: CacheResult) -> RenderableType:
    from imgopt.report.layout import Column, Grid, Words

    rows = [
        (
            safe_terminal(scenario.name),
            Words.assemble(*(_cell(step) for step in scenario.steps)),
            _cost(scenario),
            safe_terminal(_why(scenario, result.steps)),
        )
        for scenario in result.scenarios
    ]
    why = Column("why", wraps=True)
    return Grid((Column("change"), Column("steps"), Column("runs again", right=True), why), rows)


def _cell(step: ScenarioStep) -> tuple[str, str]:
    if step.measured is not None and step.predicted not in ("unknown", step.measured):
        return "!", "bold red"
    return _MARKS[step.measured or step.predicted]


def _cost(scenario: CacheScenario) -> str:
    """Seconds where all are known, else how many steps: from those that must run to those that
    may."""
    answers = [step.measured or step.predicted for step in scenario.steps]
    seconds = [
        step.seconds
        for step, answer in zip(scenario.steps, answers, strict=True)
        if answer != "hit"
    ]
    if seconds and None not in seconds and "unknown" not in answers:
        return seconds_text(sum(one for one in seconds if one is not None))
    least, most = answers.count("miss"), len(seconds)
    return f"{least} of {len(answers)}" if least == most else f"{least} to {most} of {len(answers)}"


def _why(scenario: CacheScenario, steps: Sequence[CacheStep]) -> str:
    if scenario.failure:
        return f"does not build after this: {scenario.failure}"
    for step, shown in zip(steps, scenario.steps, strict=True):
        if (shown.measured or shown.predicted) != "hit":
            cause = without_instruction(shown.reason, step.instruction)
            if cause.startswith("the base image changed"):
                cause = scenario.edit
            elif scenario.edit.partition(":")[0] not in cause:
                cause = f"{scenario.edit}, so {cause}"
            return f"line {step.line}: {cause}"
    return scenario.edit


def _remarks(result: CacheResult) -> Iterator[tuple[str, str]]:
    found = result.agreement
    if found is not None and found.decided + found.unknown:
        share = found.right / found.decided if found.decided else 1.0
        yield (
            (
                f"predicted right: {found.right} of {found.decided} steps ({percent_text(share)}), "
                f"{found.unknown} left to the build"
            ),
            "green" if not found.wrong else "bold red",
        )
    if result.cold_seconds is not None:
        yield f"first build: {seconds_text(result.cold_seconds)}", ""
    for one in result.skipped:
        yield f"not tried: {one.name} ({one.reason})", "dim"
    for note in result.notes:
        yield f"note: {note}", "yellow"


def _next(result: CacheResult) -> str:
    if result.agreement is None:
        return (
            f"{_again(result, '--measure')}   (builds these changes; --explain LINE says why a line"
            " misses)"
        )
    return (
        f"{_again(result, '--replay', '200')}   (weighs this with your git history; --explain LINE"
        " says why)"
    )


def _again(result: CacheResult, *more: str) -> str:
    return safe_terminal(
        command_line("cache", words_of(result.arguments, ".", result.dockerfile), *more)
    )


def markdown(result: CacheResult) -> str:
    """For a pull request."""
    numbers = [str(number) for number in range(1, len(result.steps) + 1)]
    rows = [
        (
            safe_markdown(scenario.name),
            safe_markdown(scenario.edit),
            *(_cell(step)[0] for step in scenario.steps),
            safe_markdown(_cost(scenario)),
            safe_markdown(shorten(_why(scenario, result.steps), 160)),
        )
        for scenario in result.scenarios
    ]
    steps = [
        (
            str(number),
            str(step.line),
            safe_markdown(step.stage),
            code_markdown(shorten(step.instruction, 100)),
        )
        for number, step in enumerate(result.steps, 1)
    ]
    parts = [
        f"## What a change rebuilds: {code_markdown(result.dockerfile)}",
        table_markdown(
            ("change", "edit", *numbers, "runs again", "why"), rows, right=(len(numbers) + 2,)
        ),
        _legend(result),
        table_markdown(("step", "line", "stage", "instruction"), steps, right=(0, 1)),
        "\n".join(f"- {safe_markdown(line)}" for line, _ in _remarks(result)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
