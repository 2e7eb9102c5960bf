"""A change of a file as a patch, plain and for a terminal."""

from __future__ import annotations

import difflib

from imgopt.report.common import safe_terminal
from imgopt.report.layout import Listing

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def diff_lines(before: str, after: str, name: str) -> list[str]:
    """The lines of a unified diff; none where nothing changes."""
    old, new = before.splitlines(), after.splitlines()
    return list(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm=""))


def diff_listing(lines: list[str]) -> Listing:
    shown = map(safe_terminal, lines)
    return Listing([(line, _STYLES.get(line[:1], "")) for line in shown])
