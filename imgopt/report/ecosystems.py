"""The list of ecosystems: what is known of each, and how far it was tried."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType

from imgopt.context.ecosystems import Ecosystem
from imgopt.report.layout import Column, Grid, Words

LEVELS = {
    "proven": "Proven: samples of it are rewritten, built and proven",
    "built": "Built here: its rules were tried by real builds",
    "static": "Static: from its manuals; what rests on it is proven by your own run alone",
}


def ecosystem_listing(ecosystems: Iterable[Ecosystem]) -> RenderableType:
    """One line each, by the level of support, the best first."""
    known = sorted(ecosystems, key=lambda item: item.title.lower())
    parts: list[RenderableType] = []
    for level, heading in LEVELS.items():
        members = [item for item in known if item.support == level]
        if members:
            rows = [(f"  {item.name}", item.title, _tried(item)) for item in members]
            table = Grid((Column(), Column(wraps=True), Column(wraps=True)), rows)
            parts += [Words(heading, style="bold"), table, Words("")]
    more = "Your own: [rewrite] ecosystems in imgopt.toml (CONTRIBUTING: Add an ecosystem)"
    return Group(*parts, Words(more, style="bold"))


def _tried(item: Ecosystem) -> str:
    """The samples that prove it, and the managers among it that no build was made with."""
    untried = [manager.name for manager in item.manager if manager.static_only]
    said = [f"by {', '.join(item.samples)}" if item.samples else ""]
    if untried and item.support != "static":
        said.append(f"static: {', '.join(untried)}")
    return "; ".join(part for part in said if part)
