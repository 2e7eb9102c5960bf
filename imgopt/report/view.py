"""What a page shows, apart from how: a headline, tiles and sections of a few kinds of blocks.

A view of each kind of result is made in `imgopt.report.views`; `imgopt.report.html` turns views
into a page. All text in a view is untrusted and plain: the templates escape it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from imgopt.results.figures import StepFigure
from imgopt.results.path_tree import Node

Level = Literal["good", "bad", "neutral"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure before and after; `level` says whether the change is welcome."""

    label: str
    before: str
    after: str = ""
    change: str = ""
    level: Level = "neutral"


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell: the text, and the number that it is sorted by (the text itself where there is
    none)."""

    text: str
    number: float | None = None
    level: Level = "neutral"
    code: bool = False
    whole: bool = False
    """A word of ours, never broken over two lines."""
    notes: tuple[str, ...] = ()
    """More lines, in small."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headers; `total` is the last row, and stays last when a reader sorts."""

    caption: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    total: tuple[Cell, ...] | None = None
    searchable: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Rows with a bar before and a bar after on one scale; `None` draws nothing (not there, or not
    known)."""

    caption: str
    unit: Literal["bytes", "seconds"]
    rows: Sequence[tuple[str, int | float | None, int | float | None]]
    total: tuple[str, int | float | None, int | float | None] | None = None


@dataclass(frozen=True, slots=True)
class Fall:
    """A waterfall: start, signed causes (name, bytes, detail), end; sums exactly."""

    caption: str
    start: int
    end: int
    causes: Sequence[tuple[str, int, str]]


@dataclass(frozen=True, slots=True)
class Map:
    """A treemap of leaves that sum to the totals."""

    caption: str
    leaves: Sequence[Node]
    before_name: str
    after_name: str | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Which step is rebuilt in which scenario: "hit", "miss" or "unknown" per cell, before and
    after."""

    caption: str
    groups: Sequence[tuple[str, Sequence[str], Sequence[tuple[str, Sequence[str]]]]]
    """(arm, names of its steps, (scenario, state per step))"""


@dataclass(frozen=True, slots=True)
class Gantt:
    """The steps of one build in time; `end` in seconds is the common scale of the charts beside
    each other."""

    caption: str
    steps: Sequence[StepFigure]
    end: float


@dataclass(frozen=True, slots=True)
class Dots:
    """Raw values of each arm in one measure, with median and interval, on one scale from zero."""

    caption: str
    unit: Literal["bytes", "seconds"]
    rows: Sequence[tuple[str, Sequence[float], float | None, float | None, float | None]]
    """(arm, values, median, low, high)"""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of each second of a load, by who gave them (two at most), and those that failed;
    `marks` are (second, what was done then)."""

    caption: str
    names: tuple[str, ...]
    rows: Sequence[tuple[Sequence[int], int]]
    """(answers of each name, failed)"""
    marks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two texts, line by line; `notes` maps a line of the first to the reasons of its change."""

    caption: str
    before_name: str
    after_name: str
    before: str
    after: str
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, or a block of output in fixed width."""

    text: str
    fixed: bool = False


Block = Table | Bars | Fall | Map | Matrix | Gantt | Dots | Answers | SideBySide | Text


@dataclass(frozen=True, slots=True)
class Section:
    """`id` is a word, unique within the view; the page makes it unique over all views. A folded one
    shows its title and its intro until a reader opens it."""

    id: str
    title: str
    blocks: Sequence[Block]
    intro: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One result: `word` is the verdict ("proven"), `headline` the one figure that counts, `rule`
    what decided."""

    title: str
    kind: str
    level: Level
    word: str
    headline: str
    rule: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    more: Sequence[Tile] = ()
    """Figures that a reader opens."""
    notes: Sequence[str] = ()
    """What belongs right below the headline."""
    raw: str = ""
    """The result as JSON, offered for download where it is small."""
