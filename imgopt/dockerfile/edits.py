"""Edits: spans replaced by text, applied together from the end. Nothing outside the spans
changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from imgopt.errors import InputError


class Edit(NamedTuple):
    """Replaces `text[start:end]`; an insertion has `start == end`."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all edits done. Insertions at one place keep their order, and stand before a
    replacement there.

    Raises InputError when two edits overlap or one lies outside the text.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    out = []
    at = 0
    for edit in ordered:
        if not 0 <= edit.start <= edit.end <= len(text):
            raise InputError(
                f"edit {edit.start}:{edit.end} lies outside the file",
                hint=f"it has {len(text)} characters",
            )
        if edit.start < at:
            raise InputError(
                f"edits overlap at {_place(text, edit.start)}", hint="merge them into one"
            )
        out += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*out, text[at:]])


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    return f"line {line}, column {offset - text.rfind(chr(10), 0, offset)}"
