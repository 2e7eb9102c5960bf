"""Start to the first good answer, peak memory and stop of one container, as often as the statistics
need it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from imgopt.engine import Container, RunRequest, Session
from imgopt.run.companions import CompanionFailure, companions
from imgopt.run.control_group import ControlGroup
from imgopt.run.observation import RunPlan
from imgopt.run.probes import Probe, ask
from imgopt.run.settings import SmokeSettings

_PAUSE = 0.01
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds and bytes of one run; None: not measured. `start` of a program that ends is its whole
    run.

    `failure` says why it is of no use: then all else is None.
    """

    start: float | None = None
    memory: int | None = None
    stop: float | None = None
    stop_code: int | None = None
    failure: str = ""


def run_once(session: Session, image: str, settings: SmokeSettings, plan: RunPlan) -> Run:
    """One start, every question of the plan once, one stop."""
    request = RunRequest(
        image,
        command=settings.command,
        env=settings.environment(),
        mounts=settings.mounts,
        ports=tuple(f"{port}/tcp" for port in plan.ports),
        network=settings.network,
        health_check=False,
    )
    with contextlib.ExitStack() as stack:
        try:
            near = stack.enter_context(companions(session, settings, image))
        except CompanionFailure as failure:
            return Run(failure=failure.reason)
        request = request if near is None else near.started_like(request)
        container = stack.enter_context(session.create(request))
        started = time.monotonic()
        container.start()
        if plan.ends:
            return _until_end(container, started, settings)
        return _until_answer(container, started, settings, plan)


def _until_end(container: Container, started: float, settings: SmokeSettings) -> Run:
    code = container.wait(max(settings.start_timeout, _PATIENCE))
    seconds = time.monotonic() - started
    return (
        Run(start=seconds)
        if code is not None
        else Run(failure=f"did not end within {seconds:.0f} s")
    )


def _until_answer(
    container: Container, started: float, settings: SmokeSettings, plan: RunPlan
) -> Run:
    first = _first_question(plan)
    seconds = None
    if first is not None:
        seconds = _wait_for(
            first, container, started, max(settings.start_timeout, 4 * plan.ready_seconds)
        )
        if seconds is None:
            state = "it ended" if not container.running else "no good answer"
            return Run(failure=f"{state}: {first.name} after {time.monotonic() - started:.0f} s")
    else:
        time.sleep(max(plan.ready_seconds, 1.0))
    ports = container.ports()
    for probe in plan.probes:
        ask(probe, container, ports)
    memory = ControlGroup.of(container.pid).peak_bytes() if container.pid else None
    stop, code = container.stop(max(1, round(settings.stop_timeout)))
    return Run(seconds, memory, stop, code)


def _first_question(plan: RunPlan) -> Probe | None:
    """The user's own HTTP probe, else any HTTP probe, else a connection."""
    asked = [probe for probe in plan.probes if probe.kind != "command"]
    return min(
        asked, key=lambda probe: (probe.kind != "http", probe.source != "user"), default=None
    )


def _wait_for(probe: Probe, container: Container, started: float, timeout: float) -> float | None:
    """Seconds from the start to the first answer that is no error; None when there was none in
    time."""
    ports = container.ports()
    worst = (
        400 if probe.source == "user" else 500
    )  # a path that was only guessed may be "not found"
    while time.monotonic() - started < timeout:
        answer = ask(probe, container, ports)
        if answer.status is not None and (probe.kind != "http" or answer.status < worst):
            return time.monotonic() - started
        if not container.running:
            return None
        time.sleep(_PAUSE)
    return None
