"""Reads a report's tables back from its HTML and holds every sum: totals of tables and bars, ends
of waterfalls."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

Cells = list[tuple[str, float | None]]


@dataclass
class ReadTable:
    """The rows of each part, each cell as (text, number)."""

    kind: str
    caption: str = ""
    thead: list[Cells] = field(default_factory=list)
    tbody: list[Cells] = field(default_factory=list)
    tfoot: list[Cells] = field(default_factory=list)


class Tables(HTMLParser):
    """All tables and all tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[ReadTable] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._part = ""
        self._caption = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.tags.append((tag, values))
        if tag == "table":
            self.tables.append(ReadTable(values.get("class") or ""))
        elif tag == "caption":
            self._caption = True
        elif tag in ("thead", "tbody", "tfoot"):
            self._part = tag
        elif tag == "tr" and self._part:
            getattr(self.tables[-1], self._part).append([])
        elif tag in ("td", "th") and self._part:
            number = values.get("data-n")
            getattr(self.tables[-1], self._part)[-1].append(("", float(number) if number else None))

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption":
            self._caption = False
        elif tag == "table":
            self._part = ""

    def handle_data(self, data: str) -> None:
        if self._caption:
            self.tables[-1].caption += data
        elif self._part:
            rows = getattr(self.tables[-1], self._part)
            if rows and rows[-1]:
                text, number = rows[-1][-1]
                rows[-1][-1] = (text + data, number)

    def named(self, start: str) -> ReadTable:
        return next(table for table in self.tables if table.caption.startswith(start))


def check_sums(page: str) -> int:
    """Asserts every sum of the page; how many there were."""
    checked = 0
    for table in Tables(page).tables:
        if "fall" in table.kind.split():
            values = [row[-1][1] or 0 for row in table.tbody]
            assert sum(values[:-1]) == values[-1], table.caption
            checked += 1
        for foot in table.tfoot:
            for column, (_, total) in enumerate(foot):
                numbers = [row[column][1] for row in table.tbody if column < len(row)]
                known = [number for number in numbers if number is not None]
                if total is not None and total >= 0 and known and min(known) >= 0:
                    assert abs(sum(known) - total) < 1e-6, f"{table.caption}, column {column + 1}"
                    checked += 1
    return checked
