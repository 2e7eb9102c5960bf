"""Looks at one running container from all sides: what it listens on and speaks, whom it asks, what
it wrote, who it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from imgopt.inspect.image_view import ImageView
from imgopt.results.run_facts import Port, Route
from imgopt.run.facts import grpc_health
from imgopt.run.facts.health_probe import health_probe
from imgopt.run.facts.in_parts import comes_in_parts, is_stream, worth_listening
from imgopt.run.facts.known import known
from imgopt.run.facts.load import Asked
from imgopt.run.facts.process_one import process_one
from imgopt.run.facts.programs import language_of, uses_accelerator
from imgopt.run.facts.reaches import Reaches
from imgopt.run.facts.routes import Routes, others
from imgopt.run.facts.runner import Runner, Running
from imgopt.run.facts.user import user_of
from imgopt.run.facts.written import volumes_of, written
from imgopt.run.listening import Listener, listeners, other_sockets
from imgopt.run.pictures import picture
from imgopt.run.probes import Answer, Probe, ask
from imgopt.run.starting import Starting

Missing = dict[str, str]


def look(
    runner: Runner, running: Running, view: ImageView, load: Asked | None
) -> tuple[dict[str, Any], Missing]:
    """Fields of `ImageFacts`, and why others are not measured. Puts it under load where one is
    asked for."""
    found: dict[str, Any] = {}
    missing: Missing = {}
    starting = Starting(runner.session, runner.image, runner.settings, runner.first.plan)
    settled = running.settle()
    found |= _people(runner, running, view, starting)
    found |= _web(runner, running, starting, found, missing)
    if load is None:
        missing["load"] = "no load was asked for"
    elif running.put_under_load(load) is None:
        missing["load"] = "nothing of it answers HTTP"
    found |= {"load": running.load, "settled": settled}
    found["written"] = _written(running, view, starting)
    found["longest_answer_seconds"] = _longest(runner, running)
    return found, missing


def _written(running: Running, view: ImageView, starting: Starting) -> list[Any]:
    near = running.near
    beside = (*(near.stores if near is not None else ()), *running.request.tmpfs)
    places = volumes_of(starting.config, (place.partition(":")[0] for place in beside))
    return written(running.container, view.tree, places)


def _people(
    runner: Runner, running: Running, view: ImageView, starting: Starting
) -> dict[str, Any]:
    """Its processes: the first one, the user, the language."""
    pid = running.container.pid
    if runner.session.engine.facts.process_reason is not None or not pid:
        return {}
    seen = picture(pid, running.container.id)
    language, program = language_of(seen, view)
    said = str(running.request.user or starting.config.get("User") or "")
    return {
        "user": user_of(said, seen, view),
        "process_one": process_one(seen, pid),
        "language": language,
        "program": program,
        "gpu_used": uses_accelerator([pid]),
    }


def _web(
    runner: Runner,
    running: Running,
    starting: Starting,
    known_of_it: Mapping[str, Any],
    missing: Missing,
) -> dict[str, Any]:
    """Ports, and what is answered there."""
    answers = runner.first.answers
    reaches = Reaches(running.near)
    if reaches.why_not:
        missing["reaches"] = reaches.why_not
    published = {
        int(port.partition("/")[0]): at
        for port, at in running.container.ports().items()
        if "tcp" in port
    }
    speaking = [front for front in fronts(answers) if front.port in published]
    routes = Routes(speaking, published, starting.health or ())
    health = list(routes.health(reaches))
    ports, services = _ports(running, starting, speaking, reaches)
    more = others(answers, ((one.port, one.path) for one in health))
    every = [*health, *services, *more]
    return {
        "ports": ports,
        "routes": every,
        "metrics_path": routes.metrics(),
        "streams": _streams(running, answers),
        "websockets": _sockets(running, speaking, answers),
        "health": health_probe(
            running.container,
            starting.health,
            str(known_of_it.get("language", "")),
            str(known_of_it.get("program", "")),
            every,
        ),
        "asked_hosts": reaches.looked_up(),
    }


def fronts(answers: Iterable[Answer]) -> list[Probe]:
    """One question for each port that speaks HTTP."""
    found = {
        answer.probe.port: Probe("http", "found", answer.probe.port, "/", None, answer.probe.scheme)
        for answer in answers
        if answer.probe.kind == "http" and answer.status is not None
    }
    return [found[port] for port in sorted(found)]


def _ports(
    running: Running, starting: Starting, speaking: Sequence[Probe], reaches: Reaches
) -> tuple[list[Port], list[Route]]:
    pid = running.container.pid
    if not running.local or not pid:
        return [Port(number=one.port, speaks=one.scheme) for one in speaking], []
    schemes = {one.port: str(one.scheme) for one in speaking}
    ports: list[Port] = []
    routes: list[Route] = []
    for listener in sorted(listeners(pid)):
        speaks = schemes.get(listener.port, "")
        if not speaks and not listener.loopback:
            speaks, route = _grpc(running, listener, reaches)
            routes += [route] if route is not None else []
        ports.append(_port(listener, speaks, starting))
    for kind, _, number in (one.partition(" ") for one in sorted(other_sockets(pid))):
        if kind == "udp":
            ports.append(Port(number=int(number), transport="udp"))
    return ports, routes


def _port(listener: Listener, speaks: str, starting: Starting) -> Port:
    return Port(
        number=listener.port,
        speaks=speaks,
        address="127.0.0.1" if listener.loopback else "0.0.0.0",
        exposed=listener.port in starting.exposed,
    )


def _grpc(running: Running, listener: Listener, reaches: Reaches) -> tuple[str, Route | None]:
    try:
        door = replace(running.door(listener.port), scheme="http")
    except ValueError:
        return "", None
    answer = grpc_health.ask_health(door)
    if answer.serving is None:
        return "grpc" if answer.speaks else "", None
    asked = reaches.during(lambda: grpc_health.ask_health(door))
    fits = ("readiness" if asked else "liveness") if answer.serving else ""
    route = Route(
        path=grpc_health.PATH,
        port=listener.port,
        speaks="grpc",
        status=200 if answer.serving else 503,
        seconds=answer.seconds,
        is_health=True,
        reaches=asked,
        fits=fits,
    )
    return "grpc", route


def _streams(running: Running, answers: Sequence[Answer]) -> bool:
    if any(is_stream(answer) for answer in answers):
        return True
    for probe in worth_listening(answers):
        try:
            door = running.door(probe.port)
        except ValueError:
            continue
        if comes_in_parts(replace(door, scheme=probe.scheme), probe.path):
            return True
    return False


def _sockets(running: Running, speaking: Sequence[Probe], answers: Sequence[Answer]) -> bool:
    if any(answer.probe.kind == "websocket" and answer.status == 101 for answer in answers):
        return True
    published = running.container.ports()
    asked = (
        ask(replace(front, kind="websocket", path=path), running.container, published)
        for front in speaking
        for path in known().sockets
    )
    return any(answer.status == 101 for answer in asked)


def _longest(runner: Runner, running: Running) -> float | None:
    good = [
        answer.seconds
        for answer in runner.first.answers
        if answer.probe.kind == "http" and answer.status is not None and answer.status < 500
    ]
    if running.load is not None and running.load.longest_seconds:
        good.append(running.load.longest_seconds)
    return max(good, default=None)
