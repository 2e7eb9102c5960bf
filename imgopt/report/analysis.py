"""What is in an image: one screen by bytes, longer views on request, and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from imgopt.report.common import (
    bar,
    code_markdown,
    percent_text,
    safe_markdown,
    safe_terminal,
    shorten,
    size_text,
    table_markdown,
)
from imgopt.results.analysis import Analysis, Finding, ImageSizes, LayerRow, Where

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_TOP = 8
_LEVELS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def text(result: Analysis) -> RenderableType:
    """The summary: sizes, the largest layers, what can be saved."""
    return summary(result, _TOP)


def summary(result: Analysis, top: int) -> RenderableType:
    """One screen with at most `top` rows per part."""
    from rich.console import Group
    from rich.text import Text

    head = Text()
    head.append(safe_terminal(result.image), style="bold")
    head.append(f"  {safe_terminal(result.platform)}  from {result.source}", style="dim")
    parts: list[RenderableType] = [head, Text(sizes_text(result.sizes)), Text(_ledger_text(result)), Text()]
    parts.append(layer_table(sorted(result.layers, key=lambda row: (-row.sizes.payload, row.index))[:top]))
    if len(result.layers) > top:
        parts.append(Text(f"  … {len(result.layers) - top} smaller layers: --layers", style="dim"))
    parts += [Text(), *_finding_lines(result.findings, top), Text(), Text(_packages_text(result), style="dim")]
    parts.append(Text("more: --layers --packages --files --tree --top N --format json", style="dim"))
    return Group(*parts)


def sizes_text(sizes: ImageSizes) -> str:
    """All four sizes; an estimate says so, with its error."""
    rest = f"tar {size_text(sizes.tar)} · payload {size_text(sizes.payload)} · live {size_text(sizes.live)}"
    return f"wire {_wire_text(sizes)} · {rest}"


def _wire_text(sizes: ImageSizes) -> str:
    if not sizes.wire_estimated:
        return size_text(sizes.wire)
    return f"≈ {size_text(sizes.wire)}" + (f" ± {size_text(sizes.wire_error)}" if sizes.wire_error else "")


def _ledger_text(result: Analysis) -> str:
    wasted = {kind: size for kind, size in result.ledger.items() if size and kind != "live"}
    if not wasted:
        return "every byte that is shipped is in the final tree"
    share = percent_text(sum(wasted.values()) / max(1, result.sizes.payload))
    parts = ", ".join(f"{size_text(size)} {kind}" for kind, size in sorted(wasted.items(), key=lambda item: -item[1]))
    return f"shipped for nothing {size_text(sum(wasted.values()))} ({share}): {parts}"


def _packages_text(result: Analysis) -> str:
    own = [row for row in result.packages if row.inside is None]
    largest = ", ".join(f"{safe_terminal(shorten(row.name, 30))} {size_text(row.bytes)}" for row in own[:5])
    return f"{len(result.packages)} packages ({largest}, …), {size_text(result.unowned)} owned by none"


def layer_table(rows: Sequence[LayerRow]) -> Table:
    """Layers with their share of the payload, what of them is wasted, and their instruction."""
    from rich.text import Text

    table = _table("layer", "payload", "", "wasted", "line", "instruction")
    largest = max((row.sizes.payload for row in rows), default=1) or 1
    for row in rows:
        wasted = row.sizes.payload - row.ledger.get("live", 0)
        line = str(row.line) if row.line is not None else "base" if row.base else ""
        table.add_row(
            str(row.index),
            size_text(row.sizes.payload),
            bar(row.sizes.payload / largest, 10),
            size_text(wasted) if wasted else "",
            line,
            Text(safe_terminal(row.instruction), overflow="ellipsis", no_wrap=True, style="dim" if row.base else ""),
        )
    return table


def _finding_lines(findings: Sequence[Finding], top: int) -> list[RenderableType]:
    from rich.text import Text

    if not findings:
        return [Text("nothing to change was found", style="green")]
    table = _table("saves", "finding", "fix")
    shown = [
        *(each for each in findings if each.level == "error"),
        *(each for each in findings if each.level != "error"),
    ]
    for finding in shown[:top]:
        message = Text(safe_terminal(finding.message), style=_LEVELS[finding.level] if finding.level == "error" else "")
        message.append(_place(finding.where), style="dim")
        fix = Text(finding.strategy or "", style="green")
        table.add_row(size_text(finding.bytes) if finding.bytes else "-", message, fix)
    lines: list[RenderableType] = [table]
    if len(findings) > top:
        lines.append(Text(f"  … {len(findings) - top} more: --top {len(findings)}", style="dim"))
    return lines


def _place(where: Where) -> str:
    if where.line is not None:
        return f"  {safe_terminal(where.file or '')}:{where.line}"
    return f"  layer {where.layer}" if where.layer is not None else ""


def layers(result: Analysis, top: int) -> RenderableType:
    """All layers in order; `top` does not shorten them, their order is the point."""
    del top
    return layer_table(result.layers)


def packages(result: Analysis, top: int) -> RenderableType:
    table = _table("bytes", "files", "layer", "ecosystem", "package", "version")
    for row in result.packages[:top]:
        name = row.name if row.inside is None else f"{row.name} (in {row.inside})"
        table.add_row(size_text(row.bytes), str(row.files), str(row.layer), row.ecosystem, *_texts(name, row.version))
    table.add_row(size_text(result.unowned), "", "", "", "(owned by no package)", "")
    return table


def files(result: Analysis, top: int) -> RenderableType:
    table = _table("bytes", "layer", "package", "path")
    for row in result.files[:top]:
        table.add_row(size_text(row.bytes), str(row.layer), *_texts(row.package or "", row.path))
    return table


def tree(result: Analysis, top: int) -> RenderableType:
    """Directories with most of the live bytes, at their place in the tree."""
    from rich.text import Text

    kept = sorted(result.directories, key=lambda row: (-row.bytes, row.path))[:top]
    table = _table("live", "", "files", "directory")
    for row in sorted(kept, key=lambda row: row.path.split("/")):
        depth = 0 if row.path == "/" else row.path.count("/")
        label = f"{'  ' * depth}{row.path if row.path == '/' else row.path.rpartition('/')[2] + '/'}"
        share = bar(row.bytes / max(1, result.sizes.live), 10)
        table.add_row(size_text(row.bytes), share, f"{row.files:,}", Text(safe_terminal(label)))
    return table


VIEWS: dict[str, Callable[[Analysis, int], RenderableType]] = {
    "layers": layers,
    "packages": packages,
    "files": files,
    "tree": tree,
}


def _texts(*values: str) -> tuple[RenderableType, ...]:
    from rich.text import Text

    return tuple(Text(safe_terminal(value)) for value in values)


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = name in ("layer", "payload", "wasted", "line", "saves", "bytes", "files", "live")
        table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric)
    return table


def markdown(result: Analysis) -> str:
    """Sizes, layers and findings as tables; packages and directories are in the JSON."""
    sizes = result.sizes
    lines = [
        f"## {code_markdown(result.image)}",
        "",
        table_markdown(
            ("wire", "tar", "payload", "live"),
            [(_wire_text(sizes), size_text(sizes.tar), size_text(sizes.payload), size_text(sizes.live))],
            right=(0, 1, 2, 3),
        ),
        "",
        "### What to change",
        "",
        table_markdown(("saves", "finding", "where", "fix"), _finding_rows(result.findings), right=(0,)),
        "",
        "### Layers",
        "",
        table_markdown(("layer", "payload", "wasted", "line", "instruction"), _layer_rows(result), right=(0, 1, 2, 3)),
        "",
        "### Largest packages",
        "",
        table_markdown(("bytes", "package", "version", "ecosystem"), _package_rows(result), right=(0,)),
    ]
    return "\n".join(lines) + "\n"


def _finding_rows(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    return [
        (
            size_text(finding.bytes) if finding.bytes else "-",
            f"{safe_markdown(finding.message)}<br>{safe_markdown(finding.hint)}",
            safe_markdown(_place(finding.where).strip()),
            code_markdown(finding.strategy or ""),
        )
        for finding in findings
    ]


def _layer_rows(result: Analysis) -> list[tuple[str, ...]]:
    return [
        (
            str(row.index),
            size_text(row.sizes.payload),
            size_text(row.sizes.payload - row.ledger.get("live", 0)),
            str(row.line or ""),
            code_markdown(shorten(row.instruction, 100)),
        )
        for row in result.layers
    ]


def _package_rows(result: Analysis) -> list[tuple[str, ...]]:
    return [
        (size_text(row.bytes), code_markdown(row.name), safe_markdown(row.version), row.ecosystem)
        for row in result.packages[:20]
    ]


def csv(result: Analysis) -> str:
    """One line per layer."""
    import csv as writer
    import io

    out = io.StringIO()
    rows = writer.writer(out, lineterminator="\n")
    rows.writerow(("layer", "diff_id", "wire", "tar", "payload", "live", "line", "instruction"))
    for row in result.layers:
        sizes = row.sizes
        rows.writerow(
            (row.index, row.diff_id, sizes.wire, sizes.tar, sizes.payload, sizes.live, row.line, row.instruction)
        )
    return out.getvalue()
