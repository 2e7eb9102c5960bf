"""All strategies: the built-in ones, an explicit ordered tuple, and those that other packages
register."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import entry_points

from imgopt.errors import InputError
from imgopt.rewrite.strategy import Strategy
from imgopt.strategies import BUILT_IN

GROUP = "imgopt.strategies"
"""Entry point group: each entry is a `Strategy`."""


@cache
def all_strategies() -> tuple[Strategy, ...]:
    """In the order in which they run."""
    names = {strategy.name for strategy in BUILT_IN}
    others = (
        entry.load() for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    )
    return (
        *BUILT_IN,
        *(item for item in others if isinstance(item, Strategy) and item.name not in names),
    )


@cache
def _by_name() -> dict[str, Strategy]:
    return {strategy.name: strategy for strategy in all_strategies()}


def find_strategy(name: str) -> Strategy:
    """Raises InputError with the nearest name."""
    known = _by_name()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else "`imgopt strategies` lists them"
    raise InputError(f"no strategy is called {name}", hint=hint)
