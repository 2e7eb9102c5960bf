"""Runs a benchmark: build the arms, take turns, stop in time, and have a valid result at every
moment."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from imgopt.bench import figures
from imgopt.bench.arms import ArmSpec
from imgopt.bench.bases import base_ids, base_layers
from imgopt.bench.book import AGAIN, Book, Page
from imgopt.bench.environment import environment
from imgopt.bench.order import rounds
from imgopt.bench.settings import Listener, Progress, Settings
from imgopt.bench.statistics import Limits
from imgopt.bench.tasks import (
    ColdBuild,
    ContainerRun,
    Outcome,
    Ready,
    ScenarioBuild,
    Task,
    copied,
    failure_of,
    request_of,
    step_figures,
)
from imgopt.cache.scenarios import Scenario
from imgopt.context.files import list_files
from imgopt.context.project import project_name
from imgopt.dockerfile import IgnoreFile
from imgopt.engine import BuildFailure, Session
from imgopt.errors import EnvironmentFailure, FindingsError, InputError, Interrupted
from imgopt.image import Image, find_packages, open_image
from imgopt.results.bench import Arm, BenchResult, Comparison, Environment, Exact, Failure
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings


class Bench:
    """One benchmark in one session. `run` gives the result, also a partial one after an
    interruption."""

    def __init__(
        self,
        session: Session,
        arms: Sequence[ArmSpec],
        scenarios: Sequence[Scenario],
        smoke: SmokeSettings,
        settings: Settings,
        listener: Listener | None = None,
    ) -> None:
        again = [replace(arms[0], name=f"{arms[0].name}{AGAIN}")] if settings.again else []
        self._session, self._scenarios = session, list(scenarios)
        self._smoke = replace(
            smoke, requests=(), writes=False
        )  # a start is timed, not a day's work
        self._settings, self._listener = settings, listener or Listener()
        self._specs = [*arms, *again]
        self._book = Book(
            [arm.name for arm in self._specs], Limits(settings.alpha, settings.min_effect)
        )
        self._ready: list[Ready] = []
        self._arms: dict[str, Arm] = {spec.name: _described(spec) for spec in arms}
        self._comparisons: list[Comparison] = []
        self._environment: Environment | None = None
        self._seconds: dict[tuple[str, str], float] = {}
        self._later: list[str] = []
        """Measures that are still to come."""
        self._reason = ""
        self._cut_short: list[str] = []
        self._before = 0.0
        self._began = time.monotonic()
        self.command: list[str] = []

    def resume(self, earlier: BenchResult) -> None:
        """Goes on from a partial result. Raises InputError when it is of other arms or settings."""
        mine = {spec.name: spec.text for spec in self._specs if not spec.name.endswith(AGAIN)}
        theirs = {arm.name: arm.text for arm in earlier.arms}
        if mine != theirs:
            raise InputError(
                "the result to resume is of other Dockerfiles", hint="start again without --resume"
            )
        self._settings = replace(
            self._settings, seed=earlier.seed, runs=earlier.runs, warm_up=earlier.warm_up
        )
        self._book.load(earlier.measures)
        self._before = earlier.seconds or 0.0

    def run(self) -> BenchResult:
        """Measures until all is done or the time is up. An interruption ends it in order, with a
        partial result."""
        try:
            self._prepare()
            tasks = self._tasks()
            for number, task in enumerate(tasks):
                self._later = [later.measures[0][0] for later in tasks[number + 1 :]]
                self._take_turns(task)
        except (Interrupted, KeyboardInterrupt):
            self._reason = "interrupted"
        except (EnvironmentFailure, FindingsError) as error:
            if not self._ready:
                raise
            self._reason = str(error)
        return self.result()

    def result(self) -> BenchResult:
        """What is known now."""
        settings = self._settings
        engine = self._session.engine
        return BenchResult(
            project=project_name(self._specs[0].project),
            context=str(self._specs[0].project),
            command=self.command,
            seed=settings.seed,
            runs=settings.runs,
            warm_up=settings.warm_up,
            alpha=settings.alpha,
            min_effect=settings.min_effect,
            partial=bool(self._reason),
            reason=self._reason,
            environment=self._environment or environment(engine, self._specs[0].project, {}),
            arms=list(self._arms.values()),
            comparisons=self._comparisons,
            measures=self._book.measures(),
            seconds=self._before + self._elapsed(),
        )

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _prepare(self) -> None:
        """Builds every arm once, from the user's own cache where that has it, and takes the exact
        figures."""
        engine = self._session.engine
        self._environment = environment(
            engine, self._specs[0].project, base_ids(engine, self._specs)
        )
        for number, spec in enumerate(self._specs):
            self._listener.progress(Progress("build", spec.name, number, len(self._specs), None))
            ready = self._build(spec)
            if ready is not None:
                self._ready.append(ready)
        self._take_figures()
        self._listener.checkpoint(self.result())

    def _build(self, spec: ArmSpec) -> Ready | None:
        tree = copied(self._session, spec)
        try:
            build = self._session.build(request_of(spec, tree))
        except BuildFailure as error:
            if spec.name in self._arms:
                self._arms[spec.name] = _changed(self._arms[spec.name], failure=failure_of(error))
            return None
        image = self._session.engine.image(build.reference or "")
        diff_ids = tuple((image.get("RootFS") or {}).get("Layers") or ())
        if sum(step.seconds or 0.0 for step in build.steps) > build.seconds / 2:
            self._seconds["cold", spec.name] = build.seconds
        return Ready(spec, tree, build, build.reference or "", diff_ids)

    def _take_figures(self) -> None:
        images: list[tuple[Image, int]] = []
        for ready in self._ready:
            if ready.spec.name not in self._arms:
                continue
            self._listener.progress(
                Progress("figures", ready.spec.name, len(images), len(self._ready), None)
            )
            image = open_image(ready.image)
            below = base_layers(self._session.engine, ready.spec, ready.diff_ids)
            images.append((image, below))
            described = self._arms[ready.spec.name]
            self._arms[ready.spec.name] = _changed(
                described,
                image=ready.build.image_id,
                exact=_exact(image, ready.spec),
                layers=figures.layers(image, below),
                steps=step_figures(ready.build.steps),
            )
            if len(images) > 1:
                (first, first_base), (other, other_base) = images[0], images[-1]
                self._comparisons.append(
                    Comparison(
                        before=self._ready[0].spec.name,
                        after=ready.spec.name,
                        waterfalls=figures.waterfalls(first, other, (first_base, other_base)),
                        contents=figures.contents(first, other),
                    )
                )

    def _tasks(self) -> list[Task]:
        """What costs little and what matters most comes first: the time may be up before the
        end."""
        home = self._specs[0].context
        builds: list[Task] = [
            ScenarioBuild(self._session, scenario, home) for scenario in self._scenarios
        ]
        cold: list[Task] = [ColdBuild(self._session)] if self._settings.cold else []
        return [*builds[:1], *self._container_task(), *builds[1:], *cold]

    def _container_task(self) -> list[Task]:
        if not self._settings.containers or not self._ready:
            return []
        first = self._ready[0]
        self._listener.progress(Progress("look at it", first.spec.name, 0, 1, None))
        began = time.monotonic()
        seen = observe(self._session, first.image, self._smoke, trace=False)
        if seen.started:
            took = time.monotonic() - began
            self._seconds.update({("start", ready.spec.name): took for ready in self._ready})
            return [ContainerRun(self._session, self._smoke, seen.plan)]
        page = self._book.page("start", "run", "seconds")
        page.of(first.spec.name).failure = Failure(message=seen.reason, output=list(seen.log_tail))
        return []

    def _take_turns(self, task: Task) -> None:
        pages = [self._book.page(name, kind, unit, task.edit) for name, kind, unit in task.measures]
        arms = {ready.spec.name: ready for ready in self._ready}
        if not arms:
            return
        warm_up = self._warm_up(task)
        total = warm_up + self._settings.runs
        for number, turn in enumerate(rounds(list(arms), total, self._settings.seed)):
            if all(_has_turn(pages[0], arm, number) for arm in turn):
                continue
            if not self._time_for(pages[0].name, turn):
                return
            for arm in turn:
                if not _has_turn(pages[0], arm, number):
                    self._tell(pages[0].name, arm, number, total)
                    self._turn(task, pages, arms[arm], number, warm_up)
            self._listener.checkpoint(self.result())

    def _warm_up(self, task: Task) -> int:
        """A build that just ran every step of every arm has warmed up the cold build."""
        ran = all(("cold", ready.spec.name) in self._seconds for ready in self._ready)
        return 0 if isinstance(task, ColdBuild) and ran else self._settings.warm_up

    def _turn(
        self, task: Task, pages: Sequence[Page], arm: Ready, number: int, warm_up: int
    ) -> None:
        name = arm.spec.name
        began = time.monotonic()
        outcome = task.perform(
            arm, self._token(pages[0].name, name, number), detailed=number == warm_up
        )
        self._seconds[pages[0].name, name] = time.monotonic() - began
        for page in pages:
            _note(page, name, outcome, is_warm_up=number < warm_up)
        if pages[0].name == "cold" and outcome.steps and name in self._arms:
            self._arms[name] = _changed(self._arms[name], steps=list(outcome.steps))

    def _token(self, measure: str, arm: str, number: int) -> str:
        """A word that no build saw before."""
        text = f"{self._session.id} {self._settings.seed} {measure} {arm} {number} {time.time_ns()}"
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def _time_for(self, measure: str, turn: Sequence[str]) -> bool:
        """Whether one more round ends in time, as far as is known. Decided by time alone, never by
        a result."""
        if self._settings.max_time is None:
            return True
        expected = sum(self._seconds.get((measure, arm), self._slowest(arm)) for arm in turn)
        if self._elapsed() + expected <= self._settings.max_time:
            return True
        self._cut_short.append(measure)
        self._reason = f"--max-time left no room for all of {', '.join(self._cut_short)}"
        return False

    def _slowest(self, arm: str) -> float:
        """Of the turns that this arm took: the guess for a kind of turn that it has not taken."""
        return max(
            (seconds for (_, name), seconds in self._seconds.items() if name == arm), default=0.0
        )

    def _tell(self, measure: str, arm: str, number: int, total: int) -> None:
        left = (total - number) * self._round(measure)
        left += sum(
            (self._settings.warm_up + self._settings.runs) * self._round(later)
            for later in self._later
        )
        if self._settings.max_time is not None:
            left = min(left, max(self._settings.max_time - self._elapsed(), 0.0))
        guessed = any(not self._is_known(name) for name in (measure, *self._later))
        self._listener.progress(
            Progress(measure, arm, number, total, left or None, at_least=guessed)
        )

    def _is_known(self, measure: str) -> bool:
        """Whether every arm had such a turn, or a build of all its steps, which bounds the other
        builds."""
        timed = self._seconds
        return all(
            (measure, ready.spec.name) in timed or ("cold", ready.spec.name) in timed
            for ready in self._ready
        )

    def _round(self, measure: str) -> float:
        """Seconds of one turn of every arm: as it was, or guessed."""
        names = [ready.spec.name for ready in self._ready]
        return sum(self._seconds.get((measure, name), self._slowest(name)) for name in names)


def _has_turn(page: Page, arm: str, number: int) -> bool:
    """Whether this turn was taken already (in the run that is resumed), or is hopeless."""
    series = page.series.get(arm)
    return series is not None and (
        series.failure is not None or len(series.warm_up) + len(series.values) > number
    )


def _note(page: Page, arm: str, outcome: Outcome, *, is_warm_up: bool) -> None:
    series = page.of(arm)
    if outcome.failure is not None:
        series.failure = outcome.failure
        return
    if page.name in outcome.values:
        (series.warm_up if is_warm_up else series.values).append(outcome.values[page.name])
        if outcome.export_seconds is not None and not is_warm_up:
            series.export_seconds.append(outcome.export_seconds)
        if outcome.exit_code is not None and page.name == "stop" and not is_warm_up:
            series.exit_codes.append(outcome.exit_code)
    if outcome.steps:
        series.steps = list(outcome.steps)
        series.wire_bytes, series.wire_is_estimate = outcome.wire_bytes, outcome.wire_is_estimate


def _described(spec: ArmSpec) -> Arm:
    return Arm(
        name=spec.name,
        role=spec.role,
        dockerfile=spec.dockerfile,
        text=spec.text,
        context=str(spec.project),
        target=spec.request.target,
        revision=spec.revision,
        proof=spec.proof,
        changes=list(spec.changes),
        skips=list(spec.skips),
        checks=list(spec.checks),
    )


def _changed(arm: Arm, **fields: Any) -> Arm:
    return msgspec.structs.replace(arm, **fields)


def _exact(image: Image, spec: ArmSpec) -> Exact:
    sent = list_files(spec.context, IgnoreFile.parse(spec.ignore) if spec.ignore else None)
    return Exact(
        sizes=figures.sizes(image),
        layers=len(image.layers),
        files=figures.files(image),
        packages=len(find_packages(image.tree())),
        context_bytes=sent.size,
        context_files=sum(1 for _ in sent.files()),
    )
