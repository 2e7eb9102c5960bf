"""One variant: plan, build, prove; repair from the failure's own evidence, else leave strategies
out one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from imgopt.dockerfile import parse
from imgopt.engine import Build, BuildFailure, Session
from imgopt.image import Image, open_image
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.dockerfile_facts import named_packages
from imgopt.lives.check import LaterEdits, outcome, shown
from imgopt.lives.trials import said_by
from imgopt.loop.allow import allowances
from imgopt.loop.drawn_state import ONLY_HERE, drawn_state
from imgopt.loop.later import candidate_of
from imgopt.loop.original import Original, project_of
from imgopt.loop.repair import (
    asks_for,
    in_force,
    is_authors,
    repair,
    suspects,
    to_leave_out,
)
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.loop.user_shows import shows_the_user
from imgopt.proof.built_again import BuiltAgain
from imgopt.proof.check import Outcome
from imgopt.proof.trial import Trial
from imgopt.results.lives import Lives
from imgopt.results.rewrite import Skip
from imgopt.rewrite.effects import pruned
from imgopt.rewrite.looking import BaseLooker
from imgopt.rewrite.plan import Plan, make_plan
from imgopt.rewrite.strategy import Repairs
from imgopt.run.blame import blame_the_network
from imgopt.run.log_failures import failures_from_logs
from imgopt.run.observation import Observation
from imgopt.strategies.start_command import STRATEGY as START_COMMAND
from imgopt.strategies.variants import VariantKind, strategies_of

MOST_BUILDS = 8
"""Builds that one variant may take until it holds or is given up."""


@dataclass(frozen=True)
class Proven:
    """What one build and run of a plan showed; `failure` is why it did not come to a run."""

    verdict: str
    checks: tuple[Outcome, ...] = ()
    items: tuple[Item, ...] = ()
    build: Build | None = None
    image: Image | None = None
    run: Observation | None = None
    failure: str = ""
    authors_step: bool = False
    """It is a step of the author's that failed."""
    step: str = ""
    """The name of the step that failed."""
    user_shows: bool = False
    """Answers differ, and all of them by the user alone."""
    too_little: bool = False
    """Too little of the code was asked: no other plan of the same kind would help."""
    lives: Lives | None = None
    """The later edits that were tried on it."""


@dataclass(frozen=True)
class Attempt:
    """The last plan of a variant and what it came to."""

    kind: VariantKind
    plan: Plan
    outcome: Proven | None
    reason: str = ""
    repairs: tuple[str, ...] = ()
    left_out: tuple[Skip, ...] = ()
    builds: int = 0

    @property
    def verdict(self) -> str:
        return self.outcome.verdict if self.outcome is not None else "unproven"


@dataclass
class _State:
    off: dict[str, str]
    """Strategies left out, with the evidence against each."""
    repairs: Repairs = field(default_factory=Repairs)
    words: list[tuple[str, str]] = field(default_factory=list)
    """What was repaired, each with the name that `without` takes; "" for what stays."""
    builds: int = 0


def attempt(
    session: Session,
    request: OptimizeRequest,
    original: Original,
    kind: VariantKind,
    progress: Progress,
    again: BuiltAgain,
    later: LaterEdits | None = None,
) -> Attempt:
    """Works on one variant until it is proven, or nothing is left to try. `later` are edits of the
    project that it has to survive as well."""
    return _Worker(session, request, original, kind, progress, again, later).run()


def prove_plan(
    session: Session,
    request: OptimizeRequest,
    original: Original,
    kind: VariantKind,
    progress: Progress,
    spoil: Callable[[str], str] | None = None,
) -> Proven:
    """Builds and proves the first plan of a variant, without repair; `spoil` changes its Dockerfile
    before."""
    again = BuiltAgain(session, request.build("again"), progress.stage, progress.build)
    worker = _Worker(session, request, original, kind, progress, again)
    plan = worker.plan(_State({}))
    if spoil is not None:
        plan = replace(plan, dockerfile=spoil(plan.dockerfile))
    return worker.prove(plan, _State({}))


class _Worker:
    def __init__(
        self,
        session: Session,
        request: OptimizeRequest,
        original: Original,
        kind: VariantKind,
        progress: Progress,
        again: BuiltAgain,
        later: LaterEdits | None = None,
    ) -> None:
        self._again, self._later = again, later
        self._session, self._request, self._original = session, request, original
        self._kind, self._progress = kind, progress
        self._looker = BaseLooker(session, request.config.bases, request.config.build.platform)
        named = named_packages(original.source.text, request.config.build.target)
        self._trial = Trial(
            session,
            original.evidence.view,
            original.runs,
            request.smoke,
            named=named,
            again=again,
            tests=original.tests,
            say=progress.stage,
        )

    def run(self) -> Attempt:
        state = _State({})
        tried: tuple[Plan, Proven] | None = None
        while True:
            plan = self._named_for_good(self.plan(state), state)
            reason = self._inapplicable(plan)
            if reason and tried is not None:
                # What a plan without some strategies cannot do any more is no reason: what they
                # failed by is.
                return self._end(state, *tried, next(iter(state.off.values()), _why(tried[1])))
            if reason:
                return self._end(state, plan, None, reason)
            same = tried is not None and _text(plan) == _text(tried[0])
            # what was learned changed nothing: what failed is known without another build
            outcome = tried[1] if same and tried is not None else self.prove(plan, state)
            tried = plan, outcome
            if outcome.verdict == "proven":
                return self._restore(state, plan, outcome)
            hopeless = state.builds >= MOST_BUILDS or outcome.too_little
            if hopeless or not self._learn(state, plan, outcome):
                return self._end(state, plan, outcome, _why(outcome))

    def plan(self, state: _State) -> Plan:
        rewrite = self._request.config.rewrite
        project = project_of(self._request, self._original, self._looker)
        project = replace(project, repairs=state.repairs)
        strategies = strategies_of(self._kind, [*rewrite.disable, *state.off], rewrite.allow)
        return make_plan(self._original.source.text, project, strategies)

    def _named_for_good(self, plan: Plan, state: _State) -> Plan:
        """The plan without what another build has under other names, where it would name something
        like that."""
        found = (
            drawn_state(plan.final, self._original.evidence, self._again)
            if plan.final is not None
            else ()
        )
        new = [path for path in found if path not in state.repairs.only_here]
        if not new:
            return plan
        state.repairs = replace(
            state.repairs, only_here={**state.repairs.only_here, **dict.fromkeys(new, ONLY_HERE)}
        )
        more = f" and {len(new) - 1} more" if len(new) > 1 else ""
        state.words.append((f"left out {new[0]}{more}: {ONLY_HERE}", ""))
        return self.plan(state)

    def _inapplicable(self, plan: Plan) -> str:
        if not plan.changes:
            return "nothing to change"
        needed = self._kind.needed
        if not needed or not set(needed).isdisjoint(plan.strategies):
            return ""
        last = {skip.strategy: skip.reason for skip in plan.skips if skip.strategy in needed}
        said = [f"{name}: {last[name]}" for name in needed if name in last]
        return "; ".join(said) or f"{needed[0]} does not hold here"

    def prove(self, plan: Plan, state: _State) -> Proven:
        state.builds += 1
        number = f", build {state.builds}" if state.builds > 1 else ""
        self._progress.stage(f"Building the {self._kind.name} variant{number}")
        request = self._request.build(self._kind.name, plan.dockerfile, plan.ignore)
        try:
            build = self._session.build(request, self._progress.build)
        except BuildFailure as failure:
            log = "\n".join(failure.log)
            blame_the_network(failure, self._again)
            name = failure.step.name if failure.step is not None else ""
            authors = is_authors(name, self._original.source.dockerfile)
            said = f"it does not build: {said_by(failure)}"
            return Proven(
                "refuted",
                items=failures_from_logs(log),
                failure=said,
                authors_step=authors,
                step=name,
            )
        assert build.image_id is not None
        self._progress.stage(f"Proving the {self._kind.name} variant{number}")
        return self._living(plan, self._judge(plan, build, build.image_id))

    def _living(self, plan: Plan, proven: Proven) -> Proven:
        """What is proven for the project as it is, after its later edits."""
        if self._later is None or proven.verdict != "proven":
            return proven
        name = self._kind.name
        candidate = candidate_of(self._session, self._request, self._original, plan, name)
        tried = self._later.on(candidate)
        check, lives = outcome(tried), shown(name, tried)
        checks = (*proven.checks, check)
        if check.verdict != "failed":
            return replace(proven, checks=checks, lives=lives)
        return replace(proven, verdict="refuted", checks=checks, items=check.items, lives=lives)

    def _judge(self, plan: Plan, build: Build, image_id: str) -> Proven:
        original = self._original
        image = open_image(image_id)
        candidate = ImageView(image, self._looker(plan.base) if plan.base else original.base)
        allowed = allowances(plan, original.evidence, candidate, original.source.ecosystems)
        found = self._trial.judge(candidate, allowed)
        items = tuple(
            item for check in found.checks if check.verdict == "failed" for item in check.items
        )
        if found.verdict != "proven" and found.run is not None:
            items = (*failures_from_logs(found.run.log), *items)
        shows = shows_the_user(items, original.evidence.view, candidate)
        return Proven(
            found.verdict,
            found.checks,
            items,
            build,
            image,
            found.run,
            user_shows=shows,
            too_little=bool(found.too_little),
        )

    def _learn(self, state: _State, plan: Plan, outcome: Proven) -> bool:
        """Adds what the failure names, or leaves a strategy out. False: nothing is left."""
        for name, effects in plan.effects.items():
            if asks_for(pruned({name: effects}), outcome.items):  # the builder has it no more
                state.off[name] = _why(outcome)
                return True
        installs = plan.final is None or plan.final.shell
        found = repair(
            state.repairs,
            outcome.items,
            self._original.evidence,
            installs=installs,
            other_start=START_COMMAND.name in plan.strategies,
        )
        if found.words:
            state.repairs = found.repairs
            state.words += zip(found.words, found.names, strict=True)
            return True
        order = suspects(
            plan.strategies,
            outcome.items,
            authors_step=outcome.authors_step,
            user_shows=outcome.user_shows,
        )
        names = [name for name in order if name not in state.off]
        if outcome.step and not outcome.authors_step:
            names.sort(key=lambda name: not self._writes(state, name, outcome.step))
        needed = self._kind.needed
        names = [name for name in names if len(needed) > 1 or name not in needed]
        if not names:
            return False
        why = _why(outcome)
        state.off |= dict.fromkeys(to_leave_out(state.off, names, why), why)
        return True

    def _writes(self, state: _State, name: str, step: str) -> bool:
        """Whether a step of the build is there by this strategy."""
        other = self.plan(replace(state, off={**state.off, name: ""}))
        return not is_authors(step, parse(other.dockerfile))

    def _restore(self, state: _State, plan: Plan, outcome: Proven) -> Attempt:
        """Tries to take back the strategies that were left out before the one that mattered."""
        for name in list(state.off)[:-1]:
            if state.builds >= MOST_BUILDS:
                break
            tried = _State(
                {key: why for key, why in state.off.items() if key != name},
                state.repairs,
                builds=state.builds,
            )
            again = self.plan(tried)
            better = self.prove(again, tried)
            state.builds = tried.builds
            if better.verdict == "proven":
                del state.off[name]
                plan, outcome = again, better
        return self._end(state, plan, outcome, "")

    def _end(self, state: _State, plan: Plan, outcome: Proven | None, reason: str) -> Attempt:
        left = tuple(
            Skip(strategy=name, line=None, reason=f"left out: {why}")
            for name, why in state.off.items()
        )
        said = in_force(state.words, state.repairs, partial(self._files, state))
        return Attempt(self._kind, plan, outcome, reason, said, left, state.builds)

    def _files(self, state: _State, repairs: Repairs) -> tuple[str, str | None]:
        plan = self.plan(replace(state, repairs=repairs))
        return plan.dockerfile, plan.ignore


def _text(plan: Plan) -> tuple[str, str | None]:
    return plan.dockerfile, plan.ignore


def _why(outcome: Proven) -> str:
    """The evidence against a plan in one sentence."""
    if outcome.failure:
        return outcome.failure
    failed = [check for check in outcome.checks if check.verdict == "failed"]
    if not failed:
        missing = next((check for check in outcome.checks if check.name == "smoke"), None)
        return missing.detail if missing is not None else "not measured"
    first = failed[0]
    item = f": {first.items[0]}" if first.items else ""
    return f"{first.name}{item}"
