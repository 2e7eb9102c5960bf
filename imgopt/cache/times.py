"""Seconds that steps take when they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgopt.cache.graph import Step

if TYPE_CHECKING:
    from imgopt.cache.measure import Measured


@dataclass(frozen=True, slots=True)
class Times:
    """By stage and text of the instruction, so that they outlive edits of other lines."""

    seconds: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def of(self, step: Step) -> float | None:
        """None: not known."""
        return self.seconds.get((step.stage, step.instruction))

    def over(self, other: Times) -> Times:
        """These, and the other's where there are none."""
        return Times({**other.seconds, **self.seconds})


def times_of(cold: Measured) -> Times:
    """The seconds of a build in which every step ran."""
    ran = {
        (step.stage, step.instruction): one.seconds
        for step, one in cold.steps.items()
        if one.answer == "miss"
    }
    return Times(ran)
