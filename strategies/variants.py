"""Variants: named sets of strategies, from the one that dares least to the one that dares most.
Each strategy says of which it is part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imgopt.errors import InputError
from imgopt.rewrite.strategy import CARVED, Strategy
from imgopt.strategies.registry import all_strategies, find_strategy


@dataclass(frozen=True, slots=True)
class VariantKind:
    name: str
    what: str

    def leaves_out(self, *, carves: bool = True) -> frozenset[str]:
        """Names of the strategies that are no part of it."""
        return frozenset(
            one.name for one in all_strategies() if not one.is_part_of(self.name, carves=carves)
        )

    @property
    def carves(self) -> bool:
        """Whether it makes a final stage out of what the original shows when it runs."""
        return self.name in CARVED

    @property
    def needed(self) -> tuple[str, ...]:
        """Strategies of which it needs one, to be what its name says."""
        return tuple(one.name for one in all_strategies() if self.name in one.makes)


VARIANTS = (
    VariantKind("safe", "same bases and user; order, caches, hygiene, ignore file"),
    VariantKind("slim", "multi-stage, carved, slim base of the same distribution, non-root"),
    VariantKind("distroless", "as slim, on a base without shell and package manager"),
)


def choose_variants(names: Iterable[str]) -> tuple[VariantKind, ...]:
    """The variants of these names, all of them for none. Raises InputError for an unknown one."""
    known = {kind.name: kind for kind in VARIANTS}
    wanted = list(dict.fromkeys(names))
    unknown = next((name for name in wanted if name not in known), None)
    if unknown is not None:
        raise InputError(f"no variant is called {unknown}", hint=f"known: {', '.join(known)}")
    return tuple(known[name] for name in wanted) if wanted else VARIANTS


def check_names(allow: Iterable[str], disable: Iterable[str]) -> None:
    """Raises InputError for what is no suggestion, and for what is no strategy."""
    suggestions = [
        strategy.name for strategy in all_strategies() if strategy.safety == "suggestion"
    ]
    wrong = next((name for name in allow if name not in suggestions), None)
    if wrong is not None:
        raise InputError(
            f"no suggestion is called {wrong}", hint=f"known: {', '.join(suggestions)}"
        )
    for name in disable:
        find_strategy(name)


def strategies_of(
    kind: VariantKind, disabled: Iterable[str], allowed: Iterable[str], *, carves: bool = True
) -> tuple[Strategy, ...]:
    """The strategies of a variant, in order; suggestions only where they are allowed by name.

    `carves`: whether a final stage can be carved; by text alone none is, and the last stage is the
    one to tidy.
    """
    off, on = set(disabled) | kind.leaves_out(carves=carves), set(allowed)
    return tuple(
        s
        for s in all_strategies()
        if s.name not in off and (s.safety != "suggestion" or s.name in on)
    )
