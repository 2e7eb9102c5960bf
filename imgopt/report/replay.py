"""How a replay is shown: each Dockerfile's cost per build and month, the dearest lines, and a chart
over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from imgopt.report.common import (
    bar,
    code_markdown,
    safe_markdown,
    safe_terminal,
    seconds_text,
    shorten,
    table_markdown,
)
from imgopt.results.replay import ReplayArm, ReplayCommit, ReplayLine, ReplayResult

if TYPE_CHECKING:
    from rich.console import RenderableType

_BARS = " ▁▂▃▄▅▆▇█"
_WIDTH = 60
_LINES = 6


def text(result: ReplayResult) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.layout import Words

    parts: list[RenderableType] = [Words(_headline(result), style="bold"), Words(""), _arms(result)]
    highest = max((_weight(commit) for arm in result.arms for commit in arm.commits), default=0.0)
    for arm in result.arms:
        parts += [Words(""), Words(safe_terminal(arm.dockerfile), style="bold")]
        parts.append(
            Words(f"  {chart(arm.commits, highest)}  oldest to newest commit", style="cyan")
        )
        parts += [Words(f"  {safe_terminal(line)}") for line in _line_texts(arm)]
        parts += [Words(f"  note: {safe_terminal(note)}", style="yellow") for note in arm.notes]
    parts += [Words(f"note: {safe_terminal(note)}", style="yellow") for note in result.notes]
    return Group(*parts)


def _headline(result: ReplayResult) -> str:
    pace = "" if result.builds_per_month is None else f", {result.builds_per_month:.0f} per month"
    return f"The last {result.commits} commits{pace}, each built right after the one before"


def _arms(result: ReplayResult) -> RenderableType:
    from imgopt.report.layout import Column, Grid

    figures = (Column(name, right=True) for name in ("steps that run", "per build", "per month"))
    rows = [tuple(map(safe_terminal, _arm_cells(arm))) for arm in result.arms]
    return Grid((Column("Dockerfile", wraps=True), *figures), rows)


def _arm_cells(arm: ReplayArm) -> tuple[str, str, str, str]:
    return (
        arm.dockerfile,
        f"{arm.missed_per_build:.2f} of {arm.steps}",
        seconds_text(arm.seconds_per_build),
        seconds_text(arm.seconds_per_month),
    )


def _line_texts(arm: ReplayArm) -> Iterator[str]:
    top = max((_line_weight(one) for one in arm.lines), default=0.0)
    for one in arm.lines[:_LINES]:
        share = bar(_line_weight(one) / top if top else 0.0, 10)
        cost = "" if one.seconds is None else f", {seconds_text(one.seconds)} in all"
        times = f"{one.commits} rebuild{'' if one.commits == 1 else 's'}"
        yield f"{share:<10} line {one.line} starts {times}{cost}: {shorten(one.instruction, 100)}"
    if not arm.lines:
        yield "no commit rebuilds anything"


def _line_weight(one: ReplayLine) -> float:
    return one.seconds if one.seconds is not None else float(one.commits)


def _weight(commit: ReplayCommit) -> float:
    return (
        commit.seconds
        if commit.seconds is not None
        else float(len(commit.missed) + len(commit.unknown))
    )


def chart(commits: Sequence[ReplayCommit], highest: float) -> str:
    """One bar per commit or, for more than fit, per run of commits (their mean); oldest first."""
    weights = [_weight(commit) for commit in reversed(commits)]
    if len(weights) > _WIDTH:
        edges = [round(column * len(weights) / _WIDTH) for column in range(_WIDTH + 1)]
        groups = [weights[start:end] for start, end in pairwise(edges)]
        weights = [sum(group) / len(group) for group in groups]
    top = len(_BARS) - 1
    return "".join(
        _BARS[0 if not weight or not highest else max(1, round(weight / highest * top))]
        for weight in weights
    )


def markdown(result: ReplayResult) -> str:
    """For a pull request."""
    arms = [tuple(map(safe_markdown, _arm_cells(arm))) for arm in result.arms]
    parts = [
        f"## {_headline(result)}",
        table_markdown(
            ("Dockerfile", "steps that run", "per build", "per month"), arms, right=(1, 2, 3)
        ),
    ]
    for arm in result.arms:
        rows = [
            (
                str(one.line),
                code_markdown(shorten(one.instruction, 80)),
                str(one.commits),
                seconds_text(one.seconds),
            )
            for one in arm.lines[:_LINES]
        ]
        if rows:
            parts.append(f"### {safe_markdown(arm.dockerfile)}: the lines that start rebuilds")
            parts.append(
                table_markdown(
                    ("line", "instruction", "commits", "seconds in all"), rows, right=(0, 2, 3)
                )
            )
        parts += [f"- {safe_markdown(note)}" for note in arm.notes]
    parts += [f"- {safe_markdown(note)}" for note in result.notes]
    return "\n\n".join(parts) + "\n"
