"""System packages that the author installed by name, and that a run may need therefore."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from imgopt.dockerfile import Dockerfile
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
COMPOSE_FILES = ("docker-compose*.yml", "docker-compose*.yaml", "compose*.yml", "compose*.yaml")
MOST_ABOVE = 4
"""Folders above the context that are looked into, where a repository holds several services."""
_FOR_RUNNING = re.compile(r"(?i)#.*\b(?:health|probe|liveness|readiness|run[ -]?time|entry ?point)")


def asked_packages(project: Project, evidence: Evidence, dockerfile: Dockerfile) -> tuple[str, ...]:
    """Names, without build tools, and without tools for people that neither the image nor the
    project calls, and of which the author does not say that they are there for the run."""
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
    every = frozenset(word for words in programs.values() for word in words)
    named = _named(project.context, every) | _in_compose_above(project.context, every)
    said = _said_to_run(dockerfile)
    return tuple(
        name for name in names if name not in unused or name in said or programs[name] & named
    )


def _said_to_run(dockerfile: Dockerfile) -> frozenset[str]:
    """Words of the steps of which a comment says what they are for (`# curl for healthcheck`)."""
    found: set[str] = set()
    for item in dockerfile.instructions:
        start = item.comments[0].start if item.comments else item.extent.start
        text = dockerfile.text[start : item.extent.end]
        if item.keyword == "RUN" and _FOR_RUNNING.search(text):
            found.update(item.value.split())
    return frozenset(found)


def _in_compose_above(context: ContextFiles, programs: frozenset[str]) -> frozenset[str]:
    """Programs that a Compose file of the same repository names, above the context."""
    if not programs or (context.root / ".git").exists():
        return frozenset()
    above = list(context.root.resolve().parents)[:MOST_ABOVE]
    top = next((n for n, folder in enumerate(above) if (folder / ".git").exists()), None)
    found: set[str] = set()
    for folder in above[: top + 1] if top is not None else ():
        for path in (path for glob in COMPOSE_FILES for path in sorted(folder.glob(glob))):
            if path.is_file() and path.stat().st_size <= LONGEST:
                found |= named_in(path.read_text(errors="replace"), programs)
    return frozenset(found)


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
