"""Runs an image as its users do and records what can be seen of it: answers, files, memory, stop.

The original's first observation makes the `Plan`; its second one and every variant's are asked
exactly the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from imgopt.engine import Container, Output, RunRequest, Session
from imgopt.engine.container import Change, Logs, StartFailure
from imgopt.inspect.sources.write_routes import Writes
from imgopt.run.changing_requests import ChangingRequests
from imgopt.run.companions import CompanionFailure
from imgopt.run.comparable_answers import only_errors
from imgopt.run.control_group import ControlGroup
from imgopt.run.fanotify import Recorder, traced, untraced
from imgopt.run.listening import EPHEMERAL, other_sockets
from imgopt.run.near import Near
from imgopt.run.observation import KILLED, Observation, RunPlan
from imgopt.run.pictures import Album, pictures_of
from imgopt.run.probes import Answer, Probe, ask
from imgopt.run.processes import home_of
from imgopt.run.questions import Questions, is_health
from imgopt.run.ready import Ready, await_ready
from imgopt.run.settings import SmokeSettings
from imgopt.run.start_hints import hints, unset_in_start
from imgopt.run.starting import Made, Starting
from imgopt.run.under_way import UnderWay, slowest

_MOST_STARTS = 4
_ENDING_SECONDS = 2.0
"""How long a service may take to end behind an answer that did not come."""
_DEAF_SECONDS = 3


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
    change: Callable[[RunRequest], RunRequest] = lambda request: request,
) -> Observation:
    """Starts the image, waits until it is ready, asks it, stops it. A container that listens on a
    port that was not published is started again with that port published. `guesses` are paths that
    a service may know, `writes` requests that may change something, for the first look at the
    original; `change` says what is otherwise than the settings ask for. Raises EnvironmentFailure
    for what is the engine's fault."""
    given = settings or SmokeSettings()
    start = Starting(session, image, given, plan, user, change)
    run = _Run(session, image, given, start, plan, trace, guesses, writes)
    observation, missing = run.once(final=False)
    for attempt in range(1, _MOST_STARTS):
        if not missing:
            break
        run.start.ports |= missing
        observation, missing = run.once(final=attempt + 1 == _MOST_STARTS)
    while observation.died is not None and run.changing.without(observation):
        observation, _ = run.once(final=True)
    if observation.died is not None and guesses:  # a guess must not cost the original its run
        return observe(session, image, settings, plan=plan, trace=trace, user=user, change=change)
    return observation


@dataclass(frozen=True, slots=True)
class _End:
    """What was seen of a container at its end: its exit code where it ended while it was asked,
    what it said before it was stopped, and how that went (seconds, exit code)."""

    died: int | None
    sockets: frozenset[str]
    home: str
    said: str
    written: tuple[Change, ...]
    stored: Mapping[str, str] | None
    stop: tuple[float, int] | None
    cut: int | None
    logs: Logs


class _Run:
    def __init__(
        self,
        session: Session,
        image: str,
        settings: SmokeSettings,
        start: Starting,
        plan: RunPlan | None,
        trace: bool,
        guesses: Sequence[str],
        writes: Writes | None,
    ) -> None:
        self.changing = ChangingRequests(session, settings, None if plan is not None else writes)
        self._session = session
        self._image = image
        self._settings = settings
        self._plan = plan
        self._trace = trace
        self._near: Near | None = None
        self._answers: tuple[Answer, ...] = ()
        self.start = start
        given = {pair.partition("=")[0] for pair in self.start.config.get("Env") or ()}
        self._unset = unset_in_start(self.start.words, {*given, *settings.environment()})
        self._questions = Questions(
            session, settings, plan, self.start.health, guesses, self.changing
        )

    def once(self, *, final: bool) -> tuple[Observation, frozenset[int]]:
        """One start; and the ports that must be published for a real one."""
        with contextlib.ExitStack() as stack:
            try:
                made = stack.enter_context(self.start.made())
            except StartFailure as failure:
                return self._failed(failure.message), frozenset()
            except CompanionFailure as failure:
                return self._failed(failure.reason, failure.log, failure.hints), frozenset()
            container, self._near = made.container, made.near
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
            ready = await_ready(
                container, container.ports(), self.start.expected(final), local=local
            )
            if ready.unpublished and ready.state == "answers":
                return self._failed("a port has to be published"), ready.unpublished
            return self._finish(made, ready, recorder, album), frozenset()

    def _finish(
        self, made: Made, ready: Ready, recorder: Recorder | None, album: Album
    ) -> Observation:
        container = made.container
        album.take()
        self._look(container)
        answers = self._answers = self._questions.ask(
            container, ready, made.request, self.start.ports
        )
        own_health = self._own_health(container, ready)
        end = self._end(container, ready, album)
        if recorder is not None:
            recorder.close()
        started, reason = self._judge(ready, end.died, end.logs.text)
        if started and self._plan is None and only_errors(answers):
            said = answers[0].status or answers[0].error
            started, reason = False, f"it answers with errors only: {said}"
        near = self._near
        if not started and near is not None:
            reason = "; ".join(filter(None, (reason, near.ended())))
        plan = self._plan or self._planned(ready, answers, end)
        code, logs, ended = ready.code, end.logs, ready.state == "ended"
        return Observation(
            image=self._image,
            started=started,
            reason=reason,
            plan=plan,
            answers=answers,
            exit_code=code,
            output=Output(code, logs.stdout, logs.stderr) if ended else None,
            died=end.died,
            log=logs.text,
            hints=()
            if started
            else (
                *(near.missing if near is not None else ()),
                *hints(logs.text, code=code, listens=bool(_listens(ready)), unset=self._unset),
            ),
            listening=tuple(sorted(ready.listening)),
            sockets=tuple(sorted(end.sockets)),
            home=end.home,
            said=end.said,
            ready_seconds=ready.seconds,
            written=end.written,
            stored=end.stored,
            peak_memory=ready.peak_memory,
            uid=ready.uid,
            stop_seconds=end.stop[0] if end.stop else None,
            stop_code=end.stop[1] if end.stop else None,
            cut=end.cut,
            trace=recorder.result() if recorder else untraced("not asked for"),
            own_health=own_health,
            companions=near.names if near is not None else (),
            reached=frozenset(near.seen) if near is not None and near.measured else None,
            pictures=album.result(ended=ended),
        )

    def _look(self, container: Container) -> None:
        if self._near is not None:
            self._near.look(container)

    def _end(self, container: Container, ready: Ready, album: Album) -> _End:
        """Looks at the container a last time and stops it."""
        died, sockets, home = None, frozenset[str](), ""
        runs = ready.state != "ended"
        if runs:
            if self.changing.has_lost:  # an engine hears of the end a little later than the client
                container.wait(_ENDING_SECONDS)
            state = container.state()
            died = int(state["ExitCode"]) if state.get("Status") in ("exited", "dead") else None
            pid = int(state.get("Pid") or 0)
            if pid and self._session.engine.facts.local:
                sockets, home = other_sockets(pid), home_of(pid)
            ready.peak_memory = (
                ControlGroup.of(pid).peak_bytes() if pid else None
            ) or ready.peak_memory
        album.take()
        self._look(container)
        said = container.logs().text if runs else ""
        written = container.changes()
        near = self._near
        stored = near.stored(container) if near is not None and near.stores else None
        stop, cut = self._stop(container) if runs and died is None else (None, None)
        return _End(died, sockets, home, said, written, stored, stop, cut, container.logs())

    def _stop(self, container: Container) -> tuple[tuple[float, int], int | None]:
        """Seconds and exit code, and how many of the requests that were under way were cut."""
        slow = self._plan.slow if self._plan is not None else slowest(self._answers)
        host_port = container.ports().get(f"{slow.port}/tcp") if slow is not None else None
        if slow is None or host_port is None:
            return container.stop(self._stop_timeout()), None
        under_way = UnderWay(slow, host_port)
        return container.stop(self._stop_timeout()), under_way.cut()

    def _planned(self, ready: Ready, answers: Sequence[Answer], end: _End) -> RunPlan:
        """How others are started and asked in the same way."""
        return RunPlan(
            ports=tuple(sorted(self.start.ports)),
            listens=_listens(ready),
            probes=tuple(answer.probe for answer in answers),
            ends=ready.state == "ended",
            ready_seconds=ready.seconds,
            deaf=end.stop is not None and end.stop[1] == KILLED,
            slow=slowest(answers),
            first=self.changing.first,
            alone=self.changing.alone,
            unasked=(
                *self.changing.unasked,
                *(self._near.unanswered() if self._near is not None else ()),
            ),
        )

    def _own_health(self, container: Container, ready: Ready) -> Answer | None:
        """Of the image's own check, where the questions did not put it: the original has none, or
        a Compose file says another one."""
        own = self.start.own_health
        if self._plan is None or not own or ready.state == "ended":
            return None
        if own == self.start.health and any(map(is_health, self._plan.probes)):
            return None
        return ask(Probe("command", "image", command=own), container, {})

    def _stop_timeout(self) -> int:
        whole = max(1, round(self._settings.stop_timeout))
        return min(whole, _DEAF_SECONDS) if self._plan and self._plan.deaf else whole

    def _failed(self, reason: str, log: str = "", more: Sequence[str] = ()) -> Observation:
        plan = self._plan or RunPlan(tuple(sorted(self.start.ports)), (), (), False, 0.0)
        return Observation(
            self._image,
            False,
            reason,
            plan,
            log=log or reason,
            hints=tuple(more) or hints(reason, code=None, listens=True),
        )

    def _judge(self, ready: Ready, died: int | None, log: str) -> tuple[bool, str]:
        """Whether it started as it should, in one clause."""
        expected = self.start.expected()
        if died is not None:
            return False, f"it ended with exit code {died} while it was asked"
        if ready.state == "ended":
            ends = expected.ends or (self.start.explains and ready.code == 0)
            serves = bool(expected.must or (self.start.exposed and not ends) or self.start.requests)
            usage = ready.code in (1, 2, 64) and "usage" in log.lower()[:4000]
            good = not serves and (ready.code == 0 or usage or expected.ends)
            return good, f"it ended with exit code {ready.code} after {ready.seconds:.1f} s"
        if ready.state == "answers":
            answers = any(answer.status is not None for answer in ready.first.values())
            said = "answers" if answers else "listens, for itself alone,"
            return True, f"it {said} after {ready.seconds:.1f} s"
        missing = sorted(expected.must - {item.port for item in ready.listening})
        listens = bool(missing or expected.may or self.start.requests)
        if listens and not self._session.engine.facts.local:
            return False, "no port can be asked from here: the engine is not on this machine"
        if listens:
            what = ", ".join(map(str, missing)) or "no port"
            said = f"it does not listen on {what}" if missing else "it listens on no port"
            if ready.listening and not missing:
                said = "it listens but gives no answer"
            return False, f"{said} within {ready.seconds:.0f} s"
        return (
            not expected.ends,
            f"it runs without listening on a port ({ready.seconds:.0f} s watched)",
        )


def _listens(ready: Ready) -> tuple[int, ...]:
    return tuple(sorted({item.port for item in ready.listening if item.port < EPHEMERAL}))
