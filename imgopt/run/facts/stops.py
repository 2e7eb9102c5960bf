"""What happens when a container is told to stop: idle, and while it is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence

from imgopt.engine import Container
from imgopt.results.run_facts import Stop
from imgopt.run.facts.first_answer import ended
from imgopt.run.facts.load import Outcome, Workers
from imgopt.run.facts.runner import Running
from imgopt.run.observation import KILLED

DEFAULT_SIGNAL = "SIGTERM"
_BUSY_SECONDS = 3.0
_UNAVAILABLE = 500


def signal_name(said: str) -> str:
    """STOPSIGNAL as a name: "" is SIGTERM, "9" SIGKILL, "quit" SIGQUIT."""
    import signal

    text = said.strip().upper()
    if not text:
        return DEFAULT_SIGNAL
    if text.isdigit():
        known = {one.value: one.name for one in signal.Signals}
        return known.get(int(text), text)
    return text if text.startswith("SIG") else f"SIG{text}"


def stop_idle(running: Running, signal: str, grace: float, *, is_own: bool) -> Stop:
    """Sends the signal to a container that nobody asks, and waits for its end; what has not ended
    in time is killed."""
    sent = time.time()
    running.container.signal(signal)
    seconds, code, killed = _end(running.container, sent, grace)
    return Stop(
        signal=signal,
        is_own=is_own,
        seconds=seconds,
        exit_code=code,
        killed=killed,
        grace=grace,
    )


def stop_busy(
    running: Running, signal: str, grace: float, path: str, count: int, *, is_own: bool
) -> Stop:
    """The same while `count` connections ask a path, each request on a connection of its own; they
    go on asking until the container has ended."""
    with Workers(running.door(), path, count, anew=True) as workers:
        _await_busy(workers, count)
        sent, sent_at = time.time(), time.monotonic()
        under_way = workers.in_flight()
        running.container.signal(signal)
        seconds, code, killed = _end(running.container, sent, grace)
        outcomes = workers.end()
    finished, cut, refused = counted(outcomes, sent_at, sent_at + seconds)
    return Stop(
        signal=signal,
        is_own=is_own,
        in_flight=under_way,
        seconds=seconds,
        exit_code=code,
        killed=killed,
        grace=grace,
        finished=finished,
        cut=cut,
        refused=refused,
    )


def counted(outcomes: Sequence[Outcome], sent: float, over: float) -> tuple[int, int, int]:
    """Requests that were finished, cut and refused, of those that saw the signal (time.monotonic()
    when it was sent, and when the container had ended). Finished are those that were under way when
    it came; cut are all that somebody took and nobody answered to the end; refused are later ones
    that nobody took, or that were answered with an error."""
    seen = [one for one in outcomes if one.begun + one.seconds > sent and one.begun < over]
    before = [one for one in seen if one.begun <= sent]
    later = [one for one in seen if one.begun > sent]
    cut = sum(one.status is None and one.connected for one in seen)
    refused = sum(_is_refused(one) for one in later)
    finished = sum(one.status is not None for one in before)
    return finished, cut, refused


def _is_refused(outcome: Outcome) -> bool:
    if outcome.status is None:
        return not outcome.connected
    return outcome.status >= _UNAVAILABLE


def _await_busy(workers: Workers, count: int) -> None:
    end = time.monotonic() + _BUSY_SECONDS
    time.sleep(0.3)  # every worker has been answered once
    while workers.in_flight() < count and time.monotonic() < end:
        time.sleep(0.001)


def _end(container: Container, sent: float, grace: float) -> tuple[float, int | None, bool]:
    """Seconds from the signal to the end, exit code, and whether it had to be killed."""
    code = container.wait(grace)
    killed = code is None
    if killed:
        container.signal("SIGKILL")
        code = container.wait(5)
        code = KILLED if code is None else code
    seconds = ended(container.state()) - sent
    return max(0.0, seconds), code, killed
