"""A change of a file as a patch, plain and for a terminal."""

from __future__ import annotations

import difflib

from imgopt.report.common import safe_terminal
from imgopt.report.layout import Listing
from imgopt.results.ignored import IgnoredFiles
from imgopt.results.optimize import OptimizeResult, Variant

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def diff_lines(before: str, after: str, name: str) -> list[str]:
    """The lines of a unified diff; none where nothing changes."""
    old, new = before.splitlines(), after.splitlines()
    return list(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm=""))


def ignore_diff(before: IgnoredFiles, after: str | None) -> list[str]:
    """The same of the ignore file; None for one that stays as it is."""
    if after is None:
        return []
    new = before.text is None
    lines = diff_lines(before.text or "", after, before.path)
    return ["--- /dev/null", *lines[1:]] if new and lines else lines


def change_lines(result: OptimizeResult, variant: Variant) -> list[str]:
    """A variant as a patch of the Dockerfile and of its ignore file."""
    before = result.original
    return [
        *diff_lines(before.dockerfile, variant.dockerfile, result.dockerfile),
        *ignore_diff(before.ignored, variant.dockerignore),
    ]


def diff_listing(lines: list[str]) -> Listing:
    shown = map(safe_terminal, lines)
    return Listing([(line, _STYLES.get(line[:1], "")) for line in shown])
