"""The ignore file that a build had."""

from __future__ import annotations

from imgopt.results import Value


class IgnoredFiles(Value, frozen=True, kw_only=True):
    path: str = ".dockerignore"
    """Where it lies, or would lie, relative to the context."""
    text: str | None = None
    """None where there is no such file."""
