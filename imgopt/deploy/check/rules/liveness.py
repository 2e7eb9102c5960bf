"""Liveness: when it gives up, and what it depends on."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.deploy.check import said as told
from imgopt.deploy.check.examples import deployment, facts, service
from imgopt.deploy.check.names import names
from imgopt.deploy.check.quantities import in_seconds
from imgopt.deploy.check.rule import Case, Found, Rule
from imgopt.deploy.check.rules.probes import exec_probe, route_of, title
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container, Probe, Workload
from imgopt.results.run_facts import ImageFacts, Route

_PROBES = "https://kubernetes.io/docs/concepts/workloads/pods/probes/"
_HERE = ("", "localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0")
_URL = re.compile(r"\w+://(?:[^@/\s]*@)?(\[[^\]]*\]|[^:/\s\"']+)")
_SOON = 10.0
"""Seconds: a liveness probe that gives up sooner, with no startup probe before it, ends what only
starts slowly on a busy node."""
_MARGIN = 1.5
"""A start may take so much longer than what was measured: another node, another day."""


def start_window(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        probe = _first_to_end(container)
        if probe is None:
            continue
        facts_of, window = situation.known(container), probe.window
        worst, said = _worst(facts_of, situation.beside(probe.node))
        if worst is not None:
            found = window < worst * _MARGIN
        else:
            found = probe.kind == "liveness" and window < _SOON
            said = "no startup probe is there, and how long the start takes is not known"
        if found:
            yield Found(
                probe.node,
                one.title,
                f"the {title(probe)} of container {container.name} gives up"
                f" {in_seconds(window)} after the start",
                f"{said}; the probe waits {in_seconds(probe.delay)} +"
                f" {probe.failures} x {in_seconds(probe.period)}",
                _window_fix(one, worst),
                "error" if worst is not None and window < worst else "warning",
            )


def _window_fix(one: Workload, worst: float | None) -> str:
    wanted = f"at least {in_seconds(3 * worst)}" if worst is not None else "the slowest start"
    if one.compose:
        return f"start_period of {wanted}"
    return f"a startupProbe of {wanted} (failureThreshold x periodSeconds, three slowest starts)"


def _first_to_end(container: Container) -> Probe | None:
    """The probe that ends a container which has not started yet."""
    probes = container.probes
    if "liveness" in probes:
        return probes.get("startup", probes["liveness"])
    return probes.get("startup", probes.get("health check"))


def _worst(known: ImageFacts | None, beside: str) -> tuple[float | None, str]:
    """Seconds of the slowest start, and who says so."""
    worst = _slowest(known) if known is not None else told.start(beside)
    if worst is None:
        return None, ""
    if known is None:
        return worst, f"the comment beside it says a start of {in_seconds(worst)}"
    return worst, f"the start took up to {in_seconds(worst)} ({known.start.by})"


def _slowest(known: ImageFacts) -> float | None:
    every = [one for one in (known.start.cold.worst, known.start.warm.worst) if one is not None]
    return max(every, default=None)


def same_probes(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        live, ready = container.probes.get("liveness"), container.probes.get("readiness")
        if live is None or ready is None or live.target != ready.target:
            continue
        if live.period * live.failures > ready.period * ready.failures:
            continue  # it is out of the traffic first, and ended only when that goes on
        yield Found(
            live.node,
            one.title,
            f"liveness and readiness of container {container.name} ask the same, and give up"
            " together",
            f"both ask {_asked(live)}; liveness acts after {live.failures} x"
            f" {in_seconds(live.period)}, readiness after {ready.failures} x"
            f" {in_seconds(ready.period)}",
            "a route for liveness that asks nothing else, or a higher failureThreshold there: a"
            " busy pod is to be left alone, not restarted",
        )


def _asked(probe: Probe) -> str:
    if probe.handler == "exec":
        return " ".join(probe.words)
    if probe.handler == "grpc":
        return f"grpc {probe.port.text} {probe.path}".strip()
    return f"{probe.handler} {probe.port.text}{probe.path}".strip()


def liveness_outside(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        probe = container.probes.get("liveness")
        evidence = _outside(probe, situation.known(container)) if probe is not None else ""
        if probe is not None and evidence:
            yield Found(
                probe.node,
                one.title,
                f"the liveness probe of container {container.name} depends on something else",
                evidence,
                "ask it in the readiness probe; liveness asks a route that only says that the"
                " process answers: when the other service fails, every pod would be restarted",
            )


def _outside(probe: Probe, known: ImageFacts | None) -> str:
    route = route_of(probe, known)
    if route is not None and route.reaches:
        return f"{probe.path} asked {', '.join(route.reaches)} while it was answered"
    if probe.handler == "http" and probe.host not in _HERE and "$" not in probe.host:
        return f"it asks the host {probe.host}"
    if probe.handler == "http" and probe.path.rstrip("/").lower() in names().routes.readiness:
        return f"{probe.path} is by its name the route that tells readiness"
    other = _other_host(probe.words)
    return f"it asks the host {other}" if other else ""


def _other_host(words: tuple[str, ...]) -> str:
    text = " ".join(words)
    hosts = [host for host in _URL.findall(text) if host not in _HERE]
    parts = text.replace('"', " ").replace("'", " ").split()
    for client in names().client:
        if not any(posixpath.basename(part) in client.programs for part in parts):
            continue
        for at, part in enumerate(parts[:-1]):
            option, _, joined = part.partition("=")
            if option in client.options and option:
                hosts.append(joined or parts[at + 1])
            elif "" in client.options and posixpath.basename(part) in client.programs:
                hosts += [word for word in parts[at + 1 :] if not word.startswith("-")][:1]
    return next((h for h in hosts if h not in _HERE and "$" not in h and "{" not in h), "")


_LIVE = "livenessProbe:\n  httpGet:\n    path: /alive\n    port: 8080\n"
_LIVE_HERE = _LIVE.replace("Probe:\n", "Probe:  # <-\n", 1)
_STARTUP = (
    "startupProbe:\n  httpGet:\n    path: /alive\n    port: 8080\n  failureThreshold: 30\n"
    "  periodSeconds: 1\n"
)
START_WINDOW = Rule(
    id="D8",
    name="start-window",
    level="error",
    title="A probe gives up before the start is over",
    why="Liveness then ends a container that would have been well, and the next one likewise:"
    " CrashLoopBackOff. Measured here: a start of 6 s under a liveness of 3 s lost 2,313 of 2,566"
    " requests.",
    reference=f"{_PROBES}#startup-probe",
    look=start_window,
    good=(
        Case("a startup probe in front", deployment(_STARTUP + _LIVE), facts=facts()),
        Case("enough time by itself", deployment(_LIVE), facts=facts()),
        Case("nothing is known, and half a minute is usual", deployment(_LIVE)),
        Case(
            "readiness ends nothing",
            deployment(_LIVE.replace("liveness", "readiness") + "  periodSeconds: 1\n"),
            facts=facts(),
        ),
        Case(
            "a start period of Compose",
            service("healthcheck:\n  test: [CMD, x]\n  interval: 1s\n  start_period: 20s\n"),
            facts=facts(),
        ),
    ),
    bad=(
        Case(
            "gives up while it starts",
            deployment(_LIVE_HERE + "  periodSeconds: 1\n"),
            facts=facts(),
        ),
        Case("soon, and nobody knows the start", deployment(_LIVE_HERE + "  periodSeconds: 1\n")),
        Case(
            "a short startup probe",
            deployment(_STARTUP.replace("Probe:", "Probe:  # <-").replace("30", "3") + _LIVE),
            facts=facts(),
        ),
        Case(
            "a health check of Compose",
            service("healthcheck:  # <-\n  test: [CMD, x]\n  interval: 1s\n"),
            facts=facts(),
        ),
    ),
)

_READY = "readinessProbe:\n  httpGet:\n    path: /alive\n    port: 8080\n"
SAME_PROBES = Rule(
    id="D16",
    name="same-probes",
    level="warning",
    title="Liveness and readiness ask the same",
    why="What only has too much to do is to get fewer requests; with one probe for both it is"
    " restarted, and its load falls on the others.",
    reference=f"{_PROBES}#liveness-probe",
    look=same_probes,
    good=(
        Case("liveness gives up later", deployment(_LIVE + "  failureThreshold: 6\n" + _READY)),
        Case("two routes", deployment(_LIVE + _READY.replace("alive", "ready"))),
        Case("readiness alone", deployment(_READY)),
        Case(
            "two services of gRPC",
            deployment(
                "livenessProbe:\n  grpc: {port: 80, service: live}\n"
                "readinessProbe:\n  grpc: {port: 80, service: ready}\n"
            ),
        ),
    ),
    bad=(Case("as a scaffold writes it", deployment(_LIVE_HERE + _READY)),),
)

LIVENESS_OUTSIDE = Rule(
    id="D17",
    name="liveness-outside",
    level="warning",
    title="Liveness depends on another service",
    why="When that one fails, every pod is restarted, which mends nothing and ends what would have"
    " gone on.",
    reference=f"{_PROBES}#liveness-probe",
    look=liveness_outside,
    good=(
        Case(
            "its own host",
            deployment(exec_probe('sh, -c, "pg_isready -h 127.0.0.1 -U app"', kind="liveness")),
        ),
        Case("an own route", deployment(_LIVE)),
        Case(
            "readiness may ask the database",
            deployment(exec_probe("pg_isready, -h, db", kind="readiness")),
        ),
        Case(
            "a route that asked nothing",
            deployment(_LIVE),
            facts=facts(routes=[Route(path="/alive", port=8080)]),
        ),
    ),
    bad=(
        Case(
            "a database", deployment(exec_probe("pg_isready, -h, db", kind="liveness", mark=True))
        ),
        Case(
            "an address",
            deployment(exec_probe("curl, http://api.example.com/", kind="liveness", mark=True)),
        ),
        Case("the route of readiness", deployment(_LIVE_HERE.replace("/alive", "/readyz"))),
        Case(
            "the run showed it",
            deployment(_LIVE_HERE),
            facts=facts(routes=[Route(path="/alive", port=8080, reaches=["db"])]),
        ),
    ),
)

RULES = (START_WINDOW, SAME_PROBES, LIVENESS_OUTSIDE)
