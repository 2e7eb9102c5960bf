"""Which checks of the running container a plan has: startup, readiness and liveness apart.

A route that asks a companion or a host outside tells whether the service is ready, never whether
its container should be killed: a database that is away would end every pod.
"""

from __future__ import annotations

from math import ceil

from imgopt.deploy import figures
from imgopt.deploy.model import Asked
from imgopt.results.run_facts import ImageFacts, Route

READY = {"period": 5, "failures": 2}
PATIENT = {"period": 10, "failures": 6}


def probes(facts: ImageFacts, port: int | None) -> dict[str, Asked]:
    """startup, readiness, liveness; empty where nothing can be asked."""
    ready, alive = _ready(facts, port), _alive(facts, port)
    if ready is None and alive is None:
        return {}
    first = alive or ready
    assert first is not None
    window = figures.startup_window(facts)
    period = max(1, ceil(window.value / 60))
    found = {
        "startup": _as(first, window.origin, period, ceil(window.value / period), window.measured)
    }
    if ready is not None:
        found["readiness"] = _as(ready, ready.origin, **READY, measured=ready.measured)
    if alive is not None:
        found["liveness"] = _as(alive, alive.origin, **PATIENT, measured=alive.measured)
    return found


def health(facts: ImageFacts) -> Asked | None:
    """The command that is in the image and was run in it."""
    probe = facts.health
    if probe is None or not probe.words or probe.exit_code != 0:
        return None
    said = f"run in the image: ended with 0 in {probe.seconds or 0:.2g} s"
    return Asked("exec", said, words=tuple(probe.words), timeout=_timeout(probe.seconds))


def _ready(facts: ImageFacts, port: int | None) -> Asked | None:
    routes = [one for one in facts.routes if one.port == port and one.status < 400]
    named = [one for fits in ("readiness", "liveness") for one in routes if one.fits == fits]
    health_routes = [one for one in routes if one.is_health]
    others = sorted(
        (one for one in routes if not one.reaches and one.status == 200 and not one.is_health),
        key=lambda one: (one.path != "/", len(one.path), one.path),
    )
    for route in (*named, *health_routes, *others):
        return _of_route(route)
    return _unnamed(facts, port)


def _alive(facts: ImageFacts, port: int | None) -> Asked | None:
    for route in facts.routes:
        if route.port == port and route.fits == "liveness" and not route.reaches:
            return _of_route(route)
    return _unnamed(facts, port)


def _unnamed(facts: ImageFacts, port: int | None) -> Asked | None:
    """Without a route: whether it listens; without a port: the command that the image has."""
    if port is not None:
        return Asked("tcp", f"it listens on {port}/tcp", port=port)
    return health(facts)


def _of_route(route: Route) -> Asked:
    reaches = f", reaches {', '.join(route.reaches)}" if route.reaches else ", reaches nothing"
    took = f" in {route.seconds:.2g} s" if route.seconds is not None else ""
    how = "grpc" if route.speaks == "grpc" else "http"
    said = f"{'GET ' if how == 'http' else ''}{route.path} answered {route.status}{took}{reaches}"
    return Asked(how, said, route.port, route.path, timeout=_timeout(route.seconds))


def _timeout(seconds: float | None) -> int:
    return max(1, min(10, ceil((seconds or 0) * 3)))


def _as(one: Asked, origin: str, period: int, failures: int, measured: bool) -> Asked:
    return Asked(
        one.how,
        origin,
        one.port,
        one.path,
        one.words,
        period,
        failures,
        one.timeout,
        measured,
    )
