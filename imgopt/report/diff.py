"""What changed between two images, by cause; every table sums to the change it explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from imgopt.report.analysis_layers import brief
from imgopt.report.common import (
    change_text,
    code_markdown,
    safe_markdown,
    safe_terminal,
    shorten,
    table_markdown,
)
from imgopt.report.words import ledger_text
from imgopt.results.diff import Change, Diff, InstructionChange, PackageChange
from imgopt.results.size_text import delta_text, size_text, two_sizes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from imgopt.report.layout import Cell, Grid

_TOP = 10
_MARKDOWN_PACKAGES = 30


def text(result: Diff) -> RenderableType:
    return summary(result, _TOP)


def summary(result: Diff, top: int) -> RenderableType:
    """One screen with at most `top` rows per table."""
    from rich.console import Group

    from imgopt.report.layout import Words

    head = Words()
    head.append(safe_terminal(result.before.image), style="bold")
    head.append(" -> ")
    head.append(safe_terminal(result.after.image), style="bold")
    parts: list[RenderableType] = [
        head,
        _sizes(result),
        Words(_origin(result)),
        Words(_classes(result)),
    ]
    changed = [row for row in result.instructions if row.before != row.after]
    if changed:
        parts += [
            Words(),
            _instructions(sorted(changed, key=lambda row: -abs(row.after - row.before)), top),
        ]
    if result.packages:
        parts += [Words(), _packages(result.packages, top)]
    if result.paths:
        parts += [Words(), _paths(result, top)]
    parts += [Words(f"note: {safe_terminal(note)}") for note in result.notes]
    more = (
        f"Next: imgopt analyze {safe_terminal(result.after.image)}   (what of it is waste, and what"
        " to change)"
    )
    return Group(*parts, Words(), Words(more, style="bold"))


def _classes(result: Diff) -> str:
    """What the payload's change consists of: bytes in use, and each kind of waste."""
    changed = sorted(
        (each for each in result.classes if each.before != each.after),
        key=lambda each: -_moved(each),
    )
    parts = (f"{ledger_text(each.name)} {delta_text(each.before, each.after)}" for each in changed)
    return f"files: {', '.join(parts)}" if changed else "no file differs in what the images ship"


def _moved(row: Change | InstructionChange | PackageChange) -> int:
    return abs(row.after - row.before)


def _rest(rows: Sequence[InstructionChange] | Sequence[PackageChange]) -> tuple[str, str]:
    """What the rows that are not shown sum to, and how many they are."""
    before, after = sum(row.before for row in rows), sum(row.after for row in rows)
    return delta_text(before, after), f"({len(rows):,} more)"


def _sizes(result: Diff) -> Grid:
    rows: list[tuple[str, ...]] = []
    estimated = result.before.sizes.wire_estimated or result.after.sizes.wire_estimated
    for name, before, after in _four(result):
        about = "≈ " if name == "wire" and estimated else ""
        if before is None or after is None:
            rows.append((name, size_text(before), size_text(after), "not measured", ""))
            continue
        shown = two_sizes(before, after)
        change = about + delta_text(before, after)
        rows.append((name, about + shown[0], about + shown[1], change, change_text(before, after)))
    return _table(("size", "before", "after", "change", ""), rows)


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
    parts = (
        f"base image {delta_text(base.before, base.after)}, own layers"
        f" {delta_text(own.before, own.after)}"
    )
    return f"of the payload: {parts}"


def _instructions(rows: Sequence[InstructionChange], top: int) -> Grid:
    from imgopt.report.layout import Clip

    shown: list[Sequence[Cell]] = []
    for row in rows[:top]:
        line = str(row.line) if row.line is not None else "base" if row.base else ""
        shown.append(
            (
                delta_text(row.before, row.after),
                row.kind,
                line,
                Clip(safe_terminal(brief(row.instruction))),
            )
        )
    if rows[top:]:
        size, count = _rest(rows[top:])
        shown.append((size, "", "", count))
    return _table(("payload", "layer", "line", "instruction"), shown)


def _packages(rows: Sequence[PackageChange], top: int) -> Grid:
    shown = [
        (
            delta_text(row.before, row.after),
            row.ecosystem,
            safe_terminal(row.name),
            safe_terminal(shorten(_versions(row), 50)),
        )
        for row in rows[:top]
    ]
    if rows[top:]:
        size, count = _rest(rows[top:])
        shown.append((size, "", count, ""))
    return _table(("live", "ecosystem", "package", "version"), shown)


def _versions(row: PackageChange) -> str:
    if row.version_before == row.version_after:
        return row.version_after
    return f"{row.version_before or '(new)'} -> {row.version_after or '(gone)'}"


def _paths(result: Diff, top: int) -> Grid:
    shown = []
    for row in result.paths[:top]:
        files = row.files_after - row.files_before
        shown.append(
            (
                delta_text(row.before, row.after),
                f"{files:+d}" if files else "",
                safe_terminal(row.path),
            )
        )
    rest = result.paths[top:]
    if rest:
        before, after = sum(row.before for row in rest), sum(row.after for row in rest)
        shown.append((delta_text(before, after), "", f"({len(rest)} more)"))
    return _table(("live", "files", "path"), shown)


_FIGURES = ("before", "after", "change", "", "payload", "live", "files", "line")
_SENTENCES = ("instruction", "package", "path")


def _table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Grid:
    from imgopt.report.layout import Column, Grid

    return Grid([Column(name, name in _FIGURES, name in _SENTENCES) for name in columns], rows)


def markdown(result: Diff) -> str:
    """Sizes, instructions, packages and paths as tables that sum to what they explain."""
    estimated = result.before.sizes.wire_estimated or result.after.sizes.wire_estimated
    sizes = []
    for name, before, after in _four(result):
        about = "≈ " if name == "wire" and estimated else ""
        change = (
            about + delta_text(before, after)
            if before is not None and after is not None
            else "not measured"
        )
        sizes.append((name, about + size_text(before), about + size_text(after), change))
    lines = [
        f"## {code_markdown(result.before.image)} → {code_markdown(result.after.image)}",
        "",
        table_markdown(("size", "before", "after", "change"), sizes, right=(1, 2, 3)),
        "",
        f"{safe_markdown(_origin(result))}; {safe_markdown(_classes(result))}",
    ]
    for table in _markdown_tables(result):
        lines += ["", table]
    return "\n".join(lines) + "\n"


def _markdown_tables(result: Diff) -> Iterator[str]:
    instructions = [
        (
            delta_text(row.before, row.after),
            row.kind,
            str(row.line or ""),
            code_markdown(shorten(row.instruction, 100)),
        )
        for row in result.instructions
        if row.before != row.after
    ]
    packages = [
        (delta_text(row.before, row.after), code_markdown(row.name), safe_markdown(_versions(row)))
        for row in result.packages[:_MARKDOWN_PACKAGES]
    ]
    if result.packages[_MARKDOWN_PACKAGES:]:
        packages.append((*_rest(result.packages[_MARKDOWN_PACKAGES:]), ""))
    paths = [(delta_text(row.before, row.after), code_markdown(row.path)) for row in result.paths]
    if instructions:
        yield table_markdown(
            ("payload", "layer", "line", "instruction"), instructions, right=(0, 2)
        )
    if packages:
        yield table_markdown(("live", "package", "version"), packages, right=(0,))
    if paths:
        yield table_markdown(("live", "path"), paths, right=(0,))
