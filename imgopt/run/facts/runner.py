"""Starts an image as often as somebody wants to know something of it, each time under conditions of
its own, and puts it under load. Nothing of it stays."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import msgspec

from imgopt.engine import Container, Output, RunRequest, Session
from imgopt.engine.container import StartFailure
from imgopt.inspect.sources.write_routes import Writes
from imgopt.results.run_facts import Load, Tried
from imgopt.run.companions import CompanionFailure
from imgopt.run.control_group import ControlGroup, MemoryWatch
from imgopt.run.facts.conditions import AS_IT_IS, Conditions
from imgopt.run.facts.doors import Door, door_to
from imgopt.run.facts.first_answer import Sign, await_sign, lasted, sign_of
from imgopt.run.facts.load import Asked, put_under_load
from imgopt.run.near import Near
from imgopt.run.observation import Observation
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings
from imgopt.run.starting import Made, Starting

_LEAST_TIMEOUT = 30.0
_SETTLED_SECONDS = 2.0
_SETTLED_SHARE = 0.02
_MOST_SETTLING = 15.0
_WATCHED_WORKER = 5.0


@dataclass
class Running:
    """One container from its start on. `started`: it gave its first good answer, ended with
    success as it does, or runs as a worker does; `reason` says why not. Seconds; bytes as
    `imgopt.results.run_facts.Memory` counts them; None: not measured."""

    container: Container
    request: RunRequest
    near: Near | None
    sign: Sign
    local: bool
    memory: MemoryWatch
    started: bool = False
    reason: str = ""
    start_seconds: float | None = None
    start_processor_seconds: float | None = None
    peak_start: int | None = None
    peak_load: int | None = None
    load: Load | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def peak(self) -> int | None:
        """The most bytes until now."""
        return max((one for one in (self.peak_start, self.peak_load) if one), default=None)

    @property
    def age(self) -> float:
        """For how long it was looked at."""
        return time.monotonic() - self.begun

    @property
    def ended(self) -> str:
        """How it ended, in a clause; "" while it runs."""
        state = self.container.state()
        if state.get("Status") not in ("exited", "dead"):
            return ""
        if state.get("OOMKilled"):
            return "it was killed: it needed more memory than its limit"
        return f"it ended with exit code {state.get('ExitCode')}"

    def door(self, port: int | None = None) -> Door:
        """The way to one of its ports. Raises ValueError where there is none."""
        scheme = self.sign.scheme if port in (None, self.sign.port) else "http"
        return door_to(self.container, port or self.sign.port, scheme, local=self.local)

    def settle(self) -> int | None:
        """Bytes when it has stopped growing, or after fifteen seconds."""
        end, calm = time.monotonic() + _MOST_SETTLING, time.monotonic()
        last = self.memory.now()
        while time.monotonic() < end and time.monotonic() - calm < _SETTLED_SECONDS:
            time.sleep(0.2)
            now = self.memory.now()
            if last is None or now is None:
                return now
            if abs(now - last) > _SETTLED_SHARE * last:
                last, calm = now, time.monotonic()
        return self.memory.now()

    def put_under_load(self, asked: Asked) -> Load | None:
        """Asks it as `asked` says; None where nothing of it answers HTTP."""
        if self.sign.kind != "answer":
            return None
        self.memory.mark()
        before = self.memory.processor_seconds()
        load = put_under_load(self.door(), asked.path or self.sign.path, asked)
        after = self.memory.processor_seconds()
        self.peak_load = self.memory.mark()
        if before is not None and after is not None and load.requests:
            each = (after - before) / load.requests
            load = msgspec.structs.replace(load, processor_seconds_each=each)
        self.load = load
        return load


class Runner:
    """Of one image with the user's settings for a run (environment, ports, companions, ...). The
    first look (`first`) is made once, when something asks for it; every other start is compared
    with what it showed. `runs` and `watched` say how often and how long was looked."""

    def __init__(
        self,
        session: Session,
        image: str,
        settings: SmokeSettings | None = None,
        *,
        guesses: tuple[str, ...] = (),
        writes: Writes | None = None,
        first: Observation | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.session, self.image = session, image
        self.settings = replace(settings or SmokeSettings(), alone=True)
        self.say = say
        self.local = session.engine.facts.local
        self.runs = 0
        self.watched = 0.0
        self.path: str | None = None
        """What is asked under load; None: what shows that it has started."""
        self._guesses, self._writes = guesses, writes
        self._first = first

    @property
    def first(self) -> Observation:
        """What an ordinary run shows: answers, ports, written paths. Raises EnvironmentFailure."""
        if self._first is None:
            self.say("Running it and looking around")
            begun = time.monotonic()
            self._first = observe(
                self.session,
                self.image,
                self.settings,
                trace=False,
                guesses=self._guesses,
                writes=self._writes,
            )
            self._count(time.monotonic() - begun)
        return self._first

    def asked_again(self, conditions: Conditions = AS_IT_IS) -> Observation:
        """Another run, asked what the first one was asked. Raises EnvironmentFailure."""
        begun = time.monotonic()
        seen = observe(
            self.session,
            self.image,
            self.settings,
            plan=self.first.plan,
            trace=False,
            change=conditions.put_on,
        )
        self._count(time.monotonic() - begun)
        return seen

    @property
    def sign(self) -> Sign:
        """What tells that it has started."""
        return sign_of(self.first)

    @contextlib.contextmanager
    def running(self, conditions: Conditions = AS_IT_IS) -> Iterator[Running]:
        """Starts it and waits for its first good answer; it is removed behind the block. What does
        not start is given with its `reason`. Raises EnvironmentFailure, and StartFailure or
        CompanionFailure where there is no container at all."""
        sign, starting = self.sign, self._starting(conditions)
        with contextlib.ExitStack() as stack:
            made = stack.enter_context(starting.made())
            made.container.start()
            running = stack.enter_context(self._watched(made, sign))
            self._wait(running)
            yield running

    def tried(self, conditions: Conditions, load: Asked | None = None) -> Tried:
        """One start under conditions, with a load where one is asked for: whether it survived, how
        long it took to start, and the most memory. Raises EnvironmentFailure."""
        told = Tried(
            memory_limit=conditions.memory or 0,
            processors=conditions.processors,
            environment=dict(conditions.env),
            survived=False,
        )
        if not self.first.started:
            return msgspec.structs.replace(told, detail=self.first.reason)
        try:
            with self.running(conditions) as running:
                if running.started and load is not None:
                    running.put_under_load(load)
                ended = "" if self.sign.kind == "end" else running.ended
                return msgspec.structs.replace(
                    told,
                    survived=running.started and not ended,
                    start_seconds=running.start_seconds,
                    peak=running.peak,
                    load=running.load,
                    detail=ended or running.reason,
                )
        except (StartFailure, CompanionFailure) as failure:
            return msgspec.structs.replace(told, detail=str(failure))

    def output_of(
        self, words: tuple[str, ...], conditions: Conditions = AS_IT_IS, timeout: float = 30.0
    ) -> Output:
        """What a program of the image says, run instead of what the image starts, with the image's
        own environment, its companions not beside it; code None where it did not end in time, 127
        where it cannot be executed."""
        alone = replace(conditions, entrypoint=words[:1], command=words[1:])
        request = alone.put_on(
            RunRequest(self.image, env=self.settings.environment(), health_check=False)
        )
        with self.session.create(request) as container:
            try:
                container.start()
            except StartFailure as failure:
                return Output(127, b"", failure.message.encode())
            code = container.wait(timeout)
            logs = container.logs()
            return Output(code, logs.stdout, logs.stderr)

    def _starting(self, conditions: Conditions) -> Starting:
        return Starting(
            self.session,
            self.image,
            self.settings,
            self.first.plan,
            change=conditions.put_on,
        )

    @contextlib.contextmanager
    def _watched(self, made: Made, sign: Sign) -> Iterator[Running]:
        pid = made.container.pid if self.local else 0
        group = ControlGroup.of(pid) if pid else ControlGroup(None, None, False)
        with MemoryWatch(group) as memory:
            running = Running(made.container, made.request, made.near, sign, self.local, memory)
            try:
                yield running
            finally:
                self._count(running.age)

    def _wait(self, running: Running) -> None:
        timeout = max(
            _LEAST_TIMEOUT, self.settings.start_timeout, 4 * self.first.plan.ready_seconds
        )
        if running.sign.kind == "end":
            self._wait_for_end(running, timeout)
        elif running.sign.kind:
            door = running.door() if running.sign.kind == "answer" else None
            seconds, reason = await_sign(running.sign, running.container, door, timeout)
            running.start_seconds, running.started = seconds, seconds is not None
            running.reason = (running.ended or reason) if reason else ""
        else:
            time.sleep(_WATCHED_WORKER)
            running.reason = running.ended
            running.started = not running.reason
        running.start_processor_seconds = running.memory.processor_seconds()
        running.peak_start = running.memory.mark()

    def _wait_for_end(self, running: Running, timeout: float) -> None:
        code = running.container.wait(timeout)
        running.started = code is not None and code == self.first.exit_code
        if code is None:
            running.reason = f"it did not end within {timeout:.0f} s"
            return
        running.start_seconds = lasted(running.container.state())
        if not running.started:
            running.reason = running.ended

    def _count(self, seconds: float) -> None:
        self.runs += 1
        self.watched += seconds
