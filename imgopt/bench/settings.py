"""What a benchmark is asked for, and how it tells what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imgopt.bench.statistics import ALPHA
from imgopt.results.bench import BenchResult


@dataclass(frozen=True, slots=True)
class Settings:
    """`max_time` in seconds for everything, None: no limit. `again`: the first arm also against
    itself (`--aa`)."""

    runs: int = 6
    warm_up: int = 1
    seed: int = 0
    max_time: float | None = 540.0
    cold: bool = True
    containers: bool = True
    again: bool = False
    alpha: float = ALPHA
    min_effect: float = 0.05


@dataclass(frozen=True, slots=True)
class Progress:
    """What runs now. `left` is the estimate of the seconds to the end of everything; None while
    nothing is known.

    It is a lower bound (`at_least`) for as long as some arm has not shown what a build that runs
    its steps takes.
    """

    what: str
    arm: str
    done: int
    of: int
    left: float | None
    at_least: bool = False


@dataclass(frozen=True)
class Listener:
    """`progress` before each turn; `checkpoint` after each round, with the result so far."""

    progress: Callable[[Progress], None] = lambda _: None
    checkpoint: Callable[[BenchResult], None] = lambda _: None
