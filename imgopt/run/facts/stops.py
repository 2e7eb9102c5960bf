"""What happens when a container is told to stop: idle, and while it is asked."""

from __future__ import annotations

import os
import signal as signals
import time
from collections.abc import Sequence
from dataclasses import dataclass

from imgopt.engine import Container
from imgopt.results.run_facts import Stop
from imgopt.run.facts.first_answer import ended
from imgopt.run.facts.load import Outcome, Workers
from imgopt.run.facts.runner import Running
from imgopt.run.observation import KILLED

DEFAULT_SIGNAL = "SIGTERM"
_BUSY_SECONDS = 3.0
_TAKEN = 0.1
_UNAVAILABLE = 500
_AT_THE_END = 0.5
"""The engine notes an end a little later than it is."""


def signal_name(said: str) -> str:
    """STOPSIGNAL as a name: "" is SIGTERM, "9" SIGKILL, "quit" SIGQUIT."""
    text = said.strip().upper()
    if not text:
        return DEFAULT_SIGNAL
    if text.isdigit():
        known = {one.value: one.name for one in signals.Signals}
        return known.get(int(text), text)
    return text if text.startswith("SIG") else f"SIG{text}"


def stop_idle(running: Running, signal: str, grace: float, *, is_own: bool) -> Stop:
    """Sends the signal to a container that nobody asks, and waits for its end; what has not ended
    in time is killed."""
    sent = _send(running, signal)
    end = _end(running.container, sent, grace)
    return Stop(
        signal=signal,
        is_own=is_own,
        seconds=end.seconds,
        exit_code=end.code,
        killed=end.killed,
        grace=grace,
    )


def stop_busy(
    running: Running, signal: str, grace: float, path: str, count: int, *, is_own: bool
) -> Stop:
    """The same while `count` connections ask a path, each request on a connection of its own; they
    go on asking until the container has ended."""
    with Workers(running.door(), path, count, anew=True) as workers:
        _await_busy(workers, count)
        under_way = workers.in_flight()
        sent = _send(running, signal)
        sent_at = time.monotonic()
        end = _end(running.container, sent, grace)
        outcomes = workers.end()
    over = sent_at + end.seconds
    finished, cut, refused = counted(outcomes, sent_at, over, killed=end.killed)
    return Stop(
        signal=signal,
        is_own=is_own,
        in_flight=under_way,
        seconds=end.seconds,
        exit_code=end.code,
        killed=end.killed,
        grace=grace,
        finished=finished,
        cut=cut,
        refused=refused,
    )


def counted(
    outcomes: Sequence[Outcome], sent: float, over: float, *, killed: bool = False
) -> tuple[int, int, int]:
    """Requests that were finished, cut and refused, of those that saw the signal (time.monotonic()
    when it was sent, and when the container had ended).

    Finished are those that were under way when it came. Cut are those under way then, or whose
    answer had begun, that were never answered to the end, and all that a kill ended. Refused are
    later ones that were turned away: with an error, by a closed port, or by a connection that was
    closed before anything was answered (a listener that closes drops those that wait for it)."""
    seen = [one for one in outcomes if one.over > sent and one.begun < over]
    before = [one for one in seen if one.begun <= sent]
    later = [one for one in seen if one.begun > sent]
    lost = [one for one in later if one.reply.status is None]
    torn = [one for one in lost if one.reply.begun or (killed and _is_ended_by(one, over))]
    errors = sum(one.reply.status is not None and not _is_good(one) for one in later)
    finished = sum(one.reply.status is not None for one in before)
    return finished, len(before) - finished + len(torn), errors + len(lost) - len(torn)


def _is_good(outcome: Outcome) -> bool:
    return outcome.reply.status is not None and outcome.reply.status < _UNAVAILABLE


def _is_ended_by(outcome: Outcome, over: float) -> bool:
    """Whether somebody had the request until the container's end."""
    return outcome.reply.connected and outcome.over >= over - _AT_THE_END


def _send(running: Running, signal: str) -> float:
    """Sends the signal; when that was, in seconds since the epoch. From the engine's own machine it
    goes to the process itself: an engine takes its time, in which requests are still taken."""
    known = {one.name: one.value for one in signals.Signals}
    pid = running.container.pid if running.local else 0
    sent = time.time()
    if pid and signal in known:
        try:
            os.kill(pid, known[signal])
        except PermissionError:
            pass
        except ProcessLookupError:
            return sent
        else:
            return sent
    running.container.signal(signal)
    return sent


def _await_busy(workers: Workers, count: int) -> None:
    """Until every request under way has been for some of its time, so that it is the service that
    has it, and not the queue of its port."""
    end = time.monotonic() + _BUSY_SECONDS
    time.sleep(0.3)
    least = min(_TAKEN, workers.typical() / 3)
    while time.monotonic() < end:
        if workers.in_flight(least) >= count:
            return
        time.sleep(0.001)


@dataclass(frozen=True, slots=True)
class _End:
    """Seconds from the signal to the end, exit code, and whether it had to be killed."""

    seconds: float
    code: int | None
    killed: bool


def _end(container: Container, sent: float, grace: float) -> _End:
    code = container.wait(grace)
    killed = code is None
    if killed:
        container.signal("SIGKILL")
        code = container.wait(5)
        code = KILLED if code is None else code
    return _End(max(0.0, ended(container.state()) - sent), code, killed)
