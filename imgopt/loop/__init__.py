"""The optimize loop: evidence, plan, variant, build, proof, repair, comparison."""

from __future__ import annotations

from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.loop.run import optimize

__all__ = ["OptimizeRequest", "Progress", "optimize"]
