"""Pages about strategies, from the strategies themselves."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from imgopt.rewrite.strategy import Example, Strategy

SAFETY = {
    "text": "right from the text alone",
    "evidence": "needs measured facts and the proof",
    "suggestion": "only with --allow NAME",
}


def listing(strategies: Iterable[Strategy]) -> RenderableType:
    """One entry each, below what it takes to make it; within a group in the order in which they run."""
    chosen = tuple(strategies)
    parts: list[RenderableType] = []
    for safety, words in SAFETY.items():
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        for strategy in (item for item in chosen if item.safety == safety):
            table.add_row(f"  {strategy.name}", strategy.why.partition(". ")[0].rstrip(".") + ".")
        if table.rows:
            parts += [Text(words[0].upper() + words[1:], style="bold"), table, Text("")]
    return Group(*parts, Text("Next: imgopt strategies NAME", style="bold"))


def page(strategy: Strategy) -> RenderableType:
    """What it does and why, before and after, when it refuses, where the rule comes from."""
    parts: list[RenderableType] = [
        Text(strategy.name, style="bold"),
        Text(f"({SAFETY[strategy.safety]})\n", style="dim"),
    ]
    parts.append(Padding(Text(strategy.why), (0, 0, 1, 0)))
    if strategy.refuses:
        parts.append(Padding(Text(f"When it refuses: {strategy.refuses}"), (0, 0, 1, 0)))
    for example in strategy.examples:
        parts.append(_example(example))
    parts.append(Text("References", style="bold"))
    parts += [Text(f"  {reference}") for reference in strategy.references]
    return Group(*parts)


def _example(example: Example) -> RenderableType:
    lines: list[RenderableType] = []
    if example.after is None:
        lines.append(Text(f"Stays as it is: {example.name}", style="bold"))
        lines += [Text(f"    {line}") for line in example.before.splitlines()]
        if example.refused:
            lines.append(Text(f"    ({example.refused})", style="dim"))
    else:
        lines.append(Text(f"Changes: {example.name}", style="bold"))
        diff = difflib.ndiff(example.before.splitlines(), example.after.splitlines())
        styles = {"+": "green", "-": "red"}
        lines += [Text(f"  {line}", style=styles.get(line[:1], "")) for line in diff if not line.startswith("?")]
        if example.ignore_after:
            lines.append(Text("    .dockerignore: " + " ".join(example.ignore_after.split()), style="green"))
    return Padding(Group(*lines), (0, 0, 1, 0))
