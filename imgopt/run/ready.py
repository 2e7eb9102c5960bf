"""Waits until a started container is ready to be asked: it answers, it has ended, or it runs
without listening."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from imgopt.engine import Container
from imgopt.run.control_group import ControlGroup
from imgopt.run.listening import EPHEMERAL, Listener, listeners
from imgopt.run.probes import Answer, speaks
from imgopt.run.processes import user_of

_STABLE_SECONDS = 0.7
_OTHERS_SECONDS = 2.0
_LONG_STABLE_SECONDS = 30.0
_QUIET_CPU = 0.1
_RECOVER_SECONDS = 15.0
_IDLE_SECONDS = 5.0
_IDLE_CPU = 0.05
_WORKER_SECONDS = 8.0
_SILENT_SECONDS = 25.0
_QUICK_SECONDS = 4.0
_PATIENT_SECONDS = 30.0
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Expected:
    """What this container should come to: `must` listen on all of these ports; `may` listen on
    those (EXPOSE); `paths` is what to ask a port first. `ends`: the original ended by itself.
    `final`: there is no other start to publish more ports with."""

    must: frozenset[int]
    may: frozenset[int]
    paths: Mapping[int, str]
    ends: bool
    timeout: float
    final: bool = False


@dataclass(slots=True)
class Ready:
    """How the wait ended. `first` has the first answer of each published port; `unpublished` are
    open ports that have no way in yet."""

    state: Literal["ended", "answers", "silent", "timeout"] = "timeout"
    code: int | None = None
    seconds: float = 0.0
    listening: frozenset[Listener] = frozenset()
    first: dict[int, Answer] = field(default_factory=dict)
    unpublished: frozenset[int] = frozenset()
    peak_memory: int | None = None
    uid: int | None = None


def await_ready(
    container: Container, published: Mapping[str, int], expected: Expected, *, local: bool
) -> Ready:
    """Looks every tenth of a second; asks a port only when it is seen listening, or, where the
    engine is elsewhere, every second."""
    watch = _Watch(container, published, expected, local)
    while True:
        ready = watch.look()
        if ready is not None:
            ready.seconds = watch.age
            return ready
        time.sleep(_PAUSE if local else 1.0)


class _Watch:
    def __init__(
        self, container: Container, published: Mapping[str, int], expected: Expected, local: bool
    ) -> None:
        self._container = container
        self._published = {
            int(port.partition("/")[0]): host for port, host in published.items() if "tcp" in port
        }
        self._expected = expected
        self._local = local
        self._started = time.monotonic()
        self._ready = Ready()
        self._changed = self._started
        self._answered: float | None = None
        self._cpu: list[tuple[float, float]] = []
        self._patient: set[int] = set()

    @property
    def age(self) -> float:
        return time.monotonic() - self._started

    def look(self) -> Ready | None:
        ready = self._ready
        state = self._container.state()
        if state.get("Status") in ("exited", "dead"):
            ready.state, ready.code = "ended", int(state["ExitCode"])
            return ready
        pid = int(state.get("Pid") or 0)
        if self._local and pid:
            self._measure(pid)
        ready.unpublished = frozenset() if self._expected.final else self._without_a_way_in()
        if self._settled() and (
            ready.unpublished or (self._all_answer() and not self._has_changed(pid))
        ):
            ready.state = "answers"
            return ready
        if self._is_silent():
            ready.state = "silent"
            return ready
        return ready if self.age > self._expected.timeout else None

    def _measure(self, pid: int) -> None:
        ready = self._ready
        ready.peak_memory = ControlGroup.of(pid).peak_bytes() or ready.peak_memory
        uid = user_of(pid)
        ready.uid = ready.uid if uid is None else uid
        now = listeners(pid)
        if now != ready.listening:
            ready.listening, self._changed = now, time.monotonic()
        cpu = ControlGroup.of(pid).processor_seconds()
        if cpu is not None:
            self._cpu.append((time.monotonic(), cpu))
            self._cpu = [
                entry for entry in self._cpu if entry[0] > time.monotonic() - _IDLE_SECONDS - 1
            ]

    def _has_changed(self, pid: int) -> bool:
        """Asking takes time: what was opened meanwhile is waited for and asked, too."""
        before = self._ready.listening
        if self._local:
            self._measure(pid)
        return before != self._ready.listening

    def _without_a_way_in(self) -> frozenset[int]:
        opened = (item.port for item in self._ready.listening if not item.loopback)
        return frozenset(
            port for port in opened if port not in self._published and port < EPHEMERAL
        )

    def _settled(self) -> bool:
        """The set of open ports is the expected one and still; or, where that is not known, it is
        still and the program has stopped working: many open a port for themselves long before the
        one they serve on."""
        if not self._local:
            return True
        still = time.monotonic() - self._changed
        opened = {
            p.port for p in self._ready.listening if p.port < EPHEMERAL or p.port in self._published
        }
        if not opened or not self._expected.must <= opened or still < _STABLE_SECONDS:
            return False
        known = self._expected.must | self._expected.may
        if known and known <= opened:
            return True
        return still >= _LONG_STABLE_SECONDS or (
            still >= _OTHERS_SECONDS and self._is_quiet(1.0, _QUIET_CPU)
        )

    def _is_quiet(self, seconds: float, most: float) -> bool:
        """Whether the container used at most this much CPU time in the last seconds."""
        if not self._cpu or self.age < seconds:
            return False
        now, after = self._cpu[-1]
        before = [cpu for when, cpu in self._cpu if when <= now - seconds]
        return bool(before) and after - before[-1] <= most

    def _all_answer(self) -> bool:
        """Asks every open port once; one that says 5xx is asked again for a while: many services
        say so at first."""
        opened = (
            {item.port for item in self._ready.listening if not item.loopback}
            if self._local
            else self._published
        )
        ports = sorted(port for port in opened if port in self._published)
        for port in ports:
            known = self._ready.first.get(port)
            if known is None:
                self._ask(port, _QUICK_SECONDS)
            elif known.status is None or known.status >= 500:
                self._ask(port, _PATIENT_SECONDS)
        self._ask_silent_ones(ports)
        answers = [self._ready.first[port] for port in ports]
        if (
            answers
            and self._answered is None
            and any(answer.status is not None for answer in answers)
        ):
            self._answered = time.monotonic()
        if not self._local and not any(answer.status for answer in answers):
            return False  # the engine's proxy takes every connection: only HTTP tells
        good = all(answer.status is not None and answer.status < 500 for answer in answers)
        tried = self._answered is not None and time.monotonic() - self._answered > _RECOVER_SECONDS
        return good or tried

    def _ask_silent_ones(self, ports: list[int]) -> None:
        """A port that takes a connection and says nothing may be slow with its first answer: it
        gets its time if it is a declared one, or if no other one speaks HTTP."""
        speaking = any(self._ready.first[port].probe.kind == "http" for port in ports)
        declared = self._expected.must | self._expected.may
        for port in ports:
            if self._ready.first[port].probe.kind == "tcp" and port not in self._patient:
                self._patient.add(port)
                if port in declared or not speaking:
                    self._ask(port, _PATIENT_SECONDS)

    def _ask(self, port: int, patience: float) -> None:
        path = self._expected.paths.get(port, "/")
        left = max(2.0, self._expected.timeout - self.age)
        self._ready.first[port] = speaks(port, path, self._published[port], min(left, patience))

    def _is_silent(self) -> bool:
        """It runs, listens on nothing and has done nothing for five seconds: a worker, or it waits
        for something."""
        if not self._local or self._ready.listening or self._expected.must or self._expected.ends:
            return False
        least = _SILENT_SECONDS if self._expected.may else _WORKER_SECONDS
        return self.age >= least and self._is_quiet(_IDLE_SECONDS, _IDLE_CPU)
