"""The result of `imgopt optimize`, for a terminal and as Markdown."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding

from imgopt.report import pull_request
from imgopt.report.asked import asked_markdown, asked_text
from imgopt.report.command import missing_lines, next_command
from imgopt.report.common import (
    block_markdown,
    new_user_text,
    safe_markdown,
    safe_terminal,
    seconds_text,
    table_markdown,
)
from imgopt.report.file_diff import change_lines, diff_listing
from imgopt.report.layout import Column, Grid, Words
from imgopt.report.lives import line as lives_line
from imgopt.report.rewrite import findings_markdown, findings_text
from imgopt.report.run_facts_words import run_lines
from imgopt.report.words import (
    edit_text,
    gain_text,
    medians,
    pushed_text,
    recommended,
    times_text,
    wire_text,
)
from imgopt.results.optimize import OptimizeResult, Sizes, Variant
from imgopt.results.size_text import size_text
from imgopt.rewrite.bases import NOT_HAD

MARKS = {
    "proven": ("proven", "bold green"),
    "refuted": ("refuted", "bold red"),
    "unproven": ("unproven", "yellow"),
}
MOST_SKIPS = 6

pr = pull_request.pr
"""The format `pr`."""


def text(result: OptimizeResult) -> RenderableType:
    """One screen: the verdict, before and after, what changed and why, what was refused, the next
    command."""
    parts: list[RenderableType] = [_headline(result)]
    parts += [Words(safe_terminal(line), style="yellow") for line in notes(result)]
    if result.variants:
        parts.append(Padding(_table(result), (1, 0)))
    for variant in result.variants:
        if variant.sizes is None and variant.reason and not _is_for_a_base(result, variant):
            parts.append(
                Words(f"{variant.name} is refused: {safe_terminal(variant.reason)}", style="dim")
            )
    best = _shown(result)
    if best is not None:
        parts += _explained(result, best)
    parts += asked_text(result.asked)
    parts += [Words(safe_terminal(line), style="dim") for line in run_lines(result.run_facts)]
    parts += findings_text(result.findings)
    if result.builds_by:
        parts.append(Words(builds_text(result), style="dim"))
    mounted = _new_user(result)
    if mounted:
        parts.append(Words(f"Before you ship it: {mounted}", style="yellow"))
    parts += [Words(safe_terminal(line), style="yellow") for line in compose_lines(result)]
    parts.append(Words(safe_terminal(next_command(result)), style="bold"))
    return Group(*parts)


def change(result: OptimizeResult) -> RenderableType | None:
    """The recommended variant as a patch of the file; None where there is none."""
    best = recommended(result)
    if best is None:
        return None
    return diff_listing(change_lines(result, best))


def _headline(result: OptimizeResult) -> Words:
    best = recommended(result)
    if best is None or best.sizes is None or result.original.sizes is None:
        style = "bold green" if result.verdict == "good" else "bold yellow"
        lines = result.message.splitlines() or [result.verdict]
        shown = "\n".join(safe_terminal(line) for line in lines)
        return _said(f"{result.verdict}: ", style, shown)
    said = f"the {best.name} variant does the same job. {gain_text(result, best)}"
    return _said("proven: ", "bold green", said)


def headline(result: OptimizeResult) -> str:
    """The verdict with its figures, in one line."""
    return _headline(result).plain.splitlines()[0]


def notes(result: OptimizeResult) -> list[str]:
    """What belongs right below the headline: bases that are missing, a timing that did not come to
    its end, and a variant that is held back for its rebuilds."""
    stopped = (
        f"Timing was {result.interrupted}: what is proven is whole" if result.interrupted else ""
    )
    timed = f"Timing {result.timing_note}" if result.timing_note else ""
    fault = f"Timing ended: {result.fault}" if result.fault else ""
    slower = [
        f"{variant.name} is proven and not recommended: {variant.held_back}"
        for variant in result.variants
        if variant.held_back
    ]
    return [*missing_lines(result), *filter(None, (stopped, fault, timed)), *slower]


def _is_for_a_base(result: OptimizeResult, variant: Variant) -> bool:
    """Refused for a base that is missing, which stands below the headline."""
    return any(
        one.variant == variant.name and f"{one.names[-1]} " in variant.reason
        for one in result.missing_bases
    )


def _said(word: str, style: str, sentence: str) -> Words:
    line = Words()
    line.append(word, style=style).append(sentence)
    return line


def _table(result: OptimizeResult) -> Grid:
    names = ("", "wire", "tar", "payload", "build", "rebuild", "user", "verdict")
    columns = [Column(name, right=name not in ("", "user", "verdict")) for name in names]
    sizes = result.original.sizes
    first = next((variant for variant in result.variants if variant.timings), None)
    original = (
        "original",
        wire_text(sizes),
        size_text(sizes.tar if sizes else None),
        size_text(sizes.payload if sizes else None),
        _seconds(medians(first.timings.get("cold"))[0]) if first else "",
        _seconds(medians(first.timings.get("edit-source"))[0]) if first else "",
        _user(result.original.user),
        "",
    )
    return Grid(columns, [original, *map(_row, result.variants)])


def _row(variant: Variant) -> tuple[str | Words, ...]:
    word, style = MARKS[variant.verdict]
    if variant.sizes is None:
        shown = Words(word if variant.checks else "refused", style=style)
        return (variant.name, "-", "", "", "", "", "", shown)
    sizes = variant.sizes
    return (
        variant.name,
        wire_text(sizes),
        size_text(sizes.tar),
        size_text(sizes.payload),
        _seconds(medians(variant.timings.get("cold"))[1]),
        _seconds(medians(variant.timings.get("edit-source"))[1]),
        _user(variant.user),
        Words(word, style=style),
    )


def _user(user: str) -> str:
    """Without its group, so that the table fits 80 columns."""
    return safe_terminal(user.partition(":")[0] or "root")


def _seconds(value: float | None) -> str:
    return "" if value is None else seconds_text(value)


def _new_user(result: OptimizeResult) -> str:
    best = recommended(result)
    return new_user_text(result.original.user, safe_terminal(best.user)) if best is not None else ""


def compose_lines(result: OptimizeResult) -> list[str]:
    """What the Compose file has to say otherwise with the recommended variant."""
    best = recommended(result)
    return [
        f"Compose file, service {note.service}: {note.message}"
        + (f" (write {note.key}: {note.instead})" if note.instead else "")
        for note in (best.compose if best is not None else ())
    ]


def _shown(result: OptimizeResult) -> Variant | None:
    """The recommended variant, or the one that came furthest."""
    ran = [variant for variant in result.variants if variant.checks]
    return recommended(result) or (ran[-1] if ran else None)


def _explained(result: OptimizeResult, variant: Variant) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if variant.reason and variant.verdict != "proven":
        lines.append(
            Words(
                f"{variant.name} is {variant.verdict}: {safe_terminal(variant.reason)}",
                style="yellow",
            )
        )
    lines.append(Words(f"What changed ({variant.name})", style="bold"))
    changes = [
        ("+", c.strategy, f"line {c.line}" if c.line else "new", c.because) for c in variant.changes
    ]
    lines.append(_columns([*changes, *(("~", "repair", "", words) for words in variant.repairs)]))
    lines.append(Words(_sources(variant), style="dim"))
    edit = edit_text(result, variant)
    if edit:
        what = result.environment.get("edit", "one file")
        lines.append(Words(safe_terminal(f"After an edit ({what}): {edit}")))
    passed = [check for check in variant.checks if check.verdict == "passed"]
    failed = [check for check in variant.checks if check.verdict == "failed"]
    unknown = [check for check in variant.checks if check.verdict == "not measured"]
    lines.append(
        Words(
            f"Proof: {len(passed)} checks passed"
            + (f", {len(failed)} failed" if failed else "")
            + (f", {len(unknown)} not measured" if unknown else ""),
            style="bold",
        )
    )
    for check in (*failed, *unknown):
        first = check.detail.splitlines() or [""]
        shown = first[:4] if check.verdict == "failed" else first[:1]
        lines.append(
            Words(
                f"  {'x' if check.verdict == 'failed' else '?'} {check.name}: "
                + safe_terminal("; ".join(shown))
            )
        )
    if variant.lives is not None:
        lines.append(Words(f"  later edits: {safe_terminal(lives_line(variant.lives))}"))
    skips = [skip for skip in variant.skips if not skip.reason.endswith(NOT_HAD)]
    if skips:
        lines.append(Words("What was refused", style="bold"))
        lines.append(_columns([("-", skip.strategy, skip.reason) for skip in skips[:MOST_SKIPS]]))
        if len(skips) > MOST_SKIPS:
            lines.append(Words(f"  - and {len(skips) - MOST_SKIPS} more", style="dim"))
    lines.append(Words(""))
    return lines


def _columns(rows: list[tuple[str, ...]]) -> Grid:
    """Rows whose last column wraps below itself."""
    width = len(rows[0]) if rows else 0
    columns = [Column(wraps=number == width - 1) for number in range(width)]
    return Grid(columns, [tuple(map(safe_terminal, row)) for row in rows])


def _sources(variant: Variant) -> str:
    """Where the saving comes from: the other base alone, and everything else."""
    if not (variant.base and variant.base_swap_bytes) or variant.own_edit_bytes is None:
        return ""
    own = variant.own_edit_bytes
    rest = (
        f"{size_text(own)} from the other changes"
        if own >= 0
        else f"the other changes put {size_text(-own)} back"
    )
    base = (
        f"{size_text(variant.base_swap_bytes)} come from the base {safe_terminal(variant.base)}"
        " alone"
    )
    return f"  of the saving on the wire, {base}, {rest}"


def builds_text(result: OptimizeResult) -> str:
    """How many builds were made, and for what."""
    parts = ", ".join(f"{safe_terminal(name)} {count}" for name, count in result.builds_by.items())
    ran = sum(result.steps_run.values())
    most = f", at most {result.most_builds} for a variant" if result.most_builds else ""
    return (
        f"Builds: {result.builds} ({parts}){most}; {ran} RUN steps executed, the others came from"
        " the cache"
    )


def markdown(result: OptimizeResult) -> str:
    """The same for a pull request comment."""
    lines = [f"### imgopt: {safe_markdown(str(_headline(result)).splitlines()[0])}", ""]
    lines += [f"{safe_markdown(line)}\n" for line in notes(result)]
    if result.variants:
        lines += [_markdown_table(result), ""]
    lines += findings_markdown(result.findings)
    best = _shown(result)
    if best is None:
        return "\n".join([*lines, block_markdown(result.message), ""])
    mounted = _new_user(result)
    if mounted:
        lines += [f"**{safe_markdown(mounted)}**", ""]
    lines += [line for said in compose_lines(result) for line in (safe_markdown(said), "")]
    lines += ["| change | line | because |", "|---|---|---|"]
    lines += [
        f"| {c.strategy} | {c.line or 'new'} | {safe_markdown(c.because)} |" for c in best.changes
    ]
    lines += ["", "| check | verdict | compared |", "|---|---|---|"]
    lines += [
        f"| {c.name} | {c.verdict} | {safe_markdown(c.detail.splitlines()[0])} |"
        for c in best.checks
    ]
    if best.skips:
        lines += ["", "| refused | reason |", "|---|---|"]
        lines += [f"| {skip.strategy} | {safe_markdown(skip.reason)} |" for skip in best.skips]
    lines += ["", *asked_markdown(result.asked)]
    lines += [f"- {safe_markdown(line)}" for line in run_lines(result.run_facts)]
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
    rows = [["original", *_figures(sizes), "", "", ""]]
    for variant in result.variants:
        found = variant.sizes
        rows.append(
            [
                variant.name,
                *_figures(found),
                times_text(variant.timings.get("edit-source")),
                pushed_text(result, variant),
                variant.verdict,
            ]
        )
    return table_markdown(
        ["", "wire", "tar", "rebuild after an edit", "pushed again then", "verdict"],
        rows,
        right=(1, 2, 3, 4),
    )


def _figures(sizes: Sizes | None) -> list[str]:
    return [wire_text(sizes), size_text(sizes.tar if sizes else None)]
