"""Packages that the proof lets go by itself: facts of the ecosystems that no rewrite asks."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems


def is_system_build_tool(name: str) -> bool:
    """Whether a system package only builds, or only serves a package manager."""
    return _system().match(name) is not None


@cache
def _system() -> re.Pattern[str]:
    systems = [
        ecosystem.system for ecosystem in builtin_ecosystems() if ecosystem.system is not None
    ]
    globs = {glob for system in systems for glob in system.may_be_absent}
    return re.compile("|".join(map(translate, sorted(globs))))


@cache
def language_tools(*, seen: bool) -> frozenset[tuple[str, str]]:
    """(ecosystem, name) of installers, build tools, linters and test runners: never part of a
    service unless it opened them. `seen`: it is known what it opened."""
    return frozenset(
        (ecosystem.name, name)
        for ecosystem in builtin_ecosystems()
        for name in (
            ecosystem.build_tools.may_be_absent
            if seen
            else ecosystem.build_tools.may_be_absent_unseen
        )
    )
