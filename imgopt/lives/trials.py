"""The original and its variants after a later edit: built, run, and judged by the proof's door."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from imgopt.engine import BuildEvent, BuildFailure, BuildRequest, Session
from imgopt.engine.faults import no_network
from imgopt.errors import OutOfTime
from imgopt.image import open_image
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.dockerfile_facts import base_name, named_packages
from imgopt.lives.dockerfiles import OtherBase
from imgopt.lives.edited import Copy, edited_copy
from imgopt.lives.later import LaterEdit, LaterProject
from imgopt.proof.allowances import Allowances
from imgopt.proof.built_again import BuiltAgain
from imgopt.proof.derive import derive
from imgopt.proof.trial import Trial, watch
from imgopt.rewrite.looking import BaseLooker
from imgopt.run.log_failures import failures_from_logs
from imgopt.run.observation import Observation
from imgopt.run.settings import SmokeSettings

LATER = "later"
"""What a session counts all builds of edited copies by, but for those without cache."""
HOLDS, BREAKS = "holds", "breaks"
NOT_COUNTED = "does not count"
NOT_TRIED = "not tried"

_ERROR = re.compile(r"\berror\b|fatal|failed|cannot|unable", re.IGNORECASE)

Allow = Callable[[Trial, ImageView], Allowances]
"""What a candidate may differ in from the original of a trial."""


def by_rules(trial: Trial, candidate: ImageView) -> Allowances:
    """What any rewrite may do, as for `imgopt prove`."""
    opened = trial.opened
    return derive(trial.original, candidate, opened.files if opened is not None else None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Dockerfile that is to live beside the original's, with its ignore file (None: the
    original's)."""

    name: str
    dockerfile: str
    ignore: str | None = None
    allow: Allow = by_rules


@dataclass(frozen=True, slots=True)
class Tried:
    """What an edit came to. `check` is the check of the proof that failed, or "build"; `items` and
    `detail` are its evidence."""

    edit: LaterEdit
    verdict: str
    detail: str = ""
    check: str = ""
    items: tuple[Item, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class _Original:
    """The original after an edit; `why_not`: it does not survive it, or it could not be tried."""

    copy: Copy
    trial: Trial | None = None
    verdict: str = ""
    why_not: str = ""


@dataclass
class LaterTrials:
    """Later edits of one project. The original is built and run once for each, whatever variants
    are judged by it. `request` is its own build, its Dockerfile a text.

    `until` (time.monotonic()): builds end then, and what is left is not tried.
    """

    session: Session
    request: BuildRequest
    smoke: SmokeSettings
    project: LaterProject
    say: Callable[[str], None] = lambda _: None
    on_event: Callable[[BuildEvent], None] | None = None
    until: float | None = None
    _originals: dict[str, _Original] = field(default_factory=dict)

    def tried(self, edit: LaterEdit, candidate: Candidate) -> Tried:
        """Builds and runs both after the edit. Raises EnvironmentFailure for the engine's own
        troubles."""
        started = time.monotonic()
        try:
            found = self._tried(edit, candidate)
        except OutOfTime:
            found = Tried(edit, NOT_TRIED, "the time for it was over")
        return replace(found, seconds=time.monotonic() - started)

    def _tried(self, edit: LaterEdit, candidate: Candidate) -> Tried:
        original = self._original(edit)
        if original.trial is None:
            return Tried(edit, original.verdict, original.why_not)
        missing = self._missing(edit, candidate)
        if missing:
            return Tried(edit, NOT_TRIED, f"{missing} cannot be had here")
        self.say(f"Building the {candidate.name} variant after a later edit: {edit.name}")
        text = edit.dockerfile(candidate.dockerfile)
        ignore = candidate.ignore if candidate.ignore is not None else self.request.ignore
        try:
            view = self._built(original.copy, text, ignore)
        except BuildFailure as failure:
            if no_network(failure.log):
                return Tried(edit, NOT_TRIED, "the network failed while it was built")
            items = failures_from_logs("\n".join(failure.log))
            return Tried(edit, BREAKS, f"it does not build: {said_by(failure)}", "build", items)
        trial = original.trial
        judged = trial.judge(view, candidate.allow(trial, view))
        failed = [check for check in judged.checks if check.verdict == "failed"]
        if judged.verdict == "proven":
            return Tried(edit, HOLDS)
        if not failed:
            return Tried(edit, NOT_TRIED, judged.too_little or "it is not measured")
        items = tuple(item for check in failed for item in check.items)
        if judged.run is not None and not judged.run.started:
            items = (*failures_from_logs(judged.run.log), *items)
        first = failed[0]
        said = str(first.items[0]) if first.items else first.detail
        return Tried(edit, BREAKS, said, first.name, items)

    def _missing(self, edit: LaterEdit, candidate: Candidate) -> str:
        """A base that the candidate has after the edit, and that cannot be had."""
        bases = (one for one in edit.in_dockerfile if isinstance(one, OtherBase))
        images = (image for one in bases for image in one.images(candidate.dockerfile))
        return next((one for one in images if not self.project.resolves(one)), "")

    def _original(self, edit: LaterEdit) -> _Original:
        if edit.name not in self._originals:
            self._originals[edit.name] = self._watched(edit)
        return self._originals[edit.name]

    def _watched(self, edit: LaterEdit) -> _Original:
        self.say(f"Building the original after a later edit: {edit.name}")
        copy = edited_copy(self.session, self.project.context, edit, self._build, self.request)
        if copy.refused:
            return _Original(copy, verdict=NOT_TRIED, why_not=copy.refused)
        assert isinstance(self.request.dockerfile, str)
        text = edit.dockerfile(self.request.dockerfile)
        try:
            view = self._built(copy, text, self.request.ignore)
        except BuildFailure as failure:
            said = f"the original does not build then: {said_by(failure)}"
            return _Original(copy, verdict=NOT_COUNTED, why_not=said)
        self.say(f"Running the original after it: {edit.means}")
        smoke = replace(self.smoke, http=(*self.smoke.http, *edit.asks))
        runs = watch(self.session, view, smoke, context=copy.folder)
        why_not = _why_not(runs[0], edit.asks)
        if why_not:
            return _Original(copy, verdict=NOT_COUNTED, why_not=why_not)
        request = replace(self.request, context=copy.folder, dockerfile=text)
        trial = Trial(
            self.session,
            view,
            runs,
            smoke,
            named=named_packages(text, request.target),
            again=BuiltAgain(self.session, request, self.say, self.on_event),
            say=self.say,
        )
        return _Original(copy, trial)

    def _built(self, copy: Copy, text: str, ignore: str | None) -> ImageView:
        request = self.request
        image = self._build(replace(request, context=copy.folder, dockerfile=text, ignore=ignore))
        base = base_name(text, request.target, request.build_args)
        looked = self._look(base) if base is not None and base != "scratch" else None
        return ImageView(open_image(image), looked)

    @cached_property
    def _look(self) -> BaseLooker:
        return BaseLooker(self.session, self.request.bases, self.request.platform)

    def _build(self, request: BuildRequest) -> str:
        if self.until is not None and time.monotonic() >= self.until:
            raise OutOfTime("no later edit is begun: the time for them is over")
        build = self.session.build(replace(request, name=LATER), self.on_event, self.until)
        assert build.image_id is not None
        return build.image_id


def _why_not(run: Observation, asks: Iterable[str]) -> str:
    if not run.started:
        return f"the original does not start then: {run.reason}"
    wanted = set(asks)
    served = any(one.status == 200 for one in run.answers if one.probe.path in wanted)
    return "" if served or not wanted else "the original does not hand out the new file"


def said_by(failure: BuildFailure) -> str:
    """The step that failed, and its last line that speaks of an error."""
    step = f"{failure.step.name}: " if failure.step is not None else ""
    lines = [line.strip() for line in failure.log if line.strip()]
    errors = [line for line in lines if _ERROR.search(line)]
    return f"{step}{(errors or lines or [failure.message])[-1][:200]}"
