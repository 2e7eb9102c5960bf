"""Readiness: whether requests wait for the program that is to answer them."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.deploy.check.examples import SERVICE, deployment
from imgopt.deploy.check.rule import Case, Found, Rule
from imgopt.deploy.check.rules.stop import answering
from imgopt.deploy.check.situation import Situation


def no_readiness(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        served, perhaps = situation.served(one), situation.may_be_served(one)
        for container in answering(situation, one) if served or perhaps else ():
            known = situation.known(container)
            if {"readiness", "startup"} & set(container.probes) or not _tcp(container.ports):
                continue
            took = known.start.warm.middle if known is not None else None
            measured = f"; it took {took:.3g} s to its first good answer" if took else ""
            others = any({"readiness", "startup"} & set(box.probes) for box in one.main)
            yield Found(
                container.node,
                one.title,
                f"requests come to container {container.name} before it can answer them",
                f"neither a readiness nor a startup probe{measured}",
                "a readinessProbe that asks a route of the service",
                "error" if served and not others else "warning",
            )


def _tcp(ports: tuple[object, ...]) -> bool:
    return not ports or any(getattr(port, "transport", "tcp") == "tcp" for port in ports)


_NAMED = ("name: web\n          image", "name: web  # <-\n          image", 1)
_READY = "readinessProbe:\n  tcpSocket:\n    port: 8080\n"
NO_READINESS = Rule(
    id="D15",
    name="no-readiness",
    level="error",
    title="Requests come before the program can answer",
    why="Without a readiness probe a pod counts as ready when its process runs. Measured here: 67"
    " of 2,848 requests failed in an update of a service that starts in 1.5 s.",
    reference="https://kubernetes.io/docs/concepts/workloads/pods/probes/#readiness-probe",
    look=no_readiness,
    good=(
        Case("it is asked", deployment(_READY, more=SERVICE)),
        Case("the start is waited for", deployment(_READY.replace("ready", "x"), more="")),
        Case(
            "a companion needs none",
            deployment("ports:\n  - containerPort: 8080\n" + _READY, more=SERVICE)
            + SERVICE.replace("name: web", "name: other").replace("app: web", "app: other"),
        ),
        Case("a worker", deployment()),
        Case(
            "a Service for its metrics alone",
            deployment(more=SERVICE.replace("- port: 80", "- name: http-metrics\n      port: 80")),
        ),
        Case(
            "members find each other before they are ready",
            deployment(more=SERVICE.replace("spec:", "spec:\n  publishNotReadyAddresses: true")),
        ),
        Case("a job", deployment(kind="Job", more=SERVICE)),
    ),
    bad=(
        Case("no probe", deployment(more=SERVICE).replace(*_NAMED)),
        Case(
            "liveness alone does not hold requests back",
            deployment(_READY.replace("readiness", "liveness"), more=SERVICE).replace(*_NAMED),
        ),
    ),
)

RULES = (NO_READINESS,)
