"""The layers of an image as a table: what each instruction adds, in few words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from imgopt.report.common import (
    bar,
    safe_terminal,
)
from imgopt.results.analysis import LayerRow
from imgopt.results.size_text import size_text

if TYPE_CHECKING:
    from imgopt.report.layout import Cell, Grid


def layer_table(rows: Sequence[LayerRow]) -> Grid:
    """Layers with their share of the payload, what of them is wasted, and their instruction."""
    from imgopt.report.layout import Clip

    largest = max((row.sizes.payload for row in rows), default=1) or 1
    cells = []
    for row in rows:
        lost = row.sizes.payload - row.ledger.get("live", 0)
        cells.append(
            (
                str(row.index),
                size_text(row.sizes.payload),
                bar(row.sizes.payload / largest, 6),
                size_text(lost) if lost else "",
                str(row.line) if row.line is not None else "base" if row.base else "",
                Clip(safe_terminal(brief(row.instruction)), style="dim" if row.base else ""),
            )
        )
    return table(("layer", "payload", "", "wasted", "line", "instruction"), cells)


def brief(instruction: str) -> str:
    """An instruction without what all of its kind have in common, so that what tells it apart is
    seen first.

    >>> brief("RUN apt-get update && apt-get install -y --no-install-recommends     curl")
    'RUN … apt-get install curl'
    """
    text = " ".join(instruction.split())
    text = _FIRST.sub("RUN … ", text)
    return _INSTALL_OPTIONS.sub(r"\1", text)


_FIRST = re.compile(
    r"^RUN (?:set -\S+(?: -o \w+)*(?:;| &&) |apt-get (?:-\S+ )*update(?: -\S+)* && |apk update"
    r" && )+"
)
_INSTALL_OPTIONS = re.compile(
    r"((?:apt-get|apt|apk|dnf|yum|pip3?|npm) (?:-\S+ )*(?:install|add|ci))(?: --?[\w-]+(?= ))+"
)
_FIGURES = ("layer", "payload", "wasted", "line", "saves", "bytes", "files", "live")
_SENTENCES = ("instruction", "what to change", "package", "path", "directory")


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Grid:
    from imgopt.report.layout import Column, Grid

    return Grid([Column(name, name in _FIGURES, name in _SENTENCES) for name in columns], rows)
