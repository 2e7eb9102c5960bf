"""System packages that the author installed by name, and that a run may need therefore."""

from __future__ import annotations

from fnmatch import fnmatchcase

from imgopt.inspect.sources.hand_tools import named_in, names_of_programs, unused_tools
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.strategy import ContextFiles, Project

ABOUT_RUNNING = (
    ".yml",
    ".yaml",
    ".sh",
    ".toml",
    ".json",
    ".tf",
    ".hcl",
    ".service",
    "Makefile",
    "Procfile",
    "justfile",
)
"""Endings of files that may call a program inside of the running container: compose, Kubernetes,
CI, make."""
LONGEST = 1 << 18


def asked_packages(project: Project, evidence: Evidence) -> tuple[str, ...]:
    """Names, without build tools, and without tools for people that neither the image nor the
    project calls."""
    system = evidence.system(project.ecosystems)
    globs = system.build_tools if system is not None else []
    names = [
        name
        for name in evidence.packages.chosen
        if not any(fnmatchcase(name, glob) for glob in globs)
    ]
    if evidence.seen.opened is None:
        return tuple(names)
    packages = {
        package.name: package
        for package in evidence.view.packages
        if package.ecosystem in ("deb", "apk", "rpm")
    }
    unused = unused_tools(
        evidence.view, [packages[name] for name in names if name in packages], evidence.opened
    )
    programs = {name: names_of_programs([packages[name]]) for name in unused}
    named = _named(
        project.context, frozenset(word for words in programs.values() for word in words)
    )
    return tuple(name for name in names if name not in unused or programs[name] & named)


def _named(context: ContextFiles, programs: frozenset[str]) -> frozenset[str]:
    """Programs that a file of the context names; the Dockerfile and hidden folders (CI) speak of
    the build."""
    found: set[str] = set()
    for path, size in context.sizes.items() if programs else ():
        if (
            path.endswith(ABOUT_RUNNING)
            and size <= LONGEST
            and "lock" not in path
            and not path.startswith(".")
        ):
            found |= named_in(context.text(path), programs)
    return frozenset(found)
