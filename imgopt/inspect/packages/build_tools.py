"""Packages that serve a build only, as the ecosystems say that are built in."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.packages import Package


def is_build_tool(package: Package) -> bool:
    """Compilers, development files and version control: needed to build, not to run."""
    if package.ecosystem == "runtime":
        return any(
            package.name in ecosystem.build_tools.runtimes for ecosystem in builtin_ecosystems()
        )
    return _names().match(package.name) is not None


@cache
def _names() -> re.Pattern[str]:
    systems = [
        ecosystem.system for ecosystem in builtin_ecosystems() if ecosystem.system is not None
    ]
    globs = {glob for system in systems for glob in (*system.build_tools, *system.version_control)}
    return re.compile("|".join(map(translate, sorted(globs))))
