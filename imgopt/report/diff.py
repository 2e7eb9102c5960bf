"""What changed between two images, by cause; every table sums to the change it explains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgopt.report.common import (
    change_text,
    code_markdown,
    delta_text,
    safe_markdown,
    safe_terminal,
    shorten,
    size_text,
    table_markdown,
    two_sizes,
)
from imgopt.results.diff import Diff, InstructionChange, PackageChange

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_TOP = 10


def text(result: Diff) -> RenderableType:
    return summary(result, _TOP)


def summary(result: Diff, top: int) -> RenderableType:
    """One screen with at most `top` rows per table."""
    from rich.console import Group
    from rich.text import Text

    head = Text()
    head.append(safe_terminal(result.before.image), style="bold")
    head.append(" -> ")
    head.append(safe_terminal(result.after.image), style="bold")
    parts: list[RenderableType] = [head, _sizes(result), Text(_origin(result)), Text()]
    changed = [row for row in result.instructions if row.before != row.after]
    parts.append(_instructions(sorted(changed, key=lambda row: -abs(row.after - row.before))[:top]))
    parts += [Text(), _packages(result.packages[:top]), Text(), _paths(result, top)]
    return Group(*parts)


def _sizes(result: Diff) -> Table:
    table = _table("size", "before", "after", "change", "")
    estimated = result.before.sizes.wire_estimated or result.after.sizes.wire_estimated
    for name, before, after in _four(result):
        about = "≈ " if name == "wire" and estimated else ""
        if before is None or after is None:
            table.add_row(name, size_text(before), size_text(after), "not measured", "")
            continue
        shown = two_sizes(before, after)
        table.add_row(
            name, about + shown[0], about + shown[1], about + delta_text(before, after), change_text(before, after)
        )
    return table


def _four(result: Diff) -> list[tuple[str, int | None, int | None]]:
    before, after = result.before.sizes, result.after.sizes
    return [
        ("wire", before.wire, after.wire),
        ("tar", before.tar, after.tar),
        ("payload", before.payload, after.payload),
        ("live", before.live, after.live),
    ]


def _origin(result: Diff) -> str:
    base, own = result.base, result.own
    return f"payload: base image {delta_text(base.before, base.after)}, own layers {delta_text(own.before, own.after)}"


def _instructions(rows: Sequence[InstructionChange]) -> Table:
    from rich.text import Text

    table = _table("payload", "layer", "line", "instruction")
    for row in rows:
        line = str(row.line) if row.line is not None else "base" if row.base else ""
        table.add_row(
            delta_text(row.before, row.after),
            row.kind,
            line,
            Text(safe_terminal(row.instruction), overflow="ellipsis", no_wrap=True),
        )
    return table


def _packages(rows: Sequence[PackageChange]) -> Table:
    from rich.text import Text

    table = _table("live", "ecosystem", "package", "version")
    for row in rows:
        table.add_row(
            delta_text(row.before, row.after),
            row.ecosystem,
            Text(safe_terminal(row.name)),
            Text(safe_terminal(shorten(_versions(row), 50))),
        )
    return table


def _versions(row: PackageChange) -> str:
    if row.version_before == row.version_after:
        return row.version_after
    return f"{row.version_before or '(new)'} -> {row.version_after or '(gone)'}"


def _paths(result: Diff, top: int) -> Table:
    from rich.text import Text

    table = _table("live", "files", "path")
    for row in result.paths[:top]:
        files = row.files_after - row.files_before
        table.add_row(delta_text(row.before, row.after), f"{files:+d}" if files else "", Text(safe_terminal(row.path)))
    rest = result.paths[top:]
    if rest:
        before, after = sum(row.before for row in rest), sum(row.after for row in rest)
        table.add_row(delta_text(before, after), "", Text(f"({len(rest)} more)", style="dim"))
    return table


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = name in ("before", "after", "change", "", "payload", "live", "files", "line")
        table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric)
    return table


def markdown(result: Diff) -> str:
    """Sizes, instructions, packages and paths as tables."""
    sizes = [
        (name, size_text(before), size_text(after), delta_text(before or 0, after or 0))
        for name, before, after in _four(result)
    ]
    instructions = [
        (delta_text(row.before, row.after), row.kind, str(row.line or ""), code_markdown(shorten(row.instruction, 100)))
        for row in result.instructions
        if row.before != row.after
    ]
    packages = [
        (delta_text(row.before, row.after), code_markdown(row.name), safe_markdown(_versions(row)))
        for row in result.packages[:30]
    ]
    paths = [(delta_text(row.before, row.after), code_markdown(row.path)) for row in result.paths]
    lines = [
        f"## {code_markdown(result.before.image)} → {code_markdown(result.after.image)}",
        "",
        table_markdown(("size", "before", "after", "change"), sizes, right=(1, 2, 3)),
        "",
        safe_markdown(_origin(result)),
        "",
        table_markdown(("payload", "layer", "line", "instruction"), instructions, right=(0, 2)),
        "",
        table_markdown(("live", "package", "version"), packages, right=(0,)),
        "",
        table_markdown(("live", "path"), paths, right=(0,)),
    ]
    return "\n".join(lines) + "\n"
