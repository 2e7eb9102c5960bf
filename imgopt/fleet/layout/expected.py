"""Expected bytes per node and month of a layout: the sum over its layers of bytes times how often
they change.

A layer changes when anything in it does; one that is not independent of what lies below it changes
with that, too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Bytes that stay together, on the wire, and how often a month they change."""

    name: str
    size: int
    changes: float


@dataclass(frozen=True, slots=True)
class Placed:
    """One layer: the groups in it. `independent`: its bytes do not change with the layers below
    (installed in a reproducible way and copied with --link)."""

    name: str
    groups: tuple[Group, ...]
    independent: bool = False

    @property
    def size(self) -> int:
        return sum(group.size for group in self.groups)


def changes(layers: Sequence[Placed], releases: float) -> list[float]:
    """How often a month each layer is issued anew, from the lowest up. A month has no more issues
    than releases; changes of different groups fall into different ones."""
    found: list[float] = []
    below: dict[str, float] = {}
    for layer in layers:
        own = {group.name: group.changes for group in layer.groups}
        causes = own if layer.independent else {**below, **own}
        found.append(min(releases, sum(causes.values())))
        below |= own
    return found


def expected(layers: Sequence[Placed], releases: float) -> float:
    """Bytes per node and month."""
    often = changes(layers, releases)
    return sum(layer.size * many for layer, many in zip(layers, often, strict=True))


def replayed(layers: Sequence[Placed], releases: Sequence[Collection[str]]) -> tuple[int, ...]:
    """Bytes that each release moves to a node that has the one before; a release is the names of
    the groups that changed in it."""
    moved = []
    for changed in releases:
        size, dirty = 0, False
        for layer in layers:
            own = any(group.name in changed for group in layer.groups)
            if own or (dirty and not layer.independent):
                size += layer.size
            dirty = dirty or own
        moved.append(size)
    return tuple(moved)
