"""`imgopt/history/1`: the sizes that the baseline had over its git history."""

from __future__ import annotations

from imgopt.results import Result, Value
from imgopt.results.ci import FourSizes, Metric


class Point(Value, frozen=True, kw_only=True):
    """The sizes from one commit on. `time` in seconds since the epoch; `delta` in the metric, None
    for the first."""

    commit: str
    time: int
    author: str
    subject: str
    sizes: FourSizes
    delta: int | None = None
    base_changed: bool = False
    because: str = ""
    """The reason, where the commit accepted a growth."""


class ImageHistory(Value, frozen=True, kw_only=True):
    """One image on one platform, oldest first; commits that left it alone are not listed."""

    name: str
    platform: str
    points: list[Point] = []


class HistoryResult(Result, frozen=True, kw_only=True):
    """`notes` say what could not be read."""

    schema: str = "imgopt/history/1"
    metric: Metric
    baseline: str
    commits: int
    images: list[ImageHistory] = []
    notes: list[str] = []
