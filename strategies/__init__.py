"""The built-in rewrite strategies: one module each, in the order in which they run."""

from __future__ import annotations

from imgopt.rewrite.strategy import Strategy
from imgopt.strategies import (
    apt_hygiene,
    bytecode,
    cache_mounts,
    copy_chown,
    cpu_wheels,
    distroless_base,
    exec_form,
    health_check,
    ignore_file,
    installer_caches,
    java_layers,
    layer_order,
    multi_stage,
    non_root,
    pin_digest,
    prune_dev,
    runtime_base,
    same_layer_cleanup,
    slim_base,
    start_command,
    static_link,
    strip_symbols,
)

BUILT_IN: tuple[Strategy, ...] = (
    ignore_file.STRATEGY,
    layer_order.STRATEGY,
    exec_form.STRATEGY,
    start_command.STRATEGY,
    cpu_wheels.STRATEGY,
    cache_mounts.STRATEGY,
    apt_hygiene.STRATEGY,
    same_layer_cleanup.STRATEGY,
    copy_chown.STRATEGY,
    installer_caches.STRATEGY,
    static_link.STRATEGY,
    strip_symbols.STRATEGY,
    prune_dev.STRATEGY,
    multi_stage.STRATEGY,
    runtime_base.STRATEGY,
    slim_base.STRATEGY,
    distroless_base.STRATEGY,
    java_layers.STRATEGY,
    bytecode.STRATEGY,
    non_root.STRATEGY,
    health_check.STRATEGY,
    pin_digest.STRATEGY,
)
