"""`imgopt/bench/1` for the terminal, as Markdown and as CSV; its page is
`imgopt.report.views.bench`."""

from __future__ import annotations

import csv as csv_module
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from imgopt.report.common import (
    COMMENT_LIMIT,
    block_markdown,
    change_text,
    code_markdown,
    details_markdown,
    fit_markdown,
    safe_markdown,
    safe_terminal,
    seconds_text,
    table_markdown,
)
from imgopt.report.views.bench import environment_facts
from imgopt.report.views.bench_times import title
from imgopt.report.words import about, compared_text, sizes_text
from imgopt.results.bench import Arm, BenchResult, Measure, Samples
from imgopt.results.size_text import NOT_MEASURED, delta_text, exact_size, size_text

if TYPE_CHECKING:
    from rich.console import RenderableType

_EXACT = ("wire", "tar", "payload", "live", "layers", "files", "packages", "context sent")
_COLOURS = {"faster": "green", "less": "green", "slower": "red", "more": "red"}


def text(result: BenchResult) -> RenderableType:
    """One screen: the headline, exact figures, times with their verdicts, what went wrong."""
    from rich.console import Group

    from imgopt.report.layout import Words

    parts: list[RenderableType] = [Words(summary(result), style="bold"), _exact_table(result)]
    if result.measures:
        parts.append(_measure_table(result))
    for arm in result.arms:
        if arm.failure:
            lines = [f"{arm.name}: {arm.failure.message}", *arm.failure.output[-10:]]
            parts.append(Words("\n".join(safe_terminal(line) for line in lines), style="red"))
    parts += [Words(line, style="yellow") for line in _notes(result)]
    return Group(*parts)


def summary(result: BenchResult) -> str:
    """The headline of the smallest other arm."""
    built = [arm for arm in result.arms[1:] if arm.exact]
    best = min(built, key=lambda arm: arm.exact.sizes.live if arm.exact else 0, default=None)
    first = result.arms[0].exact
    if best is None or best.exact is None or first is None:
        return f"{result.context}: {len(result.arms)} arms"
    return f"{safe_terminal(best.name)}: {sizes_text(first.sizes, best.exact.sizes)}"


def _notes(result: BenchResult) -> list[str]:
    notes = [f"Partial: {result.reason}. Go on with --resume."] if result.partial else []
    notes += [remark for measure in result.measures for remark in measure.remarks]
    return [safe_terminal(note) for note in notes]


def _exact_table(result: BenchResult) -> RenderableType:
    from imgopt.report.layout import Column, Grid

    rows = [_exact_row(result, name) for name in _EXACT]
    return Grid(
        [Column(), *(Column(safe_terminal(arm.name), right=True) for arm in result.arms)],
        rows,
        "Exact",
    )


def _exact(arm: Arm, name: str) -> int | None:
    if arm.exact is None:
        return None
    if name == "context sent":
        return arm.exact.context_bytes
    value: int | None = getattr(
        arm.exact.sizes if name in ("wire", "tar", "payload", "live") else arm.exact, name
    )
    return value


def _exact_row(result: BenchResult, name: str) -> list[str]:
    values = [_exact(arm, name) for arm in result.arms]
    texts = [_exact_text(name, value, values[0]) for value in values]
    if name == "wire":
        texts = [
            about(arm.exact.sizes, text) if arm.exact else text
            for arm, text in zip(result.arms, texts, strict=True)
        ]
    return [name, *texts]


def _exact_text(name: str, value: int | None, first: int | None) -> str:
    if value is None:
        return NOT_MEASURED
    is_size = name not in ("layers", "files", "packages")
    shown = size_text(value) if is_size else f"{value:,}"
    if first is None or value == first:
        return shown
    if is_size and shown == size_text(first):
        shown = exact_size(value)
    return f"{shown} ({change_text(first, value)})"


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of the first arm and of another one, as text."""

    measure: str
    arm: str
    before: str
    after: str
    claim: str
    verdict: str
    moved: str


def lines(result: BenchResult) -> list[Line]:
    """All measures of all other arms beside the first one's."""
    first = result.arms[0].name
    found = []
    for measure in result.measures:
        samples = {one.arm: one for one in measure.samples}
        others = [one for one in measure.samples if one.arm != first]
        for other in others or [Samples(arm="")]:
            compared = next((one for one in measure.comparisons if one.after == other.arm), None)
            pair = samples.get(first), other if others else None
            found.append(
                Line(
                    measure=title(measure),
                    arm=other.arm,
                    before=_value(measure, pair[0]),
                    after=_value(measure, pair[1]),
                    claim=compared_text(compared),
                    verdict=compared.verdict if compared else "",
                    moved=" → ".join(_moved(one) for one in pair if one)
                    if measure.kind == "build"
                    else "",
                )
            )
    return found


def _value(measure: Measure, samples: Samples | None) -> str:
    if samples is None:
        return ""
    if samples.failure:
        return "failed"
    value = samples.median
    if value is None or measure.unit == "seconds":
        return seconds_text(value)
    return size_text(round(value))


def _moved(samples: Samples) -> str:
    if samples.wire_bytes is None:
        return "?"
    return ("~" if samples.wire_is_estimate else "") + size_text(samples.wire_bytes)


def _measure_table(result: BenchResult) -> RenderableType:
    from imgopt.report.layout import Column, Grid, Words

    shown = lines(result)
    many = len({line.arm for line in shown}) > 1
    most = "up to " if result.partial else ""
    rows = [
        (
            line.measure,
            safe_terminal(line.arm) if many else "",
            line.before,
            line.after,
            Words(line.claim, style=_COLOURS.get(line.verdict, "")),
            "" if "?" in line.moved else line.moved,
        )
        for line in shown
    ]
    columns = [
        Column(wraps=True),
        Column("arm"),
        Column("before", right=True),
        Column("after", right=True),
    ]
    columns += [Column(), Column("moved again", right=True)]
    return Grid(columns, rows, f"Medians of {most}{result.runs} runs")


def markdown(result: BenchResult, limit: int = COMMENT_LIMIT) -> str:
    """A comment or a summary of at most `limit` characters; what matters least is left out
    first."""
    parts = [f"### {safe_markdown(summary(result))}", _markdown_exact(result)]
    if result.partial:
        parts.insert(1, f"**Partial:** {safe_markdown(result.reason)}.")
    if result.measures:
        parts.append(_markdown_measures(result))
    parts += [_markdown_failure(arm) for arm in result.arms if arm.failure]
    parts += _markdown_causes(result)
    facts = [
        [safe_markdown(name), safe_markdown(value)]
        for name, value in environment_facts(result.environment)
        if value
    ]
    parts.append(details_markdown("Environment", table_markdown(["What", "Value"], facts)))
    parts += [
        details_markdown(f"{arm.dockerfile} of {arm.name}", block_markdown(arm.text, "dockerfile"))
        for arm in result.arms
        if arm.text
    ]
    return fit_markdown(parts, limit)


def _markdown_exact(result: BenchResult) -> str:
    rows = [_exact_row(result, name) for name in _EXACT]
    headers = ["", *(safe_markdown(arm.name) for arm in result.arms)]
    return table_markdown(headers, rows, range(1, len(headers)))


def _markdown_measures(result: BenchResult) -> str:
    rows = [
        [
            safe_markdown(line.measure),
            safe_markdown(line.arm),
            line.before,
            line.after,
            f"**{line.claim}**" if line.verdict in _COLOURS else line.claim,
            "" if "?" in line.moved else line.moved.replace("~", "≈ "),
        ]
        for line in lines(result)
    ]
    headers = ["Measure", "Arm", "Before", "After", "Change", "Moved again on the wire"]
    return table_markdown(headers, rows, (2, 3, 5))


def _markdown_failure(arm: Arm) -> str:
    failure = arm.failure
    if failure is None:
        return ""
    where = f" (line {failure.line})" if failure.line else ""
    return (
        f"**{safe_markdown(arm.name)}** failed{where}: {code_markdown(failure.message)}\n\n"
        + block_markdown("\n".join(failure.output[-20:]))
    )


def _markdown_causes(result: BenchResult) -> list[str]:
    parts = []
    for comparison in result.comparisons:
        for fall in comparison.waterfalls:
            rows = [
                [safe_markdown(cause.name), delta_text(0, cause.bytes)] for cause in fall.causes
            ]
            rows.append(["**sum**", f"**{delta_text(fall.start, fall.end)}**"])
            heading = f"What changed the {fall.size} size, {comparison.before} → {comparison.after}"
            parts.append(details_markdown(heading, table_markdown(["Cause", "Change"], rows, (1,))))
    return parts


def csv(result: BenchResult) -> str:
    """Every raw value: measure, kind, unit, arm, number (0 for the warm-up), value. Exact figures
    are n = 1."""
    target = StringIO()
    writer = csv_module.writer(target, lineterminator="\n")
    writer.writerow(["measure", "kind", "unit", "arm", "number", "value"])
    for arm in result.arms:
        for name in _EXACT:
            value = _exact(arm, name)
            if value is not None:
                unit = "count" if name in ("layers", "files", "packages") else "bytes"
                writer.writerow([name, "exact", unit, _cell(arm.name), 1, value])
    for measure in result.measures:
        for samples in measure.samples:
            numbered = [*((0, value) for value in samples.warm_up), *enumerate(samples.values, 1)]
            for number, sample in numbered:
                writer.writerow(
                    [
                        measure.name,
                        measure.kind,
                        measure.unit,
                        _cell(samples.arm),
                        number,
                        f"{sample:.9g}",
                    ]
                )
    return target.getvalue()


def _cell(name: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    shown = safe_terminal(name)
    return f"'{shown}" if shown[:1] in "=+-@" else shown
