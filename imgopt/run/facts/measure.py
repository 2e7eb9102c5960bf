"""Measures one image: some starts, each used for something more than its time, then runs with fewer
rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from imgopt.engine.container import StartFailure
from imgopt.image.config import is_root
from imgopt.inspect.image_view import ImageView
from imgopt.results.run_facts import ImageFacts, Memory, Samples, Start, Stop
from imgopt.run.companions import CompanionFailure
from imgopt.run.facts.about import about
from imgopt.run.facts.load import Asked
from imgopt.run.facts.look import look
from imgopt.run.facts.page_cache import put_out
from imgopt.run.facts.rights import Same, capabilities, likely, read_only_root
from imgopt.run.facts.runner import Runner, Running
from imgopt.run.facts.stops import DEFAULT_SIGNAL, signal_name, stop_busy, stop_idle
from imgopt.run.facts.written import written
from imgopt.run.probes import Answer
from imgopt.run.tuning.tune import Limits, tune

LEAST_STARTS = 3
_ENDS = "it ends by itself"
_NOT_ASKED = "not asked for"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How thoroughly: `starts` are counted warm, one more is cold; `load` None: none."""

    starts: int = LEAST_STARTS
    cold: bool = True
    load: Asked | None = field(default_factory=Asked)
    rights: bool = True
    tuning: bool = True
    """Whether it is tried under limits, and what would be better set otherwise is proposed."""
    limits: Limits = field(default_factory=Limits)


@dataclass
class _Taken:
    """What came of all starts so far."""

    warm: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peaks_start: list[int] = field(default_factory=list)
    peaks_load: list[int] = field(default_factory=list)
    seconds: float = 0.0
    settled: int | None = None
    stops: list[Stop] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def take(self, running: Running, *, cold: bool = False) -> None:
        values = self.cold if cold else self.warm
        values += [running.start_seconds] if running.start_seconds is not None else []
        if running.start_processor_seconds is not None and not cold and running.sign.kind:
            self.processor.append(running.start_processor_seconds)
        self.peaks_start += [running.peak_start] if running.peak_start else []

    def see_end(self, running: Running) -> None:
        self.peaks_load += [running.peak_load] if running.peak_load else []
        self.seconds += running.age


def measured(
    runner: Runner, view: ImageView, wanted: Wanted, *, name: str, reference: str
) -> ImageFacts:
    """All that running it shows. An image that does not start has the reason in `not_measured`.
    Raises EnvironmentFailure."""
    facts = about(runner, view, name, reference)
    first = runner.first
    if not first.started:
        reason = "; ".join((f"it does not start: {first.reason}", *first.hints))
        facts = msgspec.structs.replace(
            facts, exit_code=first.exit_code, not_measured={"start": reason}
        )
        return _watched(facts, runner)
    taken = _Taken()
    for number, use in enumerate(_uses(runner, view, wanted, taken), 1):
        runner.say(f"Start {number}: {use.what}")
        _start(runner, taken, use.act)
    _cold(runner, taken, wanted)
    facts = _of_starts(facts, runner, taken)
    if wanted.rights:
        facts = _rights(facts, runner, view)
    else:
        facts = _without(
            facts, {"capabilities": "not asked for", "read_only_root": "not asked for"}
        )
    if wanted.tuning:
        facts = tune(runner, facts, view, wanted.limits)
    return _watched(facts, runner)


@dataclass(frozen=True, slots=True)
class _Use:
    """What a start is used for, beside its time."""

    what: str
    act: Callable[[Running], None]


def _uses(runner: Runner, view: ImageView, wanted: Wanted, taken: _Taken) -> list[_Use]:
    plain = _Use("how long it takes", _nothing)
    if runner.first.plan.ends:
        seen = _Use("what it writes", lambda running: _look_behind(running, view, taken))
        return [seen, *[plain] * max(0, wanted.starts - 1)]
    said = "what it listens on, asks and writes"
    said += f", and {wanted.load.seconds:.0f} s of load" if wanted.load else ""
    uses = [_Use(said, lambda running: _look(runner, running, view, wanted, taken))]
    uses += _stops(runner, view, wanted, taken)
    return [*uses, *[plain] * max(0, wanted.starts - len(uses))]


def _nothing(_: Running) -> None:
    return


def _look_behind(running: Running, view: ImageView, taken: _Taken) -> None:
    taken.fields["written"] = written(running.container, view.tree, ())
    taken.missing |= dict.fromkeys(("load", "stops", "routes"), _ENDS)


def _look(runner: Runner, running: Running, view: ImageView, wanted: Wanted, taken: _Taken) -> None:
    found, missing = look(runner, running, view, wanted.load)
    taken.settled = found.pop("settled")
    found.pop("program", None)
    taken.fields |= found
    taken.missing |= missing


def _stops(runner: Runner, view: ImageView, wanted: Wanted, taken: _Taken) -> list[_Use]:
    own, grace = signal_name(view.config.stop_signal), _grace(runner)
    signals = [own] if own == DEFAULT_SIGNAL else [own, DEFAULT_SIGNAL]
    path, workers = slow_path(runner), wanted.load.workers if wanted.load else Asked().workers
    uses = []
    for name in signals:
        is_own = name == own

        def idle(running: Running, name: str = name, is_own: bool = is_own) -> None:
            taken.stops.append(stop_idle(running, name, grace, is_own=is_own))

        def busy(running: Running, name: str = name, is_own: bool = is_own) -> None:
            stop = stop_busy(running, name, grace, path, workers, is_own=is_own)
            taken.stops.append(stop)

        uses.append(_Use(f"{name} while nobody asks", idle))
        if runner.sign.kind == "answer":
            uses.append(_Use(f"{name} while {workers} connections ask", busy))
    return uses


def _grace(runner: Runner) -> float:
    """Seconds that it is given to stop: those of the Compose file, else of the user's settings."""
    beside = runner.settings.beside
    said = beside.service.stop_grace if beside is not None else None
    return max(1.0, said if said is not None else runner.settings.stop_timeout)


def slow_path(runner: Runner) -> str:
    """What is asked while it is told to stop: the good answer that takes longest, so that some
    requests are under way."""
    sign = runner.sign

    def fits(answer: Answer) -> bool:
        good = answer.status is not None and answer.status < 400 and not answer.cut
        return answer.probe.plain and answer.probe.port == sign.port and good

    good = [answer for answer in runner.first.answers if fits(answer)]
    slowest = max(good, key=lambda answer: answer.seconds, default=None)
    return slowest.probe.path if slowest is not None else sign.path


def _start(
    runner: Runner, taken: _Taken, act: Callable[[Running], None], *, cold: bool = False
) -> None:
    """A start that fails is no figure: its reason is kept."""
    try:
        with runner.running() as running:
            if not running.started:
                taken.missing.setdefault("start.cold" if cold else "start", running.reason)
                return
            taken.take(running, cold=cold)
            act(running)
            taken.see_end(running)
    except (StartFailure, CompanionFailure) as failure:
        taken.missing.setdefault("start.cold" if cold else "start", str(failure))


def _cold(runner: Runner, taken: _Taken, wanted: Wanted) -> None:
    if not wanted.cold or not runner.sign.kind:
        taken.missing["start.cold"] = _NOT_ASKED if runner.sign.kind else _NO_SIGN
        return
    reason = put_out(runner.session.engine, runner.image)
    if reason:
        taken.missing["start.cold"] = reason
        return
    runner.say("A start with none of its files in memory")
    _start(runner, taken, _nothing, cold=True)


_NO_SIGN = "it answers nothing and listens on nothing: nobody can tell when it has started"


def _of_starts(facts: ImageFacts, runner: Runner, taken: _Taken) -> ImageFacts:
    sign, first = runner.sign, runner.first
    missing = dict(taken.missing)
    if not sign.kind:
        missing["start"] = _NO_SIGN
    if not taken.peaks_start:
        missing["memory"] = "its control group cannot be read here"
    by = f"ended with {first.exit_code}" if sign.kind == "end" else sign.by
    reached = first.companions if first.reached is None else sorted(first.reached)
    made = msgspec.structs.replace(
        facts,
        ends=first.plan.ends,
        exit_code=first.exit_code,
        start=Start(
            by=by,
            cold=Samples(values=taken.cold),
            warm=Samples(values=taken.warm),
            processor_seconds=Samples(values=taken.processor),
        ),
        memory=Memory(
            settled=taken.settled,
            peak_start=max(taken.peaks_start, default=None),
            peak_load=max(taken.peaks_load, default=None),
            watched_seconds=taken.seconds,
        ),
        companions=list(reached),
        stops=taken.stops,
        **taken.fields,
    )
    return _without(made, missing)


def _rights(facts: ImageFacts, runner: Runner, view: ImageView) -> ImageFacts:
    runner.say("Running it without capabilities")
    same = Same(runner.first, runner.asked_again())
    if reason := same.why_not(same.again):
        said = f"two ordinary runs differ: {reason}"
        return _without(facts, {"capabilities": said, "read_only_root": said})
    closes_ports = runner.settings.network is None
    guess = likely(runner.first, as_root=is_root(view.config.user))
    rights = capabilities(same, runner.asked_again, sysctls=closes_ports, guess=guess)
    runner.say("Running it on a read-only root file system")
    root = read_only_root(same, runner.asked_again, facts.written, view.tree)
    return msgspec.structs.replace(facts, capabilities=rights, read_only_root=root)


def _without(facts: ImageFacts, reasons: Mapping[str, str]) -> ImageFacts:
    return msgspec.structs.replace(facts, not_measured={**facts.not_measured, **reasons})


def _watched(facts: ImageFacts, runner: Runner) -> ImageFacts:
    return msgspec.structs.replace(
        facts, watched_seconds=round(runner.watched, 1), runs=runner.runs
    )
