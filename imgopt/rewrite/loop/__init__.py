"""The optimize loop: evidence, plan, variant, build, proof, repair, comparison."""

from __future__ import annotations

from imgopt.rewrite.loop.request import OptimizeRequest, Progress
from imgopt.rewrite.loop.run import optimize

__all__ = ["OptimizeRequest", "Progress", "optimize"]
