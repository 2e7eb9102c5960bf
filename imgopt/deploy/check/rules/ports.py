"""Ports: those that the files name, against each other, the image, and what was seen listening."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.deploy.check.examples import SERVICE, deployment, facts, service
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.rule import Case, Found, Image, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container, Workload
from imgopt.results.run_facts import Port as Seen

_LOOPBACK = ("127.", "::1")


def port(situation: Situation) -> Iterator[Found]:
    for one, container, what, node, number in _asked(situation):
        if _given(container, number):
            continue
        known, view = situation.known(container), situation.view(container)
        if known is not None and known.ports:
            heard = _heard(known.ports, number)
            if heard:
                yield Found(
                    node, one.title, f"{what} {number} of container {container.name}", heard, _FIX
                )
            continue
        exposed = [text.partition("/")[0] for text in view.config.exposed_ports] if view else []
        if exposed and str(number) not in exposed:
            said = f"the image says EXPOSE {', '.join(exposed)}"
            message = f"{what} {number} of container {container.name}"
            yield Found(node, one.title, message, said, _FIX, "warning")


_FIX = "the port that the program listens on, on 0.0.0.0"


def _heard(ports: list[Seen], number: int) -> str:
    """Why nothing answers there; "" where something may."""
    same = [one for one in ports if one.number == number]
    if not same:
        heard = ", ".join(f"{one.number}/{one.transport}" for one in ports)
        return f"nothing listens there; in the run it was {heard}"
    if all(one.address.startswith(_LOOPBACK) for one in same):
        return f"it listens on {same[0].address} alone, which nobody reaches from outside"
    return ""


def _given(container: Container, number: int) -> bool:
    """Whether the file tells the program a port: then it may be another than the image's."""
    words = (*(container.command or ()), *(container.arguments or ()))
    values = [one.value.text for one in container.environment.values()]
    return (
        any(str(number) in text for text in (*words, *values))
        or container.command is not None
        or any("PORT" in name.upper() for name in container.environment)
        or bool(container.whole_sources)
    )


def _asked(situation: Situation) -> Iterator[tuple[Workload, Container, str, Node, int]]:
    """Ports that probes and Services lead to, and those that Compose publishes."""
    for one in situation.workloads:
        main = [container for container in one.main if container.kind == "main"]
        for container in main:
            for probe in container.probes.values():
                number = _number(probe.port, [container])
                if number is not None and probe.handler in ("http", "tcp", "grpc"):
                    yield one, container, f"the {probe.kind} probe asks port", probe.port, number
            for published in container.ports if one.compose else ():
                if published.number is not None and published.transport == "tcp":
                    what = "published is port"
                    yield one, container, what, published.node, published.number
        for outer in situation.services_of(one) if len(main) == 1 else ():
            for ported in outer.ports:
                number = _number(ported.target, main)
                if number is not None and ported.transport == "tcp":
                    what = f"Service/{outer.name} leads to port"
                    yield one, main[0], what, ported.target, number


def _number(node: Node, containers: list[Container]) -> int | None:
    if node.varies or not node.there:
        return None
    if node.text.isdigit():
        return int(node.text)
    named = [p.number for c in containers for p in c.ports if p.name == node.text]
    return named[0] if named else None


def port_name(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        for container in one.main:
            for probe in container.probes.values():
                if _is_name(probe.port) and not _number(probe.port, [container]):
                    yield Found(
                        probe.port,
                        one.title,
                        f"the {probe.kind} probe of container {container.name} asks the port"
                        f" {probe.port.text}",
                        _none_named([container]),
                        "the name of one of its ports, or a number",
                    )
        for outer in situation.services_of(one):
            for ported in outer.ports:
                if _is_name(ported.target) and not _number(ported.target, list(one.main)):
                    yield Found(
                        ported.target,
                        f"Service/{outer.name}",
                        f"the Service leads to the port {ported.target.text} of {one.title}",
                        _none_named(list(one.main)),
                        "the name of one of its ports, or a number: no request arrives",
                    )


def _is_name(node: Node) -> bool:
    """A name of a port has no capital letters: those are to be filled in."""
    text = node.text
    return bool(text) and not text.isdigit() and text == text.lower() and not node.varies


def _none_named(containers: list[Container]) -> str:
    named = [port.name for one in containers for port in one.ports if port.name]
    return f"its ports are named {', '.join(named)}" if named else "none of its ports has a name"


_TCP = "readinessProbe:\n  tcpSocket:\n    port: {}\n"
_EXPOSED = Image({}, {"ExposedPorts": {"8080/tcp": {}}})
PORT = Rule(
    id="D2",
    name="port",
    level="error",
    title="Nothing listens on the port",
    why="A probe that asks it fails for ever, and a Service that leads to it is refused.",
    reference="https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports",
    look=port,
    needs=("image",),
    good=(
        Case("as the image says", deployment(_TCP.format(8080), more=SERVICE), image=_EXPOSED),
        Case(
            "the file tells it another port",
            deployment("env:\n  - {name: HTTP_PORT, value: '9090'}\n" + _TCP.format(9090)),
            image=_EXPOSED,
        ),
        Case("seen listening, though not said", deployment(_TCP.format(8080)), facts=facts()),
        Case("published by Compose", service("ports: ['80:8080']\n"), image=_EXPOSED),
        Case("the image says none", deployment(_TCP.format(9000)), image=Image({}, {})),
    ),
    bad=(
        Case(
            "another than was seen",
            deployment("readinessProbe:\n  tcpSocket:\n    port: 80  # <-\n"),
            facts=facts(),
        ),
        Case(
            "on loopback",
            deployment("readinessProbe:\n  tcpSocket:\n    port: 8080  # <-\n"),
            facts=facts(ports=[Seen(number=8080, address="127.0.0.1")]),
        ),
        Case(
            "a Service to another one",
            deployment(more=SERVICE.replace("8080", "80  # <-")),
            image=_EXPOSED,
        ),
        Case("of Compose", service("ports:\n  - '80:80'  # <-\n"), image=_EXPOSED),
    ),
)
_PORTS = "ports:\n  - name: http\n    containerPort: 8080\n"
PORT_NAME = Rule(
    id="D14",
    name="port-name",
    level="error",
    title="No port has this name",
    why="It is accepted; the probe then fails for ever, and the Service has no endpoint.",
    reference="https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports",
    look=port_name,
    good=(
        Case("by its name", deployment(_PORTS + _TCP.format("http"))),
        Case("by a number that is not named", deployment(_PORTS + _TCP.format(9000))),
        Case("of another container", deployment(_PORTS, more=SERVICE.replace("8080", "http"))),
        Case("a word to be filled in", deployment(_PORTS, more=SERVICE.replace("8080", "PORT"))),
        Case("a template's", deployment(_PORTS + _TCP.format("'{{ .Values.port }}'"))),
    ),
    bad=(
        Case(
            "of a probe",
            deployment(_PORTS + "readinessProbe:\n  httpGet:\n    port: web  # <-\n"),
        ),
        Case("of a Service", deployment(_PORTS, more=SERVICE.replace("8080", "web  # <-"))),
    ),
)
RULES = (PORT, PORT_NAME)
