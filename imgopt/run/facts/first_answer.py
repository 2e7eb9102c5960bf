"""When a container that has just been started gives its first good answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imgopt.engine import Container
from imgopt.run.facts.doors import Door
from imgopt.run.facts.load import ask_once
from imgopt.run.listening import listeners
from imgopt.run.observation import Observation
from imgopt.run.probes import Probe, Scheme

_PAUSE = 0.01
_WORST = 500
_WORST_ASKED_FOR = 400
"""A path that the user named has to be there; one that was only tried may be "not found"."""


@dataclass(frozen=True, slots=True)
class Sign:
    """By which it is told that the service has started: an answer, a port, its end. Kind "" is for
    one that shows nothing."""

    kind: str = ""
    port: int = 0
    path: str = ""
    scheme: Scheme = "http"
    asked_for: bool = False
    """The user named the path."""

    @property
    def by(self) -> str:
        """As the result says it."""
        if self.kind == "answer":
            return f"GET :{self.port}{self.path}"
        return f"listens on {self.port}/tcp" if self.kind == "port" else ""

    def is_good(self, status: int | None) -> bool:
        """Whether this status is a good answer."""
        worst = _WORST_ASKED_FOR if self.asked_for else _WORST
        return status is not None and status < worst


def sign_of(seen: Observation) -> Sign:
    """By the answers of a run that was looked at: the user's own question first, then any that
    was answered well, then an open port."""
    if seen.plan.ends:
        return Sign("end")
    answered = [answer for answer in seen.answers if answer.probe.kind == "http"]
    good = [a for a in answered if a.status is not None and a.status < _WORST and a.probe.plain]
    best = min(good, key=lambda a: _rank(a.probe, a.status or 0), default=None)
    if best is not None:
        probe = best.probe
        theirs = probe.source == "user" and (best.status or 0) < _WORST_ASKED_FOR
        return Sign("answer", probe.port, probe.path, probe.scheme, theirs)
    opened = [listener.port for listener in seen.listening if listener.port in seen.plan.listens]
    return Sign("port", min(opened)) if opened else Sign()


def _rank(probe: Probe, status: int) -> tuple[bool, bool, bool]:
    return probe.source != "user", status >= _WORST_ASKED_FOR, probe.path != "/"


def await_sign(
    sign: Sign, container: Container, door: Door | None, timeout: float
) -> tuple[float | None, str]:
    """Seconds from the container's start to the sign, looked for a hundred times a second, and why
    there was none in time. `door` leads to the sign's port."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if _is_there(sign, container.pid if sign.kind == "port" else 0, door):
            return time.time() - began(container.state()), ""
        if not container.running:
            code = container.state().get("ExitCode")
            return None, f"it ended with exit code {code} before its first good answer"
        time.sleep(_PAUSE)
    return None, f"no good answer within {timeout:.0f} s"


def _is_there(sign: Sign, pid: int, door: Door | None) -> bool:
    if sign.kind == "port":
        return any(listener.port == sign.port for listener in listeners(pid))
    if door is None:
        return False
    connection = door.http(timeout=30.0)
    try:
        reply = ask_once(connection, door, sign.path, anew=True)
    finally:
        connection.close()
    return sign.is_good(reply.status)


def began(state: dict[str, Any]) -> float:
    """When it was started, in seconds since the epoch, by the engine's clock."""
    return _seconds(str(state.get("StartedAt") or ""))


def lasted(state: dict[str, Any]) -> float:
    """How long it ran, of one that has ended."""
    return _seconds(str(state.get("FinishedAt") or "")) - began(state)


def ended(state: dict[str, Any]) -> float:
    """When it ended, in seconds since the epoch."""
    return _seconds(str(state.get("FinishedAt") or ""))


def _seconds(text: str) -> float:
    """RFC 3339 with nanoseconds, of which Python reads six digits."""
    head, dot, tail = text.partition(".")
    digits = "".join(char for char in tail if char.isdigit())[:6] if dot else "0"
    whole = head.removesuffix("Z")
    try:
        return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{digits or 0}")
    except ValueError:
        return 0.0
