"""What is in an image: one screen by bytes, longer views on request, and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from imgopt.report.analysis_layers import layer_table, table
from imgopt.report.common import (
    bar,
    code_markdown,
    percent_text,
    safe_markdown,
    safe_terminal,
    shorten,
    table_markdown,
)
from imgopt.report.words import ledger_text
from imgopt.results.analysis import Analysis, FileRow, Finding, ImageSizes, Where
from imgopt.results.size_text import size_text

if TYPE_CHECKING:
    from rich.console import RenderableType


_TOP = 6
_LEVELS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def text(result: Analysis) -> RenderableType:
    """The summary: sizes, the largest layers, what can be saved."""
    return summary(result, _TOP)


def summary(result: Analysis, top: int) -> RenderableType:
    """One screen with at most `top` rows per part: what is big, which line did it, what to do
    next."""
    from rich.console import Group

    from imgopt.report.layout import Words

    head = Words()
    head.append(safe_terminal(result.image), style="bold")
    head.append(f"  {safe_terminal(result.platform)}  from {result.source}", style="dim")
    parts: list[RenderableType] = [
        head,
        Words(sizes_text(result.sizes)),
        Words(_ledger_text(result)),
    ]
    if result.layers:
        parts.append(Words())
        parts.append(
            layer_table(
                sorted(result.layers, key=lambda row: (-row.sizes.payload, row.index))[:top]
            )
        )
    if len(result.layers) > top:
        parts.append(Words(f"  … {len(result.layers) - top} smaller layers: --layers", style="dim"))
    parts += [
        Words(),
        *_finding_lines(result.findings, top),
        Words(),
        Words(_packages_text(result)),
    ]
    parts += [Words(line, style="dim") for line in _more_lines(result)]
    if any(each.strategy for each in result.findings):
        line = (
            "Next: imgopt optimize CONTEXT   (makes the changes, and proves that the service still"
            " does its job)"
        )
        parts.append(Words(line, style="bold"))
    return Group(*parts)


def _more_lines(result: Analysis) -> list[str]:
    lines = ["more: --layers --findings --packages --files --tree --top N --ncdu --format json"]
    if result.layers and not any(row.line is not None for row in result.layers):
        lines.insert(0, "lines: -f Dockerfile says which line made each layer")
    return lines


def sizes_text(sizes: ImageSizes) -> str:
    """All four sizes; an estimate says so, with its error."""
    shipped = (
        f"payload {size_text(sizes.payload)} (files shipped) · live {size_text(sizes.live)} (files"
        " in use)"
    )
    return f"wire {_wire_text(sizes)} (what a pull moves) · tar {size_text(sizes.tar)} · {shipped}"


def _wire_text(sizes: ImageSizes) -> str:
    if not sizes.wire_estimated:
        return size_text(sizes.wire)
    return f"≈ {size_text(sizes.wire)}" + (
        f" ± {size_text(sizes.wire_error)}" if sizes.wire_error else ""
    )


def _ledger_text(result: Analysis) -> str:
    wasted = {kind: size for kind, size in result.ledger.items() if size and kind != "live"}
    if not wasted:
        return "every byte that is shipped is in use"
    share = percent_text(sum(wasted.values()) / max(1, result.sizes.payload))
    parts = ", ".join(
        f"{size_text(size)} {ledger_text(kind)}"
        for kind, size in sorted(wasted.items(), key=lambda item: -item[1])
    )
    return f"shipped for nothing {size_text(sum(wasted.values()))} ({share}): {parts}"


def _packages_text(result: Analysis) -> str:
    own = [row for row in result.packages if row.inside is None]
    unread = sum(finding.id == "packages-unread" for finding in result.findings)
    if not own:
        known = "no packages" if not unread else "packages in a database that cannot be read"
        return f"{known}; {size_text(result.unowned)} in files"
    largest = ", ".join(
        f"{safe_terminal(shorten(row.name, 30))} {size_text(row.bytes)}" for row in own[:5]
    )
    count = "1 package" if len(result.packages) == 1 else f"{len(result.packages):,} packages"
    return (
        f"{count} ({largest}{', …' if len(own) > 5 else ''}), {size_text(result.unowned)} owned by"
        " none"
    )


def _ranked(findings: Sequence[Finding]) -> list[Finding]:
    """As they are, by bytes, but errors (secrets) before all others."""
    return sorted(findings, key=lambda each: each.level != "error")


def _finding_lines(
    findings: Sequence[Finding], top: int, *, evidence: bool = False
) -> list[RenderableType]:
    from imgopt.report.layout import Words

    if not findings:
        return [Words("nothing to change was found", style="green")]
    rows = []
    for finding in _ranked(findings)[:top]:
        cell = Words(
            safe_terminal(finding.message),
            style=_LEVELS["error"] if finding.level == "error" else "",
        )
        place = _place(finding.where)
        cell.append(f"\n{f'{place}: ' if place else ''}{safe_terminal(finding.hint)}", style="dim")
        for seen in finding.evidence if evidence else ():
            cell.append(f"\n  {size_text(seen.bytes):>9}  {safe_terminal(shorten(seen.path, 60))}")
        fix = Words(finding.strategy or "(by hand)", style="green" if finding.strategy else "dim")
        rows.append((size_text(finding.bytes) if finding.bytes else "-", cell, fix))
    lines: list[RenderableType] = [table(("saves", "what to change", "strategy"), rows)]
    if len(findings) > top:
        lines.append(Words(f"  … {len(findings) - top} more: --top {len(findings)}", style="dim"))
    return lines


def _place(where: Where) -> str:
    if where.line is not None:
        return f"{safe_terminal(where.file or '')}:{where.line}"
    return f"layer {where.layer}" if where.layer is not None else ""


def layers(result: Analysis, top: int) -> RenderableType:
    """All layers in order; `top` does not shorten them, their order is the point."""
    del top
    return layer_table(result.layers)


def findings(result: Analysis, top: int) -> RenderableType:
    """What to change, with what it was seen in."""
    from rich.console import Group

    return Group(*_finding_lines(result.findings, top, evidence=True))


def packages(result: Analysis, top: int) -> RenderableType:
    rows = []
    for row in result.packages[:top]:
        name = row.name if row.inside is None else f"{row.name} (in {row.inside})"
        figures = size_text(row.bytes), str(row.files), str(row.layer)
        rows.append((*figures, row.ecosystem, safe_terminal(name), safe_terminal(row.version)))
    rest = result.packages[top:]
    if rest:
        total = sum(row.bytes for row in rest if row.inside is None)
        rows.append((size_text(total), "", "", "", f"({len(rest):,} more)", ""))
    rows.append((size_text(result.unowned), "", "", "", "(owned by no package)", ""))
    return table(("bytes", "files", "layer", "ecosystem", "package", "version"), rows)


def files(result: Analysis, top: int) -> RenderableType:
    rows = [
        (
            size_text(row.bytes),
            str(row.layer),
            safe_terminal(row.package or ""),
            safe_terminal(row.path),
        )
        for row in result.files[:top]
    ]
    return table(("bytes", "layer", "package", "path"), rows)


def tree(result: Analysis, top: int) -> RenderableType:
    """Directories with most of the live bytes, at their place in the tree; a chain of them with
    equal bytes is one."""
    kept = sorted(result.directories, key=lambda row: (-row.bytes, row.path.count("/"), row.path))
    shown: dict[str, FileRow] = {}
    for row in kept:
        above = row.path.rpartition("/")[0] or "/"
        if (
            row.path != "/"
            and above in shown
            and (shown[above].bytes, shown[above].files) == (row.bytes, row.files)
        ):
            del shown[above]
        elif len(shown) >= top:
            break
        shown[row.path] = row
    rows = []
    for row in sorted(
        shown.values(), key=lambda row: row.path.split("/") if row.path != "/" else []
    ):
        above = _nearest(row.path, shown)
        depth = (
            sum(1 for path in shown if path == "/" or row.path.startswith(f"{path}/"))
            if row.path != "/"
            else 0
        )
        label = (
            "/"
            if row.path == "/"
            else f"{row.path.removeprefix('/' if above == '/' else f'{above}/')}/"
        )
        share = bar(row.bytes / max(1, result.sizes.live), 10)
        rows.append(
            (size_text(row.bytes), share, f"{row.files:,}", safe_terminal(f"{'  ' * depth}{label}"))
        )
    return table(("live", "", "files", "directory"), rows)


def _nearest(path: str, shown: Iterable[str]) -> str:
    """The nearest directory above that is shown; "/" where there is none."""
    return max(
        (each for each in shown if each != "/" and path.startswith(f"{each}/")),
        key=len,
        default="/",
    )


VIEWS: dict[str, Callable[[Analysis, int], RenderableType]] = {
    "layers": layers,
    "findings": findings,
    "packages": packages,
    "files": files,
    "tree": tree,
}


def markdown(result: Analysis) -> str:
    """Sizes, layers and findings as tables; packages and directories are in the JSON."""
    sizes = result.sizes
    lines = [
        f"## {code_markdown(result.image)}",
        "",
        table_markdown(
            ("wire", "tar", "payload", "live"),
            [
                (
                    _wire_text(sizes),
                    size_text(sizes.tar),
                    size_text(sizes.payload),
                    size_text(sizes.live),
                )
            ],
            right=(0, 1, 2, 3),
        ),
        "",
        "### What to change",
        "",
        table_markdown(
            ("saves", "finding", "where", "fix"), _finding_rows(result.findings), right=(0,)
        ),
        "",
        "### Layers",
        "",
        table_markdown(
            ("layer", "payload", "wasted", "line", "instruction"),
            _layer_rows(result),
            right=(0, 1, 2, 3),
        ),
        "",
        "### Largest packages",
        "",
        table_markdown(
            ("bytes", "package", "version", "ecosystem"), _package_rows(result), right=(0,)
        ),
    ]
    return "\n".join(lines) + "\n"


def _finding_rows(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    return [
        (
            size_text(finding.bytes) if finding.bytes else "-",
            f"{safe_markdown(finding.message)}<br>{safe_markdown(finding.hint)}",
            safe_markdown(_place(finding.where)),
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
            (
                row.index,
                row.diff_id,
                sizes.wire,
                sizes.tar,
                sizes.payload,
                sizes.live,
                row.line,
                row.instruction,
            )
        )
    return out.getvalue()
