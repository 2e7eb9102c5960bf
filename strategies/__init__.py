"""The built-in rewrite strategies: one module each, in the order in which they run."""

from __future__ import annotations

from imgopt.rewrite.strategy import Strategy
from imgopt.strategies import (
    distroless_base,
    ignore_file,
    layer_order,
    multi_stage,
    non_root,
    slim_base,
)

BUILT_IN: tuple[Strategy, ...] = (
    layer_order.STRATEGY,
    ignore_file.STRATEGY,
    multi_stage.STRATEGY,
    slim_base.STRATEGY,
    distroless_base.STRATEGY,
    non_root.STRATEGY,
)
