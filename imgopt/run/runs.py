"""All runs of a comparison: of the original at least twice, of the candidate once."""

from __future__ import annotations

from dataclasses import dataclass

from imgopt.run.observation import Observation
from imgopt.run.opened import Opened, with_sources


@dataclass(frozen=True, slots=True)
class Runs:
    """What was observed: the original at least twice (the first run traced), the candidate once."""

    originals: tuple[Observation, ...] = ()
    candidate: Observation | None = None
    reason: str = "the images were not run"
    """Why there is nothing."""

    @property
    def opened(self) -> Opened | None:
        traces = [run.trace for run in self.originals if run.trace.reason is None and run.started]
        if not traces:
            return None
        files = frozenset[str]().union(*(trace.opened | trace.executed for trace in traces))
        return Opened(
            with_sources(files), frozenset[str]().union(*(trace.executed for trace in traces))
        )

    @property
    def why_not_opened(self) -> str:
        if not self.originals:
            return self.reason
        first = self.originals[0]
        return first.trace.reason or f"the original does not start: {first.reason}"
