"""Sizes over the baseline's history: a step chart, and the commits that changed most."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgopt.report.common import bar, safe_markdown, safe_terminal, shorten, table_markdown
from imgopt.results.ci import Metric
from imgopt.results.history import HistoryResult, ImageHistory, Point
from imgopt.results.size_text import delta_text, size_text

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH = 16
_ROWS = 30
_MOST = 3


def text(result: HistoryResult) -> RenderableType:
    """Per image a row per change, its bar from zero; the largest changes are marked."""
    from rich.console import Group

    from imgopt.report.layout import Column, Grid, Words

    parts: list[RenderableType] = []
    for image in result.images:
        parts.append(
            Words(
                f"{safe_terminal(image.name)}  {safe_terminal(image.platform)}  {result.metric}",
                style="bold",
            )
        )
        marked = largest(image)
        rows = [
            _cells(point, image, result.metric, point.commit in marked)
            for point in image.points[-_ROWS:]
        ]
        parts.append(
            Grid([Column(right=number in (3, 4), wraps=number == 6) for number in range(7)], rows)
        )
    if any(len(image.points) > _ROWS for image in result.images):
        parts.append(
            Words(
                f"the last {_ROWS} changes of each image; all of them: --format json", style="dim"
            )
        )
    parts += [Words(f"note: {safe_terminal(note)}", style="dim") for note in result.notes]
    return Group(*parts)


def markdown(result: HistoryResult) -> str:
    """A table per image."""
    parts = []
    for image in result.images:
        rows = [
            tuple(safe_markdown(cell) for cell in _row(point, result.metric))
            for point in image.points[-_ROWS:]
        ]
        head = f"#### {safe_markdown(image.name)} {safe_markdown(image.platform)}"
        table = table_markdown(
            ("date", "commit", result.metric, "change", "subject"), rows, right=(2, 3)
        )
        parts.append(f"{head}\n\n{table}")
    return "\n\n".join(parts) + "\n"


def csv(result: HistoryResult) -> str:
    """One row per image and change; sizes in bytes."""
    import csv as writer
    from io import StringIO

    out = StringIO()
    rows = writer.writer(out, lineterminator="\n")
    rows.writerow(("image", "platform", "time", "commit", "wire", "tar", "payload", "live"))
    for image in result.images:
        for point in image.points:
            sizes = point.sizes
            rows.writerow(
                (
                    image.name,
                    image.platform,
                    point.time,
                    point.commit,
                    sizes.wire,
                    sizes.tar,
                    sizes.payload,
                    sizes.live,
                )
            )
    return out.getvalue()


def largest(image: ImageHistory) -> frozenset[str]:
    """The commits that changed the size most."""
    changed = [point for point in image.points if point.delta]
    ranked = sorted(changed, key=lambda point: -abs(point.delta or 0))
    return frozenset(point.commit for point in ranked[:_MOST])


def _cells(point: Point, image: ImageHistory, metric: Metric, marked: bool) -> Sequence[str]:
    most = max((item.sizes.of(metric) or 0 for item in image.points), default=0) or 1
    date, commit, size, change, subject = (safe_terminal(cell) for cell in _row(point, metric))
    mark = "◀" if marked else ""
    return (
        date,
        commit,
        bar((point.sizes.of(metric) or 0) / most, _WIDTH),
        size,
        change,
        mark,
        subject,
    )


def _row(point: Point, metric: Metric) -> tuple[str, str, str, str, str]:
    date = datetime.datetime.fromtimestamp(point.time, datetime.UTC).date().isoformat()
    size = point.sizes.of(metric)
    change = "" if point.delta is None else delta_text(0, point.delta)
    words = [shorten(point.subject, 60), shorten(point.author, 30)]
    words += ["new base"] if point.base_changed else []
    words += [f"accepted: {shorten(point.because, 60)}"] if point.because else []
    return date, point.commit[:10], size_text(size), change, " · ".join(words)
