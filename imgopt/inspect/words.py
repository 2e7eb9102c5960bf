"""Tables of names, written as lines of words."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """A table of names, written as a line of words."""
    return tuple(text.split())
