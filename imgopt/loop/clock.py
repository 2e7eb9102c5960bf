"""How long the timing may take, and what is left of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

HOW_TO_LEAVE_OUT = "--no-timings leaves it out"


@dataclass
class Clock:
    """A bound in seconds (None: none) for a number of builds, each of a kind whose length is not
    known before one of that kind was made."""

    budget: float | None
    parts: Sequence[str]
    """The kind of every build to come, in order."""
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    took: dict[str, list[float]] = field(default_factory=dict)

    @property
    def until(self) -> float | None:
        """When it is over, by time.monotonic()."""
        return self.started + self.budget if self.budget is not None else None

    def passed(self) -> float:
        return time.monotonic() - self.started

    def note(self, seconds: float) -> None:
        """The next part took so long."""
        self.took.setdefault(self.parts[self.done], []).append(seconds)
        self.done += 1

    def has_time_for(self, count: int) -> bool:
        """Whether the next `count` parts may end in time, as far as their kinds are known."""
        ahead = [self._expected(kind) for kind in self.parts[self.done : self.done + count]]
        return self.budget is None or self.passed() + sum(filter(None, ahead)) < self.budget

    def said(self, what: str) -> str:
        """What comes now, with what is left; the first time with how not to wait for it."""
        notes = "; ".join(filter(None, [self._left(), "" if self.done else HOW_TO_LEAVE_OUT]))
        return f"Timing, {self.done + 1} of {len(self.parts)}: {what}" + (
            f" ({notes})" if notes else ""
        )

    def _left(self) -> str:
        ahead = [self._expected(kind) for kind in self.parts[self.done :]]
        bound = self.budget - self.passed() if self.budget is not None else None
        known = sum(filter(None, ahead))
        if None not in ahead and (bound is None or known <= bound):
            return f"about {seconds(known)} left"
        return f"at most {seconds(bound)} left" if bound is not None else ""

    def _expected(self, kind: str) -> float | None:
        return fmean(self.took[kind]) if kind in self.took else None


def seconds(value: float | None) -> str:
    """Whole seconds, or minutes and seconds."""
    whole = max(1, round(value or 0))
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60} s"
