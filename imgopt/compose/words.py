"""A line of words as Compose splits it for `command` and `entrypoint` (mattn/go-shellwords: quotes
and backslashes, no expansion)."""

from __future__ import annotations

import shlex


def split(text: str) -> list[str]:
    """The words. Raises ValueError for a quote without its end."""
    return shlex.split(text, comments=False, posix=True)
