"""What is measured, one task each: a build in one scenario, a cold build, or a run of the
container."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from imgopt.bench.arms import ArmSpec
from imgopt.bench.cold import with_new_cache_mounts
from imgopt.bench.scenarios import choose, undo
from imgopt.bench.startup import run_once
from imgopt.cache.scenarios import Scenario, Skipped
from imgopt.cache.workspace import copy_tree
from imgopt.context.files import list_files
from imgopt.dockerfile import IgnoreFile
from imgopt.engine import Build, BuildFailure, BuildRequest, Session, Step
from imgopt.engine.container import StartFailure
from imgopt.results.bench import Failure
from imgopt.results.figures import StepFigure
from imgopt.run.observation import RunPlan
from imgopt.run.settings import SmokeSettings

_TOKEN = re.compile(r",id=imgopt-[0-9a-f]+-[\w-]*")


@dataclass(frozen=True)
class Ready:
    """An arm that was built: its own copy of the context, and its image."""

    spec: ArmSpec
    tree: Path
    build: Build
    image: str
    diff_ids: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What one turn gave: values by measure, or why there is none."""

    values: Mapping[str, float] = field(default_factory=dict)
    export_seconds: float | None = None
    exit_code: int | None = None
    steps: Sequence[StepFigure] = ()
    wire_bytes: int | None = None
    wire_is_estimate: bool = False
    failure: Failure | None = None


class Task(Protocol):
    """One thing that all arms take turns at."""

    @property
    def measures(self) -> tuple[tuple[str, str, str], ...]:
        """(name, kind, unit) of each value that a turn gives; the first names the task."""
        ...

    @property
    def edit(self) -> str:
        """What it changes, in words."""
        ...

    def perform(self, arm: Ready, token: str, *, detailed: bool) -> Outcome:
        """One turn. `token` was never used before; `detailed` also looks at steps and moved
        bytes."""
        ...


def request_of(arm: ArmSpec, tree: Path, text: str | None = None) -> BuildRequest:
    """The build of an arm's file on a copy of its context; the ignore file is the arm's own."""
    name = re.sub(r"[^a-z0-9]+", "-", arm.name.lower()).strip("-") or "arm"
    return replace(
        arm.request,
        context=tree,
        dockerfile=arm.text if text is None else text,
        ignore="" if arm.ignore is None else arm.ignore,
        name=f"bench-{name}",
        file=arm.dockerfile,
    )


def copied(session: Session, arm: ArmSpec) -> Path:
    """The session's own copy of what the arm's build gets; the user's files are never edited."""
    tree = session.temp_tree("context")
    copy_tree(
        arm.context,
        list_files(arm.context, IgnoreFile.parse(arm.ignore) if arm.ignore else None),
        tree,
    )
    return tree


def failure_of(error: BuildFailure) -> Failure:
    return Failure(
        message=error.message,
        step=error.step.name if error.step else "",
        line=error.location.line if error.location else None,
        output=list(error.log),
    )


def step_figures(steps: Sequence[Step]) -> list[StepFigure]:
    """By stage, in the order of the file; what never ran is left out. A single stage needs no
    name."""
    ran = [step for step in steps if step.cached or step.started is not None]
    several = len({step.stage for step in ran}) > 1
    begin = min((step.started for step in ran if step.started is not None), default=0.0)
    return [
        StepFigure(
            name=_TOKEN.sub(
                "", f"[{step.stage}] {step.name}" if several and step.stage else step.name
            ),
            cached=step.cached,
            start=None if step.started is None else step.started - begin,
            seconds=step.seconds or 0.0,
        )
        for step in sorted(ran, key=lambda step: (step.stage, step.index))
    ]


@dataclass(frozen=True)
class ScenarioBuild:
    """Edit, build, undo. The first detailed turn counts what a push would move again."""

    session: Session
    scenario: Scenario
    project: Path
    """Where `scenario` was chosen; an arm with another context gets its own file for the same kind
    of edit."""

    @property
    def measures(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.scenario.name, "build", "seconds"),)

    @property
    def edit(self) -> str:
        return "" if self.scenario.name == "no-change" else self.scenario.edit

    def perform(self, arm: Ready, token: str, *, detailed: bool) -> Outcome:
        scenario = self.scenario
        if arm.spec.context != self.project:
            (other,) = choose(arm.spec, (scenario.name,))
            if isinstance(other, Skipped):
                return Outcome(failure=Failure(message=other.reason))
            scenario = other
        edit = scenario.make(token)
        edit.write(arm.tree)
        request = request_of(arm.spec, arm.tree)
        request = replace(request, build_args={**request.build_args, **edit.build_args})
        try:
            build = self.session.build(request)
        except BuildFailure as error:
            return Outcome(failure=failure_of(error))
        finally:
            undo(edit, arm.tree, arm.spec.context)
        values = {self.scenario.name: build.seconds}
        try:
            if not detailed:
                return Outcome(values, build.export_seconds)
            moved, estimate = _moved(self.session, build, arm)
            return Outcome(
                values,
                build.export_seconds,
                steps=step_figures(build.steps),
                wire_bytes=moved,
                wire_is_estimate=estimate,
            )
        finally:
            self.session.remove_image(build)


def _moved(session: Session, build: Build, arm: Ready) -> tuple[int | None, bool]:
    """Compressed bytes of the layers that the edited image does not share with the arm's own."""
    from imgopt.image import open_image
    from imgopt.image.wire import wire_size

    reference = build.reference or ""
    kept = set(arm.diff_ids)
    now = session.engine.image(reference)["RootFS"].get("Layers") or []
    if set(now) <= kept:
        return 0, False
    new = [wire_size(layer) for layer in open_image(reference).layers if layer.diff_id not in kept]
    known = [wire for wire in new if wire is not None]
    if len(known) < len(new):
        return None, False
    return sum(wire.bytes for wire in known), any(wire.estimated for wire in known)


@dataclass(frozen=True)
class ColdBuild:
    """Every step again, with empty cache mounts; nothing is pruned."""

    session: Session
    measures: tuple[tuple[str, str, str], ...] = (("cold", "build", "seconds"),)
    edit: str = ""

    def perform(self, arm: Ready, token: str, *, detailed: bool) -> Outcome:
        text = with_new_cache_mounts(arm.spec.text, f"imgopt-{token}")
        request = replace(request_of(arm.spec, arm.tree, text), no_cache=True)
        try:
            build = self.session.build(request)
        except BuildFailure as error:
            return Outcome(failure=failure_of(error))
        self.session.remove_image(build)
        steps = step_figures(build.steps) if detailed else ()
        return Outcome({"cold": build.seconds}, build.export_seconds, steps=steps)


@dataclass(frozen=True)
class ContainerRun:
    """Start, questions, stop. All arms are asked what the first one answered."""

    session: Session
    settings: SmokeSettings
    plan: RunPlan
    measures: tuple[tuple[str, str, str], ...] = (
        ("start", "run", "seconds"),
        ("memory", "run", "bytes"),
        ("stop", "run", "seconds"),
    )
    edit: str = ""

    def perform(self, arm: Ready, token: str, *, detailed: bool) -> Outcome:  # noqa: ARG002
        try:
            run = run_once(self.session, arm.image, self.settings, self.plan)
        except (
            StartFailure
        ):  # engines fail now and then to set up a network: a real reason comes again
            run = run_once(self.session, arm.image, self.settings, self.plan)
        if run.failure:
            return Outcome(failure=Failure(message=run.failure))
        pairs = (("start", run.start), ("memory", run.memory), ("stop", run.stop))
        return Outcome(
            {name: float(value) for name, value in pairs if value is not None},
            exit_code=run.stop_code,
        )
