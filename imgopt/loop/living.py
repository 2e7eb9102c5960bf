"""`imgopt lives`: all later edits of a project, and its own last commits, on variants or on another
Dockerfile. Nothing is repaired here: what breaks is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from imgopt.context.project import project_name
from imgopt.engine import Session
from imgopt.errors import FindingsError
from imgopt.lives.check import LaterEdits, shown
from imgopt.lives.later import AS_IT_IS
from imgopt.lives.past import PastStates, past_states
from imgopt.lives.past import shown as shown_past
from imgopt.lives.trials import HOLDS, Candidate
from imgopt.loop.attempt import attempt
from imgopt.loop.later import candidate_of, later_edits
from imgopt.loop.original import Original, measure_original
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.loop.resolved import Resolved, resolve_start
from imgopt.proof.built_again import BuiltAgain
from imgopt.results.lives import History, Lives, LivesResult, Past
from imgopt.strategies.variants import choose_variants


@dataclass(frozen=True, slots=True)
class Wanted:
    """`other`: a Dockerfile of the user's, in the place of variants; `history`: how many of the
    last commits are tried."""

    other: Candidate | None = None
    history: int = 0


@dataclass(frozen=True, slots=True)
class _Subject:
    """A candidate with the original that it is judged by; `why_not`: it is not proven as it is."""

    candidate: Candidate
    resolved: bool = False
    why_not: str = ""


def living(
    session: Session, request: OptimizeRequest, wanted: Wanted, progress: Progress
) -> LivesResult:
    """Raises BuildFailure where the original does not build as it is, FindingsError where it does
    not start."""
    started = time.monotonic()
    request = replace(request, lives="all")
    source = request.source()
    original = measure_original(session, request, source, progress)
    if not original.started:
        reason = original.runs[0].reason
        raise FindingsError(
            f"the original does not start: {reason}", hint="`imgopt optimize` says what may help"
        )
    again = BuiltAgain(session, request.build("again"), progress.stage, progress.build)
    resolved = resolve_start(session, request, original, progress, again)
    plain = later_edits(session, request, original, progress)
    other = later_edits(session, request, resolved.original, progress, resolved.text)
    assert plain is not None and other is not None
    states = _states(request, original, wanted.history)
    candidates, history = [], []
    for subject in _subjects(session, request, original, resolved, wanted, progress, again):
        edits = other if subject.resolved else plain
        name = subject.candidate.name
        why_not = subject.why_not or (_why_not_as_it_is(edits, subject) if wanted.other else "")
        if why_not:
            candidates.append(Lives(name=name, why_not=why_not))
            continue
        candidates.append(shown(name, edits.on(subject.candidate)))
        if states is not None:
            history.append(_history(edits, subject.candidate, states))
    verdict, message = conclusion(candidates, history)
    return LivesResult(
        project=project_name(request.context),
        context=str(request.context),
        dockerfile=original.source.context.dockerfile or str(request.dockerfile),
        verdict=verdict,
        message=message,
        candidates=candidates,
        history=history,
        seconds=round(time.monotonic() - started, 1),
    )


def _subjects(
    session: Session,
    request: OptimizeRequest,
    original: Original,
    resolved: Resolved,
    wanted: Wanted,
    progress: Progress,
    again: BuiltAgain,
) -> Iterator[_Subject]:
    """The user's own file, or each variant that is proven as it is."""
    if wanted.other is not None:
        yield _Subject(wanted.other)
        return
    text = resolved.text
    build = request.build("again", text)
    known = BuiltAgain(session, build, progress.stage, progress.build) if text else again
    for kind in choose_variants(request.variants or request.config.rewrite.variants):
        subject, second = (resolved.original, known) if kind.carves else (original, again)
        found = attempt(session, request, subject, kind, progress, second)
        candidate = candidate_of(session, request, subject, found.plan, kind.name)
        why_not = "" if found.verdict == "proven" else found.reason or found.verdict
        yield _Subject(candidate, kind.carves, why_not)


def _why_not_as_it_is(edits: LaterEdits, subject: _Subject) -> str:
    """Why a file of the user's does not do the same job before any edit."""
    found = edits.trials.tried(AS_IT_IS, subject.candidate)
    return "" if found.verdict == HOLDS else f"{found.check}: {found.detail}".lstrip(": ")


def _states(request: OptimizeRequest, original: Original, most: int) -> PastStates | None:
    source = original.source
    if not most:
        return None
    context = source.context
    return past_states(request.context, context.dockerfile, source.text, context.ignore, most)


def _history(edits: LaterEdits, candidate: Candidate, states: PastStates) -> History:
    tried: list[Past] = [
        shown_past(state, edits.trials.tried(state.edit, candidate)) for state in states.states
    ]
    return History(name=candidate.name, commits=tried, ended=states.ended)


def conclusion(candidates: list[Lives], history: list[History]) -> tuple[str, str]:
    """Verdict and message of a result."""
    counts = [one.verdict for lives in candidates for one in lives.edits]
    counts += [one.verdict for found in history for one in found.commits]
    held, broken = counts.count("holds"), counts.count("breaks")
    if broken:
        which = [lives.name for lives in candidates if _breaks(lives)]
        which += [found.name for found in history if _breaks(found)]
        return "breaks", f"{broken} of {held + broken} break: {', '.join(dict.fromkeys(which))}"
    if not held:
        why = next((lives.why_not for lives in candidates if lives.why_not), "")
        return "unproven", why or "no later edit could be tried"
    return "lives", f"all {held} that the original survives survive"


def _breaks(found: Lives | History) -> bool:
    if isinstance(found, Lives):
        return any(one.verdict == "breaks" for one in found.edits)
    return any(one.verdict == "breaks" for one in found.commits)
