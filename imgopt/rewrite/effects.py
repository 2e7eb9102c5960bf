"""What a change does to the image beyond its lines, with the differences that the proof allows for
it.

A strategy says it in `Change.effects`; the strategies behind it see it in `Situation.effects`, and
the loop asks the plan's effects for what the proof shall excuse. A new kind of effect is a class
here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from imgopt.proof.allowances import (
    Allowances,
    Drop,
    DroppedPackage,
    Rewritten,
    Start,
    drops_by_reason,
)
from imgopt.rewrite.final.runtime import is_shared_library

if TYPE_CHECKING:
    from imgopt.rewrite.evidence import Evidence


@dataclass(frozen=True)
class Effect:
    """One that the proof allows nothing for."""

    def drops(self) -> Iterator[Drop]:
        """Files that are left out for it."""
        yield from ()

    def packages(self, evidence: Evidence) -> Iterator[DroppedPackage]:
        """Installed packages that are left out, or are other builds, for it."""
        del evidence
        yield from ()

    def allow(self, known: Allowances) -> Allowances:
        """What is known to be allowed, with what this one allows beside it."""
        return known


@dataclass(frozen=True)
class Pruned(Effect):
    """The builder will not have these paths any more, each with the reason."""

    paths: Mapping[str, str]

    def drops(self) -> Iterator[Drop]:
        yield from drops_by_reason(self.paths)


@dataclass(frozen=True)
class LinkedStatically(Effect):
    """The program that is built needs no shared library any more."""

    def drops(self) -> Iterator[Drop]:
        yield Drop("linked into the program", matches=is_shared_library, even_if_opened=True)


@dataclass(frozen=True)
class FromStages(Effect):
    """Folders that the final stage takes from another stage than the builder -> its name."""

    folders: Mapping[str, str]


@dataclass(frozen=True)
class OtherBase(Effect):
    """The author's own stage stands on another base now."""

    base: str


@dataclass(frozen=True)
class OtherBuilds(Effect):
    """Packages, as globs, that are other builds now or are not there, because the user allowed it
    by name."""

    names: tuple[str, ...]
    reason: str

    def packages(self, evidence: Evidence) -> Iterator[DroppedPackage]:
        for package in evidence.all_packages:
            if any(fnmatchcase(package.name, glob) for glob in self.names):
                yield DroppedPackage(package.name, self.reason, even_if_opened=True)


@dataclass(frozen=True)
class EndsInTime(Effect):
    """It ends when it is told to, and the proof holds it to that."""

    promise: str
    """The change, in a clause."""
    signal: str = ""
    """The signal that it is told by now; "": the same as before."""
    start: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Entrypoint and command in which a shell gives its place to the program; None where no shell
    does."""
    scripts: Mapping[str, bytes] = field(default_factory=dict)
    """Scripts of the project that do: path -> what is in it now."""

    def allow(self, known: Allowances) -> Allowances:
        start = known.start
        if start is None and self.start is not None:
            start = Start(*self.start, self.promise)
        signal = {"stop-signal": self.promise} if self.signal else {}
        files = {path: Rewritten(now, self.promise) for path, now in self.scripts.items()}
        return replace(
            known,
            start=start,
            ends_in_time=self.promise,
            configuration={**known.configuration, **signal},
            rewritten={**known.rewritten, **files},
        )


Kind = TypeVar("Kind", bound=Effect)
Effects = Mapping[str, tuple[Effect, ...]]
"""The effects of a draft or plan, by the name of the strategy that has them, in the order of the
strategies."""


def of_kind(effects: Effects, kind: type[Kind]) -> list[Kind]:
    return [
        effect for several in effects.values() for effect in several if isinstance(effect, kind)
    ]


def pruned(effects: Effects) -> dict[str, str]:
    return {path: why for effect in of_kind(effects, Pruned) for path, why in effect.paths.items()}


def from_stages(effects: Effects) -> dict[str, str]:
    return {
        folder: name
        for effect in of_kind(effects, FromStages)
        for folder, name in effect.folders.items()
    }


def other_base(effects: Effects) -> str:
    """The base that the stage stands on; "" where it is the author's."""
    return next((effect.base for effect in reversed(of_kind(effects, OtherBase))), "")


def with_more(effects: Effects, strategy: str, more: Iterable[Effect]) -> Effects:
    added = tuple(more)
    return {**effects, strategy: (*effects.get(strategy, ()), *added)} if added else effects
