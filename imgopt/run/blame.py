"""What is no strategy's fault: a full disk, a network that is away. It ends the loop; nothing is
left out for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from imgopt.engine import BuildFailure
from imgopt.engine.faults import disk_failure, full_disk, network_failure, no_network, no_resolver
from imgopt.run.observation import Observation


class BuildsAgain(Protocol):
    """The original, which can be built once more."""

    def failure(self) -> BuildFailure | None:
        """Why it does not build now; None where it does."""


def blame_the_network(failure: BuildFailure, again: BuildsAgain) -> None:
    """Raises EnvironmentFailure where a variant does not build for want of a name or a network, and
    the original does not build any more either, for the same reason."""
    if not no_network(_said(failure)):
        return
    same = again.failure()
    line = no_network(_said(same)) if same is not None else ""
    if line:
        raise network_failure(
            line, "the original, built again without cache, fails like its variant"
        ) from None


def blame_the_network_alone(failure: BuildFailure) -> None:
    """Raises EnvironmentFailure where the original does not build because no name at all can be
    resolved."""
    line = no_resolver(_said(failure))
    if line:
        raise network_failure(
            line, failure.step.name[:80] if failure.step is not None else "during a build"
        ) from None


def blame_the_disk(run: Observation, originals: Iterable[Observation] = ()) -> None:
    """Raises EnvironmentFailure where a container did not start because the engine's disk was full;
    not where the original says the same and lives with it."""
    line = full_disk([*run.log.splitlines(), run.reason])
    if line and not any(full_disk(other.log.splitlines()) for other in originals):
        raise disk_failure(line, "when the image was run")


def _said(failure: BuildFailure) -> list[str]:
    return [*failure.log, failure.step.error if failure.step is not None else "", failure.message]
