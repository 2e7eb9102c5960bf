"""A health check's command that is in the image: each is run in the container before it is said."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from imgopt.engine import Container
from imgopt.results.run_facts import Probe, Route
from imgopt.run.facts.known import known

_SECONDS = 10.0


def health_probe(
    container: Container,
    own: Sequence[str] | None,
    language: str,
    program: str,
    routes: Sequence[Route],
) -> Probe | None:
    """The image's own check where it works; else the first command that asks the best route and
    says yes. None where there is nothing to ask, or nothing to ask it with."""
    tried = [_run(container, words, origin) for words, origin in _own(own)]
    if tried and tried[0].exit_code == 0:
        return tried[0]
    route = best_route(routes)
    for words, origin in _commands(language, program, route) if route is not None else ():
        probe = _run(container, words, origin)
        if probe.exit_code == 0:
            return probe
    return tried[0] if tried else None


def best_route(routes: Sequence[Route]) -> Route | None:
    """What a container's own check asks: a route that is named for liveness, else one that fits it,
    else any good one, health before others."""
    good = [one for one in routes if one.speaks == "http" and 200 <= one.status < 400]
    return min(
        good,
        key=lambda one: (
            one.fits != "liveness",
            one.path not in known().liveness,
            not one.is_health,
            one.path != "/",
        ),
        default=None,
    )


def _own(words: Sequence[str] | None) -> list[tuple[tuple[str, ...], str]]:
    return [(tuple(words), "healthcheck")] if words else []


def _commands(language: str, program: str, route: Route) -> Iterator[tuple[tuple[str, ...], str]]:
    for prober in known().prober:
        if prober.language == language and language:
            yield prober.filled(program, route.port, route.path), "interpreter"
    for prober in known().prober:
        if not prober.language:
            yield prober.filled(program, route.port, route.path), "program"


def _run(container: Container, words: tuple[str, ...], origin: str) -> Probe:
    begun = time.monotonic()
    output = container.exec(words, timeout=_SECONDS)
    return Probe(
        words=list(words),
        exit_code=output.code,
        seconds=time.monotonic() - begun,
        origin=origin,
    )
