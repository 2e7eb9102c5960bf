"""The way to the pods: Services, Ingresses and routes."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.compose.model import seconds
from imgopt.deploy.check.examples import SERVICE, deployment, facts
from imgopt.deploy.check.names import names
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.quantities import in_seconds
from imgopt.deploy.check.rule import Case, Found, Rule
from imgopt.deploy.check.situation import Situation

_READ_TIMEOUT = "proxy-read-timeout"


def affinity(situation: Situation) -> Iterator[Found]:
    for one in situation.objects.services:
        if one.affinity.text == "ClientIP":
            yield Found(
                one.affinity,
                f"Service/{one.name}",
                "each client stays with one pod",
                "sessionAffinity ClientIP: new pods get no old clients, and everybody behind one"
                " address comes to one pod",
                "leave it out where pods keep nothing of a client in memory; else keep that in a"
                " store that all of them ask",
            )


def ended(situation: Situation) -> Iterator[Found]:
    known = names().ended
    for node in situation.objects.routes:
        said = [
            k for k in node.find("metadata", "annotations").table if k.startswith(known.annotations)
        ]
        if node["kind"].text == "Ingress" and said:
            yield Found(
                node.find("metadata", "annotations", said[0]),
                f"Ingress/{node.find('metadata', 'name').text}",
                f"it is written for {known.controller}, which nobody maintains since {known.since}",
                f"{len(said)} annotations that only that controller reads",
                "an HTTPRoute of the Gateway API (ingress2gateway translates most annotations)",
            )


def route_timeout(situation: Situation) -> Iterator[Found]:
    for node in situation.objects.routes:
        for limit, backends in _limits(node):
            for name in backends:
                yield from _too_short(situation, node, limit, name)


def _limits(node: Node) -> Iterator[tuple[Node, list[str]]]:
    """Each timeout of a route with the Services that it is for."""
    if node["kind"].text == "Ingress":
        limit = node.find("metadata", "annotations", names().ended.annotations + _READ_TIMEOUT)
        paths = [p for r in node.find("spec", "rules").items for p in r["http"]["paths"].items]
        if limit.there:
            yield limit, [p.find("backend", "service", "name").text for p in paths]
        return
    for rule in node.find("spec", "rules").items:
        for key in ("request", "backendRequest"):
            if rule["timeouts"][key].there:
                yield rule["timeouts"][key], [b["name"].text for b in rule["backendRefs"].items]


def _too_short(situation: Situation, node: Node, limit: Node, name: str) -> Iterator[Found]:
    allowed = seconds(limit.text if not limit.text.isdigit() else float(limit.text))
    if not allowed:
        return
    for one in situation.behind.get(name, ()):
        known = next(filter(None, map(situation.known, one.main)), None)
        longest = known.longest_answer_seconds if known is not None else None
        if longest is not None and longest > allowed:
            yield Found(
                limit,
                f"{node['kind'].text}/{node.find('metadata', 'name').text}",
                f"requests end after {in_seconds(allowed)}",
                f"the longest answer of {one.title} took {in_seconds(longest)}",
                f"a timeout of {in_seconds(longest * 2)} or more"
                + (", or 0s for streams" if known is not None and known.streams else ""),
            )


AFFINITY = Rule(
    id="D36",
    name="session-affinity",
    level="warning",
    title="Clients stay with one pod",
    why="Load no longer spreads, and each update loses what the pod kept.",
    reference="https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity",
    look=affinity,
    good=(
        Case("not said", SERVICE),
        Case("none", SERVICE.replace("selector", "sessionAffinity: None\n  selector")),
    ),
    bad=(
        Case(
            "by address", SERVICE.replace("selector", "sessionAffinity: ClientIP  # <-\n  selector")
        ),
    ),
)
_INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    {}
spec:
  rules:
    - http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port: {{number: 80}}
"""
ENDED = Rule(
    id="D37",
    name="ended-controller",
    level="warning",
    title="The controller of this Ingress has come to its end",
    why="It gets no fixes any more, not for its security either.",
    reference="https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/",
    look=ended,
    good=(
        Case("of another one", _INGRESS.format("traefik.ingress.kubernetes.io/router.tls: 'true'")),
        Case("of one with a like name", _INGRESS.format("nginx.org/client-max-body-size: 4m")),
    ),
    bad=(
        Case(
            "a timeout",
            _INGRESS.format("nginx.ingress.kubernetes.io/proxy-read-timeout: '90'  # <-"),
        ),
    ),
)
_ROUTE = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
spec:
  rules:
    - backendRefs:
        - name: web
          port: 80
      timeouts:
        request: {}
"""
_SLOW = facts(longest_answer_seconds=42.0)
ROUTE_TIMEOUT = Rule(
    id="D38",
    name="route-timeout",
    level="error",
    title="The way to the pods waits less long than an answer takes",
    why="The client gets an error, and the pod works on for nobody.",
    reference="https://gateway-api.sigs.k8s.io/guides/http-timeouts/",
    look=route_timeout,
    needs=("facts",),
    good=(
        Case("long enough", deployment(more=SERVICE + _ROUTE.format("2m")), facts=_SLOW),
        Case("no limit", deployment(more=SERVICE + _ROUTE.format("0s")), facts=_SLOW),
        Case("quick answers", deployment(more=SERVICE + _ROUTE.format("10s")), facts=facts()),
    ),
    bad=(
        Case("a route", deployment(more=SERVICE + _ROUTE.format("10s  # <-")), facts=_SLOW),
        Case(
            "an Ingress",
            deployment(
                more=SERVICE
                + "---\n"
                + _INGRESS.format("nginx.ingress.kubernetes.io/proxy-read-timeout: '30'  # <-")
            ),
            facts=_SLOW,
        ),
    ),
)
RULES = (AFFINITY, ENDED, ROUTE_TIMEOUT)
