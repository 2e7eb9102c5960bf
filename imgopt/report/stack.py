"""Every build of a project: a part for each, and a summary."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding

from imgopt.report import optimize
from imgopt.report.common import safe_markdown, safe_terminal, table_markdown
from imgopt.report.layout import Words
from imgopt.results.stack import Part, StackResult


def text(result: StackResult) -> RenderableType:
    """The summary, then each part as `imgopt optimize` shows it."""
    lines: list[RenderableType] = [Words(safe_terminal(counted(result)), style="bold")]
    lines += [Words(safe_terminal(f"  {part.name}: {said(part)}")) for part in result.parts]
    for part in result.parts:
        if part.result is not None:
            lines.append(
                Padding(Words(safe_terminal(part.name), style="bold underline"), (1, 0, 0, 0))
            )
            lines.append(optimize.text(part.result))
    return Group(*lines)


def markdown(result: StackResult) -> str:
    """The same for a page."""
    rows = [[safe_markdown(part.name), safe_markdown(said(part))] for part in result.parts]
    head = f"## {safe_markdown(counted(result))}\n\n"
    table = table_markdown(["build", "result"], rows)
    parts = [
        f"\n## {safe_markdown(part.name)}\n\n{optimize.markdown(part.result)}"
        for part in result.parts
        if part.result is not None
    ]
    return "".join((head, table, "\n", *parts))


def said(part: Part) -> str:
    """The verdict with its figures, or why there is none, in one line."""
    if part.result is None:
        return f"no result: {part.failure}"
    return optimize.headline(part.result)


def counted(result: StackResult) -> str:
    """How many builds came to a good end, in a sentence."""
    good = sum(map(is_good, result.parts))
    return f"{result.project}: {len(result.parts)} builds in {result.file}, {good} proven or good"


def is_good(part: Part) -> bool:
    """Whether it is proven, or there was nothing to gain."""
    return part.result is not None and part.result.verdict in ("proven", "good")
