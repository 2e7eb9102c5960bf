"""Findings about live bytes that a running service can do without."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.analysis.evidence import Evidence
from imgopt.image.junk import Junk, JunkKind
from imgopt.results.analysis import Finding

_SMALLEST = 1_000_000
_RULES: dict[JunkKind, tuple[str, str, str]] = {
    "package-lists": (
        "lists and archives of the package manager",
        "remove them in the RUN that fetches them, or keep them in a cache mount",
        "apt-hygiene",
    ),
    "installer-caches": (
        "caches of installers",
        "a cache mount keeps them out of the image and makes the next build faster",
        "cache-mounts",
    ),
    "vcs": ("version control data", "leave .git out with a .dockerignore", "ignore-file"),
    "build-tools": (
        "compilers, development packages and other build tools",
        "build in a first stage and copy the result: what runs needs no compiler",
        "multi-stage",
    ),
    "headers": (
        "header files",
        "headers are needed to compile only: build in a stage of its own",
        "multi-stage",
    ),
    "static-libraries": (
        "static libraries and jmods",
        "needed to link only: use a build stage",
        "multi-stage",
    ),
    "tests": (
        "test suites of libraries",
        "leave them behind when copying from a build stage",
        "multi-stage",
    ),
    "docs": (
        "documentation and manual pages",
        "use a slim base; install without documentation",
        "slim-base",
    ),
    "locales": (
        "translations",
        "use a slim base; keep the languages that the service speaks",
        "slim-base",
    ),
}


def find_unneeded(evidence: Evidence) -> Iterator[Finding]:
    """One finding per kind of junk, apart for the base's and the own layers."""
    for junk in evidence.junk:
        if junk.kind in _RULES:
            yield from _by_origin(evidence, junk)


def _by_origin(evidence: Evidence, junk: Junk) -> Iterator[Finding]:
    what, hint, strategy = _RULES[junk.kind]
    alone = {layer: size - junk.shared.get(layer, 0) for layer, size in junk.layers.items()}
    own = {layer: size for layer, size in alone.items() if evidence.is_own(layer)}
    total_own, total_base = sum(own.values()), sum(alone.values()) - sum(own.values())
    if total_own >= _SMALLEST:
        worst = max(own, key=lambda layer: (own[layer], -layer))
        yield evidence.finding(
            junk.kind,
            total_own,
            f"{what} are in the final image",
            hint,
            where=evidence.where(worst),
            strategy=strategy,
            evidence=junk.places,
        )
    if total_base >= _SMALLEST:
        yield evidence.finding(
            f"base-{junk.kind}",
            total_base,
            f"the base image brings {what}",
            "use a smaller base (slim or distroless), with the build in a stage of its own",
            strategy="slim-base",
            evidence=junk.places,
        )
