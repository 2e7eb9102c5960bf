"""From what is in an image to what it means: instructions and lines, findings, and what changed
between two images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imgopt.analysis.analyze import analyze
from imgopt.analysis.compare import compare

if TYPE_CHECKING:
    from imgopt.analysis.steps import Step, match_lines, read_steps

__all__ = ["Step", "analyze", "compare", "match_lines", "read_steps"]


def __getattr__(name: str) -> Any:
    """Imported when first used: a second look at an image does not need them."""
    if name not in ("Step", "match_lines", "read_steps"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from imgopt.analysis import steps

    return getattr(steps, name)
