"""How the cost on many nodes is shown: one screen, what moves most first, units always."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imgopt.report.common import (
    code_markdown,
    count_text,
    percent_text,
    safe_markdown,
    safe_terminal,
    seconds_text,
    shorten,
    table_markdown,
)
from imgopt.results.fleet import CostSubject, FleetCost, PullCost
from imgopt.results.size_text import size_text

if TYPE_CHECKING:
    from rich.console import RenderableType

HISTORIES = {
    "tags": "its own tags",
    "commits": "the commits of its context",
    "assumed": "assumption (no history)",
}
HEAD = ("image", "per node and month", "fleet and month", "$ a month", "ready", "rollout")
_LAYERS, _SUBJECTS = 6, 10
_LABEL = 70


def text(result: FleetCost) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.layout import Column, Grid, Words

    parts: list[RenderableType] = []
    if len(result.subjects) > 1:
        columns = (Column(HEAD[0], wraps=True), *(Column(name, right=True) for name in HEAD[1:]))
        rows = [tuple(map(safe_terminal, cells(one))) for one in result.subjects[:_SUBJECTS]]
        parts += [Grid(columns, rows), Words("")]
    shown = result.subjects[: 1 if len(result.subjects) > 1 else None]
    for subject in shown:
        parts += list(_subject(subject))
    more = len(result.subjects) - _SUBJECTS
    if more > 0:
        parts.append(Words(f"{count_text(more, 'more image')}: --format json or html has all"))
    parts += [Words(f"left out: {safe_terminal(one)}", style="yellow") for one in result.skipped]
    given = [f"{one.name} {one.value:g} {one.unit}" for one in result.parameters if one.given]
    parts.append(Words(f"given: {', '.join(given) or 'nothing'}; all else by its default", "dim"))
    if shown and shown[0].next:
        parts += [Words(""), Words(f"Next: {safe_terminal(shown[0].next)}", style="bold")]
    return Group(*parts)


def cells(one: CostSubject) -> tuple[str, ...]:
    """A subject's row."""
    return (
        one.name,
        size_text(one.bytes_per_node_month),
        size_text(one.bytes_per_month),
        f"${one.dollars_per_month:,.2f}",
        seconds_text(one.update.ready_seconds),
        seconds_text(one.rollout.seconds),
    )


def _subject(subject: CostSubject) -> Iterator[RenderableType]:
    from imgopt.report.layout import Column, Grid, Words

    yield Words(f"{safe_terminal(subject.name)}: {headline(subject)}", style="bold")
    yield Words(basis(subject))
    yield Words("")
    columns = (Column("moved"), *(Column(name, right=True) for name in PULL_HEAD))
    yield Grid(columns, [pull_cells(name, one) for name, one in pulls(subject)])
    yield Words(f"  {rollout_text(subject)}")
    bound = bound_text(subject)
    if bound:
        yield Words(f"  {bound}", style="yellow")
    yield Words("")
    rows = [
        (
            size_text(one.bytes_per_node_month),
            f"{one.changes_per_month:.1f}",
            size_text(one.wire),
            safe_terminal(shorten(one.label, _LABEL)),
        )
        for one in subject.layers[:_LAYERS]
    ]
    names = ("per node and month", "changes/month", "wire")
    yield Grid((*(Column(name, right=True) for name in names), Column("layer", wraps=True)), rows)
    if subject.levers:
        yield Words("")
        yield Grid(
            (
                Column("with", wraps=True),
                *(Column(name, right=True) for name in ("per node and month", "ready", "rollout")),
            ),
            [lever_cells(subject, number) for number in range(len(subject.levers))],
        )
    for note in subject.notes:
        yield Words(f"note: {safe_terminal(note)}", style="yellow")


PULL_HEAD = ("wire", "layers", "download", "unpack", "pull", "ready", "pull's share")


def pulls(subject: CostSubject) -> tuple[tuple[str, PullCost], ...]:
    return (("update", subject.update), ("new node", subject.cold))


def pull_cells(name: str, one: PullCost) -> tuple[str, ...]:
    return (
        name,
        size_text(one.wire),
        str(one.layers),
        seconds_text(one.download_seconds),
        seconds_text(one.unpack_seconds),
        seconds_text(one.pull_seconds),
        seconds_text(one.ready_seconds),
        percent_text(one.pull_share),
    )


def headline(subject: CostSubject) -> str:
    return (
        f"{size_text(subject.bytes_per_node_month)} per node and month,"
        f" {size_text(subject.bytes_per_month)} and ${subject.dollars_per_month:,.2f} a month for"
        " the fleet"
    )


def basis(subject: CostSubject) -> str:
    rough = "; raw bytes and files estimated from the manifests" if subject.estimated else ""
    return (
        f"{size_text(subject.wire)} on the wire; {subject.releases_per_month:.1f} releases a month"
        f" by {HISTORIES[subject.history]}, {count_text(subject.releases, 'release')} read{rough}"
    )


def rollout_text(subject: CostSubject) -> str:
    one = subject.rollout
    return (
        f"rollout of {count_text(one.pods, 'pod')}: {seconds_text(one.seconds)} in"
        f" {count_text(one.waves, 'wave')} of {one.batch} (maxSurge {one.surge}, maxUnavailable"
        f" {one.unavailable})"
    )


def bound_text(subject: CostSubject) -> str:
    """Said where the size of what is pulled does not decide when the service is ready."""
    bound = [name for name, one in pulls(subject) if one.start_bound]
    if not bound:
        return ""
    return f"start-bound ({' and '.join(bound)}): less size changes the time to ready by under 5 %"


def lever_cells(subject: CostSubject, number: int) -> tuple[str, ...]:
    one = subject.levers[number]
    return (
        one.what,
        size_text(one.bytes_per_node_month),
        seconds_text(one.ready_seconds),
        seconds_text(one.rollout_seconds),
    )


def markdown(result: FleetCost) -> str:
    """For a pull request or a page."""
    rows = [tuple(map(safe_markdown, cells(one))) for one in result.subjects]
    parts = ["## What images cost on nodes", table_markdown(HEAD, rows, right=(1, 2, 3, 4, 5))]
    for subject in result.subjects:
        parts += _subject_markdown(subject)
    parts += [f"- left out: {safe_markdown(one)}" for one in result.skipped]
    figures = [
        (one.name, f"{one.value:g}", safe_markdown(one.unit), one.what, safe_markdown(one.source))
        for one in result.parameters
    ]
    parts.append("### Figures of the model")
    parts.append(table_markdown(("figure", "value", "unit", "what", "from"), figures, right=(1,)))
    return "\n\n".join(parts) + "\n"


def _subject_markdown(subject: CostSubject) -> Iterator[str]:
    yield f"### {safe_markdown(subject.name)}"
    yield safe_markdown(f"{headline(subject)}. {basis(subject)}.")
    rows = [tuple(map(safe_markdown, pull_cells(name, one))) for name, one in pulls(subject)]
    yield table_markdown(("moved", *PULL_HEAD), rows, right=range(1, 8))
    lines = [rollout_text(subject), bound_text(subject), *subject.notes]
    yield "\n".join(f"- {safe_markdown(line)}" for line in lines if line)
    layers = [
        (
            code_markdown(shorten(one.label, _LABEL)),
            size_text(one.bytes_per_node_month),
            f"{one.changes_per_month:.1f}",
            size_text(one.wire),
        )
        for one in subject.layers[:_LAYERS]
    ]
    head = ("layer", "per node and month", "changes/month", "wire")
    yield table_markdown(head, layers, right=(1, 2, 3))
    if subject.levers:
        levers = [
            tuple(map(safe_markdown, lever_cells(subject, number)))
            for number in range(len(subject.levers))
        ]
        yield table_markdown(
            ("with", "per node and month", "ready", "rollout"), levers, right=(1, 2, 3)
        )
    if subject.next:
        yield f"Next: {code_markdown(subject.next)}"
