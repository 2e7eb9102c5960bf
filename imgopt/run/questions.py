"""What a run is asked, in the order in which every run of an image is: the user's own questions,
those of the image, what its pages and sources name, and what may change something."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from imgopt.engine import Container, RunRequest, Session
from imgopt.engine.container import StartFailure
from imgopt.inspect.sources.routes import MOST_GUESSES, described
from imgopt.run.changing_requests import ChangingRequests, planned
from imgopt.run.comparable_answers import is_worth_asking, worth_keeping
from imgopt.run.observation import RunPlan
from imgopt.run.probes import GUESS_SECONDS, UNKNOWN_PATH, Answer, Probe, ask
from imgopt.run.ready import Ready
from imgopt.run.settings import SmokeSettings, read_http
from imgopt.run.what_to_ask import (
    command_words,
    found_probes,
    guessed_probes,
)

_PROBING_SECONDS = 180.0
_GUESSING_SECONDS = 40.0


class Questions:
    """Of the first run of an image they are found; where there is a `plan` they are its own."""

    def __init__(
        self,
        session: Session,
        settings: SmokeSettings,
        plan: RunPlan | None,
        health: tuple[str, ...] | None,
        guesses: Sequence[str],
        changing: ChangingRequests,
    ) -> None:
        self._session, self._settings, self._plan = session, settings, plan
        self._health, self._guesses, self._changing = health, guesses, changing
        self._requests = tuple(read_http(setting) for setting in settings.http)

    def ask(
        self, container: Container, ready: Ready, request: RunRequest, ports: frozenset[int]
    ) -> tuple[Answer, ...]:
        """All of it, in order. `request` is how the container was started, `ports` what was
        published of it."""
        if ready.state == "ended":
            return tuple(self._run_beside(probe, request) for probe in self._commands())
        published = container.ports()
        if self._plan is not None:
            same = [
                replace(p, command=self._health or p.command) if is_health(p) else p
                for p in self._plan.probes
            ]
            before = self._each(container, published, same[: self._plan.first])
            rest = () if self._plan.first is None else same[self._plan.first :]
            return (*before, *planned(self._session, container, rest, alone=self._plan.alone))
        first = [answer for _, answer in sorted(ready.first.items())]
        own = self._each(
            container,
            published,
            [*self._http(first, ports), *self._commands(), *self._health_probe()],
        )
        asked = {answer.probe.name for answer in own}
        found = [probe for answer in first for probe in self._found(container, published, answer)]
        new = {probe.name: probe for probe in reversed(found) if probe.name not in asked}
        answers = self._each(container, published, [*new.values()][::-1])
        gets = (
            *own,
            *worth_keeping(answers),
            *self._guessed(container, published, first, [*own, *answers]),
        )
        return (*gets, *self._changing.ask(container, request.mounts, first, gets))

    def _guessed(
        self,
        container: Container,
        ports: Mapping[str, int],
        first: list[Answer],
        known: list[Answer],
    ) -> list[Answer]:
        """What the sources and the service's own description name, as far as the original answers
        it soon."""
        told = [
            path
            for answer in known
            for path in described(answer.header("content-type"), answer.body)
        ]
        asked = {answer.probe.name for answer in known}
        speaking = [
            answer for answer in first if answer.probe.kind == "http" and answer.status is not None
        ]
        probes = [
            probe
            for answer in speaking
            for probe in guessed_probes(answer, (*told, *self._guesses))
        ]
        new = [probe for probe in probes if probe.name not in asked][: 2 * MOST_GUESSES]
        answers = self._each(container, ports, new, GUESS_SECONDS, _GUESSING_SECONDS)
        said = {
            (answer.status, answer.body) for answer in known if answer.probe.path == UNKNOWN_PATH
        }
        return [a for a in answers if is_worth_asking(a) and (a.status, a.body) not in said]

    def _each(
        self,
        container: Container,
        ports: Mapping[str, int],
        probes: Sequence[Probe],
        patience: float = 30.0,
        seconds: float = _PROBING_SECONDS,
    ) -> list[Answer]:
        answers: list[Answer] = []
        end = time.monotonic() + seconds
        for probe in probes:
            if time.monotonic() > end and (self._plan is None or probe.source == "found"):
                break
            answers.append(ask(probe, container, ports, patience))
        return answers

    def _http(self, first: list[Answer], published: frozenset[int]) -> list[Probe]:
        speaking = {
            a.probe.port: a.probe.scheme
            for a in first
            if a.probe.kind == "http" and a.status is not None
        }
        probes = []
        for request in self._requests:
            ports = [request.port] if request.port else sorted(speaking) or sorted(published)
            for port in ports:
                scheme = speaking.get(port, "http")
                probes.append(Probe("http", "user", port, request.path, request.text, scheme))
        return probes

    def _commands(self) -> list[Probe]:
        probes = self._plan.probes if self._plan else ()
        planned = [probe for probe in probes if probe.kind == "command" and probe.source == "user"]
        return planned or [
            Probe("command", "user", command=command_words(command))
            for command in self._settings.run
        ]

    def _health_probe(self) -> list[Probe]:
        return [Probe("command", "image", command=self._health)] if self._health else []

    def _found(self, container: Container, ports: Mapping[str, int], first: Answer) -> list[Probe]:
        """From the front page of a port that speaks HTTP; else only that it takes connections."""
        if first.probe.kind != "http" or first.status is None:
            return [replace(first.probe, source="found")]
        front = replace(first.probe, path="/", text=None, source="found")
        more = [replace(front, path=path, source="site") for path in self._settings.more]
        # what a site's settings depend on comes before what is asked only because many services
        # have it
        return [
            *more,
            *found_probes(first if first.probe.path == "/" else ask(front, container, ports)),
        ]

    def _run_beside(self, probe: Probe, request: RunRequest) -> Answer:
        """For a program that has ended: the user's command in a container of its own."""
        words = RunRequest(
            request.image,
            command=probe.command[1:],
            entrypoint=probe.command[:1],
            env=request.env,
            mounts=request.mounts,
            user=request.user,
            network=request.network,
            hostname=request.hostname,
            health_check=False,
        )
        with self._session.create(words) as container:
            try:
                container.start()
            except StartFailure as failure:
                return Answer(probe, 127, error=failure.message)
            code = container.wait(60)
            logs = container.logs()
        return Answer(
            probe, code, (), logs.both, error="" if code is not None else "did not end within 60 s"
        )


def is_health(probe: Probe) -> bool:
    return probe.kind == "command" and probe.source == "image"
