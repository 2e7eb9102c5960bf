"""How a layout is shown: its ways with their bytes, the groups, and the Dockerfile's change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgopt.report.common import (
    block_markdown,
    code_markdown,
    ratio_text,
    safe_markdown,
    safe_terminal,
    shorten,
    table_markdown,
)
from imgopt.report.file_diff import diff_lines
from imgopt.results.fleet import FleetLayout, LayoutChange, LayoutGroup, LayoutOption
from imgopt.results.size_text import size_text

if TYPE_CHECKING:
    from rich.console import RenderableType

WAYS = ("layers, the lowest first", "per node and month", "replayed", "than today")
GROUPS = ("group", "wire", "changes/month", "packages")
_MEMBERS = 60


def text(result: FleetLayout) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.file_diff import diff_listing
    from imgopt.report.layout import Column, Grid, Words

    parts: list[RenderableType] = [
        Words(safe_terminal(headline(result)), style="bold"),
        Words(safe_terminal(basis(result))),
        Words(""),
    ]
    columns = (Column(WAYS[0], wraps=True), *(Column(name, right=True) for name in WAYS[1:]))
    parts += [Grid(columns, [way_cells(result, one) for one in result.options]), Words("")]
    rows = [tuple(map(safe_terminal, group_cells(one))) for one in result.groups]
    heads = (Column(GROUPS[0]), *(Column(name, right=True) for name in GROUPS[1:3]))
    parts.append(Grid((*heads, Column(GROUPS[3], wraps=True)), rows))
    if result.change is not None:
        parts += [Words(""), *(Words(safe_terminal(line)) for line in change_lines(result.change))]
        parts.append(diff_listing(patch(result)))
    parts += [Words(f"note: {safe_terminal(note)}", style="yellow") for note in result.notes]
    if result.next:
        parts += [Words(""), Words(f"Next: {safe_terminal(result.next)}", style="bold")]
    return Group(*parts)


def figure(option: LayoutOption) -> int:
    """What a way moves: replayed where there is a history."""
    seen = option.replayed_bytes_per_node_month
    return option.expected_bytes_per_node_month if seen is None else seen


def today(result: FleetLayout) -> LayoutOption:
    return next(one for one in result.options if one.name == "today")


def proposed(result: FleetLayout) -> LayoutOption:
    return next(one for one in result.options if one.proposed)


def headline(result: FleetLayout) -> str:
    now, best = figure(today(result)), figure(proposed(result))
    gain = ratio_text(now, best, "less", "more") if best < now else "no other way moves less"
    return f"{result.name}: {size_text(now)} per node and month today; {gain}" + (
        f" ({size_text(best)}) with {proposed(result).what}" if best < now else ""
    )


def basis(result: FleetLayout) -> str:
    return f"{result.releases_per_month:.1f} releases a month by {result.history}"


def way_cells(result: FleetLayout, option: LayoutOption) -> tuple[str, ...]:
    layers = " / ".join("+".join(names) for names in option.layers)
    seen = option.replayed_bytes_per_node_month
    return (
        f"{'> ' if option.proposed else '  '}{option.what}: {shorten(layers, _MEMBERS)}",
        size_text(option.expected_bytes_per_node_month),
        "no history" if seen is None else size_text(seen),
        ratio_text(figure(today(result)), figure(option), "less", "more"),
    )


def group_cells(group: LayoutGroup) -> tuple[str, ...]:
    more = group.member_count - len(group.members)
    names = ", ".join(group.members) + (f" and {more} more" if more else "")
    return (
        group.name,
        size_text(group.wire),
        f"{group.changes_per_month:.1f}",
        shorten(names, _MEMBERS),
    )


def change_lines(change: LayoutChange) -> list[str]:
    """What the strategy says."""
    if change.dockerfile is None and not change.skips:
        return [f"{change.strategy}: nothing to change in the Dockerfile"]
    said = [f"{change.strategy}: {reason}" for reason in change.because]
    return said + [f"{change.strategy} does not change it: {reason}" for reason in change.skips]


def patch(result: FleetLayout) -> list[str]:
    change = result.change
    if change is None or change.dockerfile is None or result.original is None:
        return []
    return diff_lines(result.original, change.dockerfile, "Dockerfile")


def markdown(result: FleetLayout) -> str:
    """For a pull request."""
    ways = [tuple(map(safe_markdown, way_cells(result, one))) for one in result.options]
    groups = [tuple(map(safe_markdown, group_cells(one))) for one in result.groups]
    parts = [
        f"## {safe_markdown(headline(result))}",
        safe_markdown(basis(result)),
        table_markdown(WAYS, ways, right=(1, 2, 3)),
        table_markdown(GROUPS, groups, right=(1, 2)),
    ]
    if result.change is not None:
        parts += [f"- {safe_markdown(line)}" for line in change_lines(result.change)]
    lines = patch(result)
    if lines:
        parts.append(block_markdown("\n".join(lines), "diff"))
    parts += [f"- {safe_markdown(note)}" for note in result.notes]
    if result.next:
        parts.append(f"Next: {code_markdown(result.next)}")
    return "\n\n".join(parts) + "\n"
