"""The result of `imgopt optimize`, for a terminal and as Markdown."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from imgopt.report.common import (
    NOT_MEASURED,
    block_markdown,
    new_user_text,
    ratio_text,
    safe_markdown,
    safe_terminal,
    seconds_text,
    size_text,
    table_markdown,
)
from imgopt.results.optimize import OptimizeResult, Timing, Variant

MARKS = {"proven": ("proven", "bold green"), "refuted": ("refuted", "bold red"), "unproven": ("unproven", "yellow")}
MOST_SKIPS = 6


def text(result: OptimizeResult) -> RenderableType:
    """One screen: the verdict, before and after, what changed and why, what was refused, the next command."""
    parts: list[RenderableType] = [_headline(result)]
    if result.variants:
        parts.append(Padding(_table(result), (1, 0)))
    for variant in result.variants:
        if variant.sizes is None and variant.reason:
            parts.append(Text(f"{variant.name} is refused: {safe_terminal(variant.reason)}", style="dim"))
    best = _shown(result)
    if best is not None:
        parts += _explained(best)
    if result.builds_by:
        parts.append(Text(builds_text(result), style="dim"))
    mounted = _new_user(result)
    if mounted:
        parts.append(Text(f"Before you ship it: {mounted}", style="yellow"))
    parts.append(Text(next_command(result), style="bold"))
    return Group(*parts)


def _headline(result: OptimizeResult) -> Text:
    best = recommended(result)
    if best is None or best.sizes is None or result.original.sizes is None:
        style = "bold green" if result.verdict == "good" else "bold yellow"
        lines = result.message.splitlines() or [result.verdict]
        shown = "\n".join(safe_terminal(line) for line in lines)
        return Text.assemble((f"{result.verdict}: ", style), shown)
    before, after = result.original.sizes.wire, best.sizes.wire
    what = f"{size_text(before)} -> {size_text(after)} on the wire"
    if before and after:
        what += f", {ratio_text(before, after)}"
    rebuild = best.timings.get("edit-source")
    if rebuild is not None and rebuild.ratio is not None and rebuild.ratio > 1.05:
        what += f", rebuild {rebuild.ratio:.1f}x faster"
    return Text.assemble(("proven: ", "bold green"), f"the {best.name} variant does the same job. {what}")


def _table(result: OptimizeResult) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "wire", "tar", "payload", "build", "rebuild", "user", "verdict"):
        table.add_column(name, justify="left" if name in ("", "user", "verdict") else "right", no_wrap=True)
    sizes = result.original.sizes
    first = next((variant for variant in result.variants if variant.timings), None)
    table.add_row(
        "original",
        size_text(sizes.wire if sizes else None),
        size_text(sizes.tar if sizes else None),
        size_text(sizes.payload if sizes else None),
        seconds_text(_median(first.timings["cold"].before)) if first and "cold" in first.timings else "",
        seconds_text(_median(first.timings["edit-source"].before)) if first and "edit-source" in first.timings else "",
        _user(result.original.user),
        "",
    )
    for variant in result.variants:
        table.add_row(*_row(variant))
    return table


def _row(variant: Variant) -> tuple[str | Text, ...]:
    word, style = MARKS[variant.verdict]
    if variant.sizes is None:
        shown = Text(word if variant.checks else "refused", style=style)
        return (variant.name, "-", "", "", "", "", "", shown)
    sizes = variant.sizes
    return (
        variant.name,
        size_text(sizes.wire),
        size_text(sizes.tar),
        size_text(sizes.payload),
        _after(variant.timings.get("cold")),
        _after(variant.timings.get("edit-source")),
        _user(variant.user),
        Text(word, style=style),
    )


def _user(user: str) -> str:
    """Without its group, so that the table fits 80 columns."""
    return safe_terminal(user.partition(":")[0] or "root")


def _after(timing: Timing | None) -> str:
    return seconds_text(_median(timing.after)) if timing is not None and timing.after else ""


def _median(values: list[float]) -> float | None:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else None


def recommended(result: OptimizeResult) -> Variant | None:
    return next((variant for variant in result.variants if variant.name == result.recommended), None)


def _new_user(result: OptimizeResult) -> str:
    best = recommended(result)
    return new_user_text(result.original.user, safe_terminal(best.user)) if best is not None else ""


def _shown(result: OptimizeResult) -> Variant | None:
    """The recommended variant, or the one that came furthest."""
    ran = [variant for variant in result.variants if variant.checks]
    return recommended(result) or (ran[-1] if ran else None)


def _explained(variant: Variant) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if variant.reason and variant.verdict != "proven":
        lines.append(Text(f"{variant.name} is {variant.verdict}: {safe_terminal(variant.reason)}", style="yellow"))
    lines.append(Text(f"What changed ({variant.name})", style="bold"))
    changes = [("+", c.strategy, f"line {c.line}" if c.line else "new", c.because) for c in variant.changes]
    lines.append(_columns([*changes, *(("~", "repair", "", words) for words in variant.repairs)]))
    lines.append(Text(_sources(variant), style="dim"))
    passed = [check for check in variant.checks if check.verdict == "passed"]
    failed = [check for check in variant.checks if check.verdict == "failed"]
    unknown = [check for check in variant.checks if check.verdict == "not measured"]
    lines.append(Text(f"Proof: {len(passed)} checks passed" + (f", {len(failed)} failed" if failed else "")
                      + (f", {len(unknown)} not measured" if unknown else ""), style="bold"))  # fmt: skip
    for check in (*failed, *unknown):
        first = check.detail.splitlines() or [""]
        shown = first[:4] if check.verdict == "failed" else first[:1]
        lines.append(
            Text(f"  {'x' if check.verdict == 'failed' else '?'} {check.name}: " + safe_terminal("; ".join(shown)))
        )
    if variant.skips:
        lines.append(Text("What was refused", style="bold"))
        lines.append(_columns([("-", skip.strategy, skip.reason) for skip in variant.skips[:MOST_SKIPS]]))
        if len(variant.skips) > MOST_SKIPS:
            lines.append(Text(f"  - and {len(variant.skips) - MOST_SKIPS} more", style="dim"))
    lines.append(Text(""))
    return lines


def _columns(rows: list[tuple[str, ...]]) -> Table:
    """Rows whose last column wraps below itself."""
    table = Table.grid(padding=(0, 1), pad_edge=True)
    width = len(rows[0]) if rows else 0
    for number in range(width):
        table.add_column(no_wrap=number < width - 1, overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe_terminal(cell)) for cell in row))
    return table


def _sources(variant: Variant) -> str:
    """Where the saving comes from: the other base alone, and everything else."""
    if variant.base_swap_bytes is None or variant.own_edit_bytes is None:
        return ""
    own = variant.own_edit_bytes
    rest = f"{size_text(own)} from the other changes" if own >= 0 else f"the other changes put {size_text(-own)} back"
    base = f"{size_text(variant.base_swap_bytes)} come from the base {safe_terminal(variant.base)} alone"
    return f"  of the saving on the wire, {base}, {rest}"


def builds_text(result: OptimizeResult) -> str:
    """How many builds were made, and for what."""
    parts = ", ".join(f"{safe_terminal(name)} {count}" for name, count in result.builds_by.items())
    ran = sum(result.steps_run.values())
    most = f", at most {result.most_builds} for a variant" if result.most_builds else ""
    return f"Builds: {result.builds} ({parts}){most}; {ran} RUN steps executed, the others came from the cache"


def next_command(result: OptimizeResult) -> str:
    context = safe_terminal(result.context)
    if result.recommended:
        return f"Next: imgopt optimize {context} --variant {result.recommended} --write"
    if result.verdict == "good":
        return f"Next: imgopt cache {context}   (what does a code change cost?)"
    return f"Next: imgopt optimize {context} --http PATH=TEXT --env NAME=VALUE   (say how the service is asked)"


def markdown(result: OptimizeResult) -> str:
    """The same for a pull request comment."""
    lines = [f"### imgopt: {safe_markdown(str(_headline(result)).splitlines()[0])}", ""]
    if result.variants:
        lines += [_markdown_table(result), ""]
    best = _shown(result)
    if best is None:
        return "\n".join([*lines, block_markdown(result.message), ""])
    mounted = _new_user(result)
    if mounted:
        lines += [f"**{safe_markdown(mounted)}**", ""]
    lines += ["| change | line | because |", "|---|---|---|"]
    lines += [f"| {c.strategy} | {c.line or 'new'} | {safe_markdown(c.because)} |" for c in best.changes]
    lines += ["", "| check | verdict | compared |", "|---|---|---|"]
    lines += [f"| {c.name} | {c.verdict} | {safe_markdown(c.detail.splitlines()[0])} |" for c in best.checks]
    if best.skips:
        lines += ["", "| refused | reason |", "|---|---|"]
        lines += [f"| {skip.strategy} | {safe_markdown(skip.reason)} |" for skip in best.skips]
    lines += [
        "",
        "<details><summary>Dockerfile</summary>",
        "",
        block_markdown(best.dockerfile, "dockerfile"),
        "",
        "</details>",
        "",
    ]
    return "\n".join(lines)


def _markdown_table(result: OptimizeResult) -> str:
    sizes = result.original.sizes
    rows = [["original", *_figures(sizes.wire if sizes else None, sizes.tar if sizes else None), "", ""]]
    for variant in result.variants:
        rebuild = variant.timings.get("edit-source")
        faster = f"{rebuild.ratio:.1f}x faster" if rebuild is not None and rebuild.ratio else NOT_MEASURED
        found = variant.sizes
        rows.append(
            [
                variant.name,
                *_figures(found.wire if found else None, found.tar if found else None),
                faster,
                variant.verdict,
            ]
        )
    return table_markdown(["", "wire", "tar", "rebuild after an edit", "verdict"], rows, right=(1, 2, 3))


def _figures(wire: int | None, tar: int | None) -> list[str]:
    return [size_text(wire), size_text(tar)]
