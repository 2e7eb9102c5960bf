"""The size gate: `check` holds images against a baseline and says which line, package and path made them grow."""

from __future__ import annotations

from imgopt.ci.api import baseline, check

__all__ = ["baseline", "check"]
