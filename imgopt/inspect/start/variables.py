"""Environment variables whose readers are known: builds alone, or nobody but a reader of the
image's story."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems


def is_for_builds(name: str) -> bool:
    """Read by compilers, installers and package managers only."""
    return any(fnmatchcase(name, glob) for glob in _build_variables())


def is_descriptive(name: str) -> bool:
    """What official images say of themselves; that the run time has the same version is checked on
    its files."""
    return name in _descriptive()


def is_descriptive_label(name: str) -> bool:
    """What an image says of itself to people and catalogues: no service and no orchestrator goes by
    it."""
    return any(fnmatchcase(name, glob) for glob in _descriptive_labels())


@cache
def _descriptive_labels() -> tuple[str, ...]:
    return tuple(glob for one in builtin_ecosystems() for glob in one.descriptive_labels)


@cache
def _build_variables() -> tuple[str, ...]:
    return tuple(glob for one in builtin_ecosystems() for glob in one.build_variables)


@cache
def _descriptive() -> frozenset[str]:
    return frozenset(name for one in builtin_ecosystems() for name in one.descriptive)
