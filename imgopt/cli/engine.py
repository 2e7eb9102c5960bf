"""The engine for a command: which one is asked, and what a proof on it does without, said once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from imgopt.cli.streams import tell
from imgopt.errors import InputError

if TYPE_CHECKING:
    from imgopt.engine import Engine


def choose(host: str | None, context: str | None) -> None:
    """As the docker CLI's --host and --context: for this process and those that it starts. Raises
    InputError."""
    if host and context:
        raise InputError("--host and --docker-context name two engines", hint="give one of them")
    if host:
        os.environ["DOCKER_HOST"] = host
    if context:
        os.environ.pop("DOCKER_HOST", None)
        os.environ["DOCKER_CONTEXT"] = context


def engine_to_prove_with(*, builds: bool = True) -> Engine:
    """Raises EnvironmentFailure where none answers."""
    from imgopt.engine import connect

    engine = connect(builds=builds)
    costs = [cost for cost in engine.facts.costs if builds or not cost.startswith("no build")]
    if costs:
        tell(f"with the {engine.facts.kind} engine at {engine.endpoint}:", *costs)
    return engine
