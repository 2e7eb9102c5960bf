"""A check of the proof, what it is given, and what it says: a verdict, with its evidence.

A check compares one aspect of two images (or of two observed runs) and never guesses: what it could
not look at is `not measured`, with the reason in `detail`. Each failed item is structured, so that
a rewrite can be repaired from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from imgopt.image.entries import printable
from imgopt.inspect.failures import Item
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.example import Mutation
from imgopt.run.observation import Observation
from imgopt.run.opened import Opened
from imgopt.run.runs import Runs

Verdict = Literal["passed", "failed", "not measured"]


def counted(count: int, one: str, more: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{count} {one if count == 1 else more or one + 's'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One aspect compared. `detail` says what was compared (counts, bytes); `allowed` are
    intended differences seen."""

    name: str
    verdict: Verdict
    detail: str
    items: tuple[Item, ...] = ()
    allowed: tuple[str, ...] = ()


def judged(name: str, detail: str, items: Iterable[Item], allowed: Iterable[str] = ()) -> Outcome:
    """Failed when there is an item; items and allowed differences are sorted and told once."""
    found = tuple(sorted(set(items), key=lambda item: (item.kind, item.subject, item.needed_by)))
    told = tuple(dict.fromkeys(map(printable, allowed)))
    return Outcome(name, "failed" if found else "passed", printable(detail), found, told)


def not_measured(name: str, reason: str) -> Outcome:
    return Outcome(name, "not measured", printable(reason))


@dataclass(frozen=True)
class Comparison:
    """What a check is given: two images, what may differ, and what was seen of both.

    `named` are the system packages that the author installs by name, as they stand in the
    Dockerfile.
    """

    original: ImageView
    candidate: ImageView
    allowances: Allowances
    runs: Runs = field(default_factory=Runs)
    named: tuple[str, ...] = ()

    @cached_property
    def opened(self) -> Opened | None:
        """What the original opened; None where that was not recorded. Not what a tool keeps for
        itself: that may be read, and is made again where it is not there."""
        seen = self.runs.opened
        if seen is None:
            return None
        return Opened(self._lasting(seen.files), self._lasting(seen.executed))

    def _lasting(self, paths: frozenset[str]) -> frozenset[str]:
        return frozenset(path for path in paths if not is_state(self.original, path))

    @property
    def files(self) -> frozenset[str] | None:
        """The paths of what the original opened."""
        return self.opened.files if self.opened is not None else None


def of_the_runs(
    name: str, judge: Callable[[Sequence[Observation], Observation], Outcome]
) -> Callable[[Comparison], Outcome]:
    """What judges how the candidate ran, where both ran; else it is not measured."""

    def judge_runs(given: Comparison) -> Outcome:
        runs = given.runs
        if not runs.originals or runs.candidate is None:
            return not_measured(name, runs.reason)
        return judge(runs.originals, runs.candidate)

    return judge_runs


@dataclass(frozen=True)
class Check:
    """One aspect in which a candidate must be as the original.

    `compares` says in a line what is compared; each of `mutations` is a change of the example
    service that this check, and no other, refutes.
    """

    name: str
    compares: str
    judge: Callable[[Comparison], Outcome]
    mutations: tuple[Mutation, ...]
