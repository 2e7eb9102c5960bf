"""Pages about strategies, from the strategies themselves."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding

from imgopt.report.layout import Column, Grid, Listing, Words
from imgopt.rewrite.strategy import EvidenceExample, Example, Strategy
from imgopt.strategies.variants import VARIANTS

SAFETY = {
    "text": "right from the text alone",
    "evidence": "needs measured facts and the proof",
    "suggestion": "only with --allow NAME",
}


def listing(strategies: Iterable[Strategy]) -> RenderableType:
    """One line each, in groups by what it takes and by the variants that have it; in the order in
    which they run."""
    parts: list[RenderableType] = []
    for heading, members in _groups(tuple(strategies)).items():
        table = Grid(
            (Column(), Column(wraps=True)), [(f"  {item.name}", item.does) for item in members]
        )
        parts += [Words(heading, style="bold"), table, Words("")]
    return Group(*parts, Words("Next: imgopt strategies NAME", style="bold"))


def _groups(strategies: tuple[Strategy, ...]) -> dict[str, list[Strategy]]:
    groups: dict[str, list[Strategy]] = {}
    by_safety = sorted(strategies, key=lambda item: tuple(SAFETY).index(item.safety))
    for strategy in by_safety:
        groups.setdefault(
            f"{_sentence(SAFETY[strategy.safety])}; {_variants(strategy)}", []
        ).append(strategy)
    return groups


def _variants(strategy: Strategy) -> str:
    """ "in every variant", "in slim and distroless"."""
    names = [kind.name for kind in VARIANTS if strategy.is_part_of(kind.name, carves=True)]
    return "in every variant" if len(names) == len(VARIANTS) else f"in {' and '.join(names)}"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def page(strategy: Strategy) -> RenderableType:
    """What it does and why, before and after, when it refuses, where the rule comes from."""
    parts: list[RenderableType] = [
        Words(strategy.name, style="bold"),
        Words(strategy.does),
        Words(f"({SAFETY[strategy.safety]}; {_variants(strategy)})\n", style="dim"),
    ]
    parts.append(Padding(Words(strategy.why), (0, 0, 1, 0)))
    if strategy.refuses:
        parts.append(Padding(Words(f"When it refuses: {strategy.refuses}"), (0, 0, 1, 0)))
    if strategy.table:
        parts.append(_table(strategy.table))
    for example in strategy.all_examples:
        parts.append(_example(example))
    parts.append(Words("References", style="bold"))
    parts += [Words(f"  {reference}") for reference in strategy.references]
    return Group(*parts)


def _table(rows: Iterable[tuple[str, str]]) -> RenderableType:
    table = Grid(
        (Column(wraps=True), Column(wraps=True)), [(f"  {what}", may) for what, may in rows]
    )
    return Padding(Group(Words("What it may do, and what not", style="bold"), table), (0, 0, 1, 0))


def _example(example: Example | EvidenceExample) -> RenderableType:
    lines: list[RenderableType] = []
    if example.after is None:
        lines.append(Words(f"Stays as it is: {example.name}", style="bold"))
        lines.append(Listing([(f"    {line}", "") for line in example.before.splitlines()]))
        if example.refused:
            lines.append(Words(f"    ({example.refused})", style="dim"))
    else:
        lines.append(Words(f"Changes: {example.name}", style="bold"))
        diff = difflib.ndiff(example.before.splitlines(), example.after.splitlines())
        styles = {"+": "green", "-": "red"}
        shown = [line for line in diff if not line.startswith("?")]
        lines.append(Listing([(f"  {line}", styles.get(line[:1], "")) for line in shown]))
        if isinstance(example, Example) and example.ignore_after:
            lines.append(
                Words("    .dockerignore: " + " ".join(example.ignore_after.split()), style="green")
            )
    return Padding(Group(*lines), (0, 0, 1, 0))
