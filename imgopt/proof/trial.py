"""The one door of the proof: a watched original, and candidates that are judged against it.

`optimize`, the resolved start and `imgopt prove` go through here alone, so that each asks, settles
and judges alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from imgopt.engine import Session
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.site_paths import site_probes
from imgopt.inspect.sources.of_context import context_sources
from imgopt.inspect.sources.routes import routes
from imgopt.inspect.sources.write_routes import writes
from imgopt.proof.allowances import Allowances
from imgopt.proof.built_again import BuiltAgain, settle_files
from imgopt.proof.check import Comparison, Outcome
from imgopt.proof.coverage import too_little, with_coverage
from imgopt.proof.judge import judge
from imgopt.proof.verdict import Answer, verdict
from imgopt.run.blame import blame_the_disk
from imgopt.run.comparison import settle
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.observe import observe
from imgopt.run.opened import Opened
from imgopt.run.own_run import differences
from imgopt.run.own_tests import OwnTests
from imgopt.run.runs import Runs
from imgopt.run.settings import SmokeSettings


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a candidate came to. `run` is its own run; None where the original did not start, so
    that none was made; `too_little` why too little of the code was asked for a verdict, "" where
    enough was."""

    verdict: Answer
    checks: tuple[Outcome, ...]
    run: Observation | None
    too_little: str = ""


def watch(
    session: Session,
    original: ImageView,
    settings: SmokeSettings,
    *,
    plan: RunPlan | None = None,
    context: Path | None = None,
) -> tuple[Observation, ...]:
    """Runs of an original: two, so that what differs between runs of one image is known; one where
    it does not start.

    The first is traced, and asked one path of every kind of a site and what the sources and links
    name; the second is asked the same. `plan`: ask what another image was asked instead.
    `context`: the folder that it is built from, whose sources name more than those in the image.
    """
    asked = replace(settings, more=site_probes(original))
    guesses = routes(original) if plan is None else ()
    found = None
    if plan is None and not settings.requests:
        found = writes(original, context_sources(context) if context is not None else ())
    first = observe(
        session, original.image.reference, asked, plan=plan, guesses=guesses, writes=found
    )
    if not first.started:
        return (first,)
    return first, observe(session, original.image.reference, settings, plan=first.plan, trace=False)


def with_tests(
    runs: Sequence[Observation], tests: OwnTests | None, image: str
) -> tuple[Observation, ...]:
    """The runs of an original, the first one with what the tests say of it. Raises InputError where
    they say nothing."""
    if tests is None or not runs or not runs[0].started:
        return tuple(runs)
    return replace(runs[0], tests=tests.original(image, runs[0].plan)), *runs[1:]


def tried(
    runs: Sequence[Observation],
    run: Observation,
    tests: OwnTests | None,
    images: Mapping[str, str],
) -> tuple[tuple[Observation, ...], Observation]:
    """The run of a candidate with what the tests say of it; where that differs, the original is
    asked once more. `images` are those of "original" and "candidate"."""
    first = runs[0].tests if runs else None
    if tests is None or first is None or not run.started:
        return tuple(runs), run
    seen = replace(run, tests=tests.candidate(images["candidate"], runs[0].plan, first))
    known = [one.tests for one in runs if one.tests is not None]
    if len(runs) < 2 or runs[1].tests is not None or not seen.tests:
        return tuple(runs), seen
    if not differences(known, seen.tests):
        return tuple(runs), seen
    again = tests.again(images["original"], runs[0].plan, first)
    return (runs[0], replace(runs[1], tests=again), *runs[2:]), seen


class Trial:
    """The original of a proof: opened, and watched twice.

    `settings` say how candidates are started and asked; `named` are system packages that the author
    installs by name; `again` builds the original once more where a difference could be one between
    any two builds (None: it is an image that cannot be built again); `tests` are the project's own
    (None: none are run). What is learned of the original for one candidate is known for the next.
    """

    def __init__(
        self,
        session: Session,
        original: ImageView,
        runs: Sequence[Observation],
        settings: SmokeSettings,
        *,
        named: Sequence[str] = (),
        again: BuiltAgain | None = None,
        tests: OwnTests | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.original, self.runs = original, tuple(runs)
        self._session, self._settings, self._say = session, settings, say
        self._named, self._again, self._tests = tuple(named), again, tests

    @property
    def opened(self) -> Opened | None:
        """What the original opened; None where that was not recorded."""
        return Runs(self.runs).opened

    def judge(
        self, candidate: ImageView, allowances: Allowances, run: Observation | None = None
    ) -> Judgement:
        """Runs the candidate (or takes the `run` that was made), and compares all that the checks
        compare.

        Raises BuildFailure where the original has to be built again and does not build,
        EnvironmentFailure where the engine's disk is full.
        """
        if not self.runs[0].started:
            return self._answer(candidate, allowances, None)
        if run is None:
            self._say("Running the candidate")
            run = observe(
                self._session,
                candidate.image.reference,
                self._settings,
                plan=self._plan(allowances),
                trace=False,
            )
        rebuilt = self._again.image if self._again is not None else None
        self.runs, _ = settle(self._session, self.runs, run, self._settings, rebuilt)
        if not run.started:
            blame_the_disk(run, self.runs)
        images = {"original": self.original, "candidate": candidate}
        names = {name: view.image.reference for name, view in images.items()}
        self.runs, run = tried(self.runs, run, self._tests, names)
        self._say("Comparing the images")
        return self._answer(candidate, allowances, run)

    def _plan(self, allowances: Allowances) -> RunPlan:
        """A candidate that promises to end in time has the whole time for it."""
        plan = self.runs[0].plan
        return replace(plan, deaf=False) if allowances.ends_in_time else plan

    def _answer(
        self, candidate: ImageView, allowances: Allowances, run: Observation | None
    ) -> Judgement:
        first = self.runs[0]
        runs = Runs(
            self.runs, run, "" if first.started else f"the original does not start: {first.reason}"
        )
        checks = judge(Comparison(self.original, candidate, allowances, runs, self._named))
        if self._again is not None:
            checks = settle_files(checks, self.original.tree, self._again)
        least = self._settings.coverage
        why_not = too_little(self.runs, self.original, candidate, allowances, least)
        checks = with_coverage(checks, why_not)
        return Judgement(verdict(checks), checks, run, why_not)
