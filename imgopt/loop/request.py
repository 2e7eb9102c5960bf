"""What the loop is asked for, and how it tells what it is doing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from imgopt.config import Config
from imgopt.engine import BuildEvent, BuildRequest, configured
from imgopt.rewrite.source import Source, read_source
from imgopt.run.settings import SmokeSettings, configured_settings

if TYPE_CHECKING:
    from imgopt.run.facts.measure import Wanted


@dataclass(frozen=True)
class OptimizeRequest:
    """One project. `dockerfile` is the path of its Dockerfile; the configuration has the command
    line in it."""

    context: Path
    dockerfile: Path
    config: Config
    variants: tuple[str, ...] = ()
    timings: bool = True
    rebuilds: int = 3
    time_all: bool = False
    """Whether every proven variant is timed, not only the smallest."""
    lives: Literal["none", "cheap", "all"] = "none"
    """Which later edits of the project a variant has to survive."""
    edits: tuple[str, ...] = ()
    """Of all of them, only these."""
    run_facts: Wanted | None = None
    """How thoroughly is measured what running the original and the recommended variant shows."""

    def build(
        self, name: str, dockerfile: str | None = None, ignore: str | None = None
    ) -> BuildRequest:
        """A build of this project; with other texts than the project's own where they are given."""
        return replace(
            configured(self.context, self.config),
            dockerfile=dockerfile if dockerfile is not None else self.dockerfile,
            ignore=ignore,
            name=name,
            file=str(self.dockerfile),
        )

    def source(self) -> Source:
        """Read anew. Raises InputError for a missing or refused Dockerfile."""
        return read_source(self.context, self.dockerfile, self.config)

    @property
    def smoke(self) -> SmokeSettings:
        return configured_settings(self.config, self.context)


class Progress(Protocol):
    """Told what happens; the command line shows it."""

    def stage(self, text: str) -> None:
        """A new part of the work begins."""

    def build(self, event: BuildEvent) -> None:
        """A build step begins, says something, or ends."""


@dataclass
class Silent:
    """Shows nothing."""

    stages: list[str] = field(default_factory=list)

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def build(self, event: BuildEvent) -> None:
        del event
