"""From what is in an image to what it means: instructions and lines, findings, and what changed between two images."""

from __future__ import annotations

from imgopt.analysis.analyze import analyze
from imgopt.analysis.compare import compare
from imgopt.analysis.steps import Step, match_lines, read_steps

__all__ = ["Step", "analyze", "compare", "match_lines", "read_steps"]
