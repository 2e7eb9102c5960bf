"""Runs an image as its users do and records what can be seen of it: answers, files, memory, stop.

The original's first observation makes the `Plan`; its second one and every variant's are asked
exactly the same.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from imgopt.engine import Container, Output, RunRequest, Session
from imgopt.engine.container import StartFailure
from imgopt.inspect.sources.routes import MOST_GUESSES, described
from imgopt.inspect.sources.write_routes import Writes
from imgopt.run.changing_requests import ChangingRequests, planned
from imgopt.run.comparable_answers import is_worth_asking, only_errors, worth_keeping
from imgopt.run.fanotify import Recorder, traced, untraced
from imgopt.run.fresh_mounts import fresh_mounts
from imgopt.run.listening import EPHEMERAL, other_sockets
from imgopt.run.observation import KILLED, Observation, RunPlan
from imgopt.run.pictures import Album, pictures_of
from imgopt.run.probes import (
    GUESS_SECONDS,
    UNKNOWN_PATH,
    Answer,
    Probe,
    ask,
    command_words,
    found_probes,
    guessed_probes,
    health_words,
    only_explains,
)
from imgopt.run.processes import home_of, peak_memory
from imgopt.run.ready import Expected, Ready, await_ready
from imgopt.run.settings import SmokeSettings, read_http
from imgopt.run.start_hints import hints

_MOST_STARTS = 4
_MOST_EXPOSED = 40
_PROBING_SECONDS = 180.0
_GUESSING_SECONDS = 40.0
_DEAF_SECONDS = 3
HOSTNAME = "imgopt"


def observe(
    session: Session,
    image: str,
    settings: SmokeSettings | None = None,
    *,
    plan: RunPlan | None = None,
    trace: bool = True,
    user: str | None = None,
    guesses: Sequence[str] = (),
    writes: Writes | None = None,
) -> Observation:
    """Starts the image, waits until it is ready, asks it, stops it. A container that listens on a
    port that was not published is started again with that port published. `guesses` are paths that
    a service may know, `writes` requests that may change something, for the first look at the
    original. Raises EnvironmentFailure for what is the engine's fault."""
    run = _Run(session, image, settings or SmokeSettings(), plan, trace, user, guesses, writes)
    for attempt in range(_MOST_STARTS):
        observation, missing = run.once(final=attempt + 1 == _MOST_STARTS)
        if not missing:
            break
        run.ports |= missing
    while observation.died is not None and run.changing.without(observation):
        observation, _ = run.once(final=True)
    if observation.died is not None and guesses:  # a guess must not cost the original its run
        return observe(session, image, settings, plan=plan, trace=trace, user=user)
    return observation


class _Run:
    def __init__(
        self,
        session: Session,
        image: str,
        settings: SmokeSettings,
        plan: RunPlan | None,
        trace: bool,
        user: str | None,
        guesses: Sequence[str],
        writes: Writes | None,
    ) -> None:
        self._guesses = guesses
        self.changing = ChangingRequests(session, settings, None if plan is not None else writes)
        self._session = session
        self._image = image
        self._settings = settings
        self._plan = plan
        self._trace = trace
        self._user = user
        self._mounts = self._settings.mounts
        config: Mapping[str, Any] = session.engine.image(image).get("Config") or {}
        self._exposed = frozenset(_tcp_ports(config.get("ExposedPorts") or {}))
        self._explains = only_explains(
            [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
        )
        self._health = health_words((config.get("Healthcheck") or {}).get("Test"))
        self._requests = tuple(read_http(setting) for setting in settings.http)
        asked = {request.port for request in self._requests if request.port}
        self._wanted = frozenset(settings.ports) | asked
        self.ports: frozenset[int] = (
            self._exposed | self._wanted | frozenset(plan.ports if plan else ())
        )

    def once(self, *, final: bool) -> tuple[Observation, frozenset[int]]:
        """One start; and the ports that must be published for a real one."""
        with contextlib.ExitStack() as stack:
            self._mounts = stack.enter_context(fresh_mounts(self._session, self._settings.mounts))
            try:
                container = stack.enter_context(self._session.create(self._request()))
            except StartFailure as failure:
                return self._failed(failure.message), frozenset()
            recorder = (
                stack.enter_context(traced(self._session.engine, container))
                if self._trace
                else None
            )
            try:
                container.start()
            except StartFailure as failure:
                return self._failed(failure.message), frozenset()
            album = stack.enter_context(
                pictures_of(container, self._session.engine.facts.process_reason)
            )
            local = self._session.engine.facts.local
            ready = await_ready(container, container.ports(), self._expected(final), local=local)
            if ready.unpublished and ready.state == "answers":
                return self._failed("a port has to be published"), ready.unpublished
            return self._finish(container, ready, recorder, album), frozenset()

    def _request(self) -> RunRequest:
        settings = self._settings
        shared = settings.network == "host" or (settings.network or "").startswith("container:")
        return RunRequest(
            self._image,
            command=settings.command,
            env=settings.environment(),
            mounts=self._mounts,
            ports=() if shared else tuple(f"{port}/tcp" for port in sorted(self.ports)),
            user=self._user,
            network=settings.network,
            hostname=None if shared else HOSTNAME,
            health_check=False,
        )

    def _expected(self, final: bool = False) -> Expected:
        plan, timeout = self._plan, self._settings.start_timeout
        if plan is not None:
            timeout = min(max(timeout, 2 * plan.ready_seconds), 15.0 + 4 * plan.ready_seconds)
        paths = {
            port: request.path
            for request in reversed(self._requests)
            for port in self._ports_of(request.port)
        }
        must = self._wanted | frozenset(plan.listens if plan else ())
        may = (
            self._exposed if plan is None else frozenset()
        )  # what the original does not open is not waited for
        return Expected(must, may, paths, plan.ends if plan else False, timeout, final)

    def _ports_of(self, port: int | None) -> frozenset[int]:
        return frozenset((port,)) if port else self.ports

    def _finish(
        self, container: Container, ready: Ready, recorder: Recorder | None, album: Album
    ) -> Observation:
        album.take()
        answers, died = self._ask_all(container, ready), None
        own_health = self._own_health(container, ready)
        sockets, home = frozenset[str](), ""
        if ready.state != "ended":
            state = container.state()
            died = int(state["ExitCode"]) if state.get("Status") in ("exited", "dead") else None
            pid = int(state.get("Pid") or 0)
            if pid and self._session.engine.facts.local:
                sockets, home = other_sockets(pid), home_of(pid)
            ready.peak_memory = (peak_memory(pid) if pid else None) or ready.peak_memory
        album.take()
        said = container.logs().text if ready.state != "ended" else ""
        written = container.changes()
        stop = (
            container.stop(self._stop_timeout())
            if ready.state != "ended" and died is None
            else None
        )
        logs = container.logs()
        if recorder is not None:
            recorder.close()
        started, reason = self._judge(ready, died, logs.text)
        if started and self._plan is None and only_errors(answers):
            started, reason = (
                False,
                f"it answers with errors only: {answers[0].status or answers[0].error}",
            )
        listens = tuple(sorted({item.port for item in ready.listening if item.port < EPHEMERAL}))
        plan = self._plan or RunPlan(
            ports=tuple(sorted(self.ports)),
            listens=listens,
            probes=tuple(answer.probe for answer in answers),
            ends=ready.state == "ended",
            ready_seconds=ready.seconds,
            deaf=stop is not None and stop[1] == KILLED,
            first=self.changing.first,
            alone=self.changing.alone,
            unasked=self.changing.unasked,
        )
        return Observation(
            image=self._image,
            started=started,
            reason=reason,
            plan=plan,
            answers=answers,
            exit_code=ready.code,
            output=Output(ready.code, logs.stdout, logs.stderr) if ready.state == "ended" else None,
            died=died,
            log=logs.text,
            hints=() if started else hints(logs.text, code=ready.code, listens=bool(listens)),
            listening=tuple(sorted(ready.listening)),
            sockets=tuple(sorted(sockets)),
            home=home,
            said=said,
            ready_seconds=ready.seconds,
            written=written,
            peak_memory=ready.peak_memory,
            uid=ready.uid,
            stop_seconds=stop[0] if stop else None,
            stop_code=stop[1] if stop else None,
            trace=recorder.result() if recorder else untraced("not asked for"),
            own_health=own_health,
            pictures=album.result(ended=ready.state == "ended"),
        )

    def _own_health(self, container: Container, ready: Ready) -> Answer | None:
        if (
            self._plan is None
            or not self._health
            or ready.state == "ended"
            or any(map(_is_health, self._plan.probes))
        ):
            return None
        return ask(Probe("command", "image", command=self._health), container, {})

    def _stop_timeout(self) -> int:
        whole = max(1, round(self._settings.stop_timeout))
        return min(whole, _DEAF_SECONDS) if self._plan and self._plan.deaf else whole

    def _failed(self, reason: str) -> Observation:
        plan = self._plan or RunPlan(tuple(sorted(self.ports)), (), (), False, 0.0)
        return Observation(
            self._image,
            False,
            reason,
            plan,
            log=reason,
            hints=hints(reason, code=None, listens=True),
        )

    def _judge(self, ready: Ready, died: int | None, log: str) -> tuple[bool, str]:
        """Whether it started as it should, in one clause."""
        expected = self._expected()
        if died is not None:
            return False, f"it ended with exit code {died} while it was asked"
        if ready.state == "ended":
            ends = expected.ends or (self._explains and ready.code == 0)
            serves = bool(expected.must or (self._exposed and not ends) or self._requests)
            usage = ready.code in (1, 2, 64) and "usage" in log.lower()[:4000]
            good = not serves and (ready.code == 0 or usage or expected.ends)
            return good, f"it ended with exit code {ready.code} after {ready.seconds:.1f} s"
        if ready.state == "answers":
            answers = any(answer.status is not None for answer in ready.first.values())
            said = "answers" if answers else "listens, for itself alone,"
            return True, f"it {said} after {ready.seconds:.1f} s"
        missing = sorted(expected.must - {item.port for item in ready.listening})
        if not self._session.engine.facts.local and (missing or expected.may or self._requests):
            return False, "no port can be asked from here: the engine is not on this machine"
        if missing or expected.may or self._requests:
            what = ", ".join(map(str, missing)) or "no port"
            said = f"it does not listen on {what}" if missing else "it listens on no port"
            if ready.listening and not missing:
                said = "it listens but gives no answer"
            return False, f"{said} within {ready.seconds:.0f} s"
        return (
            not expected.ends,
            f"it runs without listening on a port ({ready.seconds:.0f} s watched)",
        )

    def _ask_all(self, container: Container, ready: Ready) -> tuple[Answer, ...]:
        if ready.state == "ended":
            return tuple(self._run_beside(probe) for probe in self._commands())
        published = container.ports()
        if self._plan is not None:
            same = [
                replace(p, command=self._health or p.command) if _is_health(p) else p
                for p in self._plan.probes
            ]
            before = self._each(container, published, same[: self._plan.first])
            rest = () if self._plan.first is None else same[self._plan.first :]
            return (*before, *planned(self._session, container, rest, alone=self._plan.alone))
        first = [answer for _, answer in sorted(ready.first.items())]
        own = self._each(
            container, published, [*self._http(first), *self._commands(), *self._health_probe()]
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
        return (*gets, *self.changing.ask(container, self._mounts, first, gets))

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

    def _http(self, first: list[Answer]) -> list[Probe]:
        speaking = {
            a.probe.port: a.probe.scheme
            for a in first
            if a.probe.kind == "http" and a.status is not None
        }
        probes = []
        for request in self._requests:
            ports = [request.port] if request.port else sorted(speaking) or sorted(self.ports)
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

    def _run_beside(self, probe: Probe) -> Answer:
        """For a program that has ended: the user's command in a container of its own."""
        request = self._request()
        words = RunRequest(
            self._image,
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


def _tcp_ports(exposed: Mapping[str, Any]) -> list[int]:
    pairs = (name.partition("/") for name in exposed)
    ports = sorted(
        int(port) for port, _, protocol in pairs if port.isdigit() and protocol in ("", "tcp")
    )
    return ports[:_MOST_EXPOSED]


def _is_health(probe: Probe) -> bool:
    return probe.kind == "command" and probe.source == "image"
