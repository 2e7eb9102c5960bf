"""Launchers by their names, as the ecosystems say that are built in."""

from __future__ import annotations

import posixpath
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.starts import Runner


@cache
def runners() -> dict[str, Runner]:
    return {
        runner.program: runner for ecosystem in builtin_ecosystems() for runner in ecosystem.runner
    }


@cache
def script_runners() -> frozenset[str]:
    """Programs by which a script of the project's manifest runs."""
    return frozenset(name for ecosystem in builtin_ecosystems() for name in ecosystem.runs_scripts)


def runner_of(words: tuple[str, ...]) -> Runner | None:
    """The launcher that these words call."""
    return runners().get(posixpath.basename(words[0])) if words else None
