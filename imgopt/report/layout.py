"""Text and tables for people, in any width: lines break between words, long paths at their own
joints.

`Words` is rich's Text with that rule; what a line is indented by stays when it goes on below. A
`Grid` is a table as long as its columns fit, and a list of its rows where they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.containers import Lines
from rich.segment import Segment
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_FOLDERS = "/\\"
_JOINTS = "-_.:,;=&?@+|"
_GAP = 2
_LEAST = 20
"""Columns of a terminal that a column of sentences needs; below, rows are listed."""


class Words(Text):
    """Text that breaks between words. A word that is longer than the line breaks behind one of its
    own joints."""

    def wrap(self, console: Console, width: int, **options: Any) -> Lines:
        del console, options
        return Lines(
            [line for part in self.split("\n", allow_blank=True) for line in _folded(part, width)]
        )


class Clip(Words):
    """One line; what does not fit is left out at a word's end."""

    def wrap(self, console: Console, width: int, **options: Any) -> Lines:
        del console, options
        if self.cell_len <= width:
            return Lines([self.copy()])
        first = _folded(self, max(width - 2, 1))[0]
        first.append(" …" if width > 2 else "…"[:width], style="dim")
        return Lines([first])


class Code(Words):
    """Lines of a file or a patch: whole wherever another program may read them, folded where only
    people do."""

    def wrap(self, console: Console, width: int, **options: Any) -> Lines:
        if folds_code(console):
            return super().wrap(console, width, **options)
        return Lines(self.split("\n", allow_blank=True))


def folds_code(console: Console) -> bool:
    return console.is_terminal


class Listing:
    """Lines of code, each with its style: what many `Code` would print, also where there are
    thousands."""

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, style in self._lines:
            if folds_code(console) and cell_len(text) > options.max_width:
                yield Code(text, style=style)
                continue
            yield Segment(text, console.get_style(style) if style else None)
            yield Segment.line()


def _folded(text: Text, width: int) -> list[Text]:
    """One line of text as lines of at most `width` cells; those below the first keep its indent."""
    plain = text.plain
    indent = min(len(plain) - len(plain.lstrip(" ")), width // 3)
    breaks = list(_breaks(plain, max(width, 1), indent))
    lines = list(text.divide(breaks)) if breaks else [text.copy()]
    for number, line in enumerate(lines):
        line.rstrip()
        if number and indent:
            lines[number] = Text(" " * indent).append_text(line)
    return lines


def _breaks(plain: str, width: int, indent: int) -> Iterator[int]:
    """Offsets at which a new line begins."""
    start, column = 0, 0  # of the line at hand: where it starts, and how many cells are taken
    for begin, end in _pieces(plain):
        cells = cell_len(plain[begin:end].rstrip(" "))
        if column + cells > width and begin > start:
            yield begin
            start, column = begin, indent
        while column + cell_len(plain[begin:end].rstrip(" ")) > width:
            begin = _joint(plain, begin, end, width - column)
            yield begin
            start, column = begin, indent
        column += cell_len(plain[begin:end])


def _pieces(plain: str) -> Iterator[tuple[int, int]]:
    """Words with the spaces behind them; the spaces in front of the first belong to it."""
    start, length = 0, len(plain)
    while start < length:
        end = start
        while end < length and plain[end] == " " and start == 0:
            end += 1
        while end < length and plain[end] != " ":
            end += 1
        while end < length and plain[end] == " ":
            end += 1
        yield start, end
        start = end


def _joint(plain: str, begin: int, end: int, room: int) -> int:
    """Where a word that does not fit is broken: behind its last joint that does, else where the
    room ends."""
    cut = begin + 1
    while cut < end and cell_len(plain[begin : cut + 1]) <= room:
        cut += 1
    for joints, least in ((_FOLDERS, room // 2), (_JOINTS, room // 3)):
        for joint in range(cut, begin + max(1, least), -1):
            if plain[joint - 1] in joints:
                return joint
    return cut


@dataclass(frozen=True, slots=True)
class Column:
    """`right`: figures; `wraps`: sentences and paths, which take the room that the others leave."""

    name: str = ""
    right: bool = False
    wraps: bool = False


Cell = str | Text


class Grid:
    """Rows of cells under columns. Without names of columns there is no head; empty columns take no
    room."""

    def __init__(
        self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], title: str = ""
    ) -> None:
        self._columns = columns
        self._rows = [
            [Words(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        ]
        self._title = title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            return
        if self._title:
            yield Words(self._title, style="bold")
        widths = self._widths(options.max_width)
        yield from self._listed() if widths is None else self._table(console, widths)

    def _head(self) -> list[list[Text]]:
        named = any(column.name for column in self._columns)
        return [[Words(column.name, style="dim") for column in self._columns]] if named else []

    def _widths(self, room: int) -> list[int] | None:
        """Cells of each column; None where they do not fit."""
        table = [*self._head(), *self._rows]
        used = [
            any(row[number].plain for row in self._rows) for number in range(len(self._columns))
        ]
        widths = [
            max(_widest(row[number]) for row in table) if use else 0
            for number, use in enumerate(used)
        ]
        over = sum(width + _GAP for width in widths if width) - _GAP - room
        if over <= 0:
            return widths
        wraps = [
            number for number, column in enumerate(self._columns) if column.wraps and widths[number]
        ]
        wanted = [widths[number] for number in wraps]
        shares = _shares(wanted, sum(wanted) - over)
        if not wraps or any(
            share < min(want, _LEAST) for share, want in zip(shares, wanted, strict=True)
        ):
            return None
        for number, share in zip(wraps, shares, strict=True):
            widths[number] = share
        return widths

    def _table(self, console: Console, widths: Sequence[int]) -> Iterator[Text]:
        for row in [*self._head(), *self._rows]:
            cells = [
                cell.wrap(console, width) if width else Lines()
                for cell, width in zip(row, widths, strict=True)
            ]
            for number in range(max(map(len, cells))):
                yield self._line(
                    [cell[number] if number < len(cell) else Text() for cell in cells], widths
                )

    def _line(self, cells: Sequence[Text], widths: Sequence[int]) -> Text:
        line = Text(no_wrap=True, overflow="ignore")
        for cell, width, column in zip(cells, widths, self._columns, strict=True):
            if width:
                space = " " * (width - cell.cell_len)
                parts = (space, cell) if column.right else (cell, space)
                line.append(" " * _GAP if line.plain or line.spans else "")
                for part in parts:
                    line.append(part)
        line.rstrip()
        return line

    def _listed(self) -> Iterator[Text]:
        """The row's first cell, and below it the others, each with the name of its column."""
        for row in self._rows:
            shown = [
                (column.name, cell)
                for column, cell in zip(self._columns, row, strict=True)
                if cell.plain.strip()
            ]
            for number, (name, cell) in enumerate(shown):
                indent = "  " if number else ""
                for part, line in enumerate(cell.split("\n", allow_blank=True)):
                    said = f"{name} " if name and not part else ""
                    yield Words(indent).append(said, style="dim").append_text(line)


def _widest(text: Text) -> int:
    return max((cell_len(line) for line in text.plain.split("\n")), default=0)


def _shares(wanted: Sequence[int], total: int) -> list[int]:
    """`total` shared out: nobody gets more than it wants, and who wants least is served first."""
    shares = [0] * len(wanted)
    for done, number in enumerate(sorted(range(len(wanted)), key=lambda item: wanted[item])):
        shares[number] = max(0, min(wanted[number], total // (len(wanted) - done)))
        total -= shares[number]
    return shares
