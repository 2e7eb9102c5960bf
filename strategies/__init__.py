"""The built-in rewrite strategies: one module each, in the order in which they run."""

from __future__ import annotations

from imgopt.rewrite.strategy import Strategy
from imgopt.strategies import (
    cache_mounts,
    distroless_base,
    exec_form,
    ignore_file,
    installer_caches,
    layer_order,
    multi_stage,
    non_root,
    prune_dev,
    slim_base,
    start_command,
    static_link,
)

BUILT_IN: tuple[Strategy, ...] = (
    layer_order.STRATEGY,
    ignore_file.STRATEGY,
    exec_form.STRATEGY,
    start_command.STRATEGY,
    cache_mounts.STRATEGY,
    installer_caches.STRATEGY,
    static_link.STRATEGY,
    prune_dev.STRATEGY,
    multi_stage.STRATEGY,
    slim_base.STRATEGY,
    distroless_base.STRATEGY,
    non_root.STRATEGY,
)
