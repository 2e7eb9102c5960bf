"""Later edits as a part of the proof: which are tried by themselves, and what a plan may differ
in."""

from __future__ import annotations

from imgopt.engine import Session
from imgopt.inspect.image_view import ImageView
from imgopt.lives.check import LaterEdits, start_of
from imgopt.lives.later import CHEAP, LaterProject
from imgopt.lives.trials import Allow, Candidate, LaterTrials
from imgopt.loop.allow import allowances
from imgopt.loop.original import Original, seen_in
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.proof.allowances import Allowances
from imgopt.proof.trial import Trial
from imgopt.rewrite.gather import gather
from imgopt.rewrite.looking import BaseLooker
from imgopt.rewrite.plan import Plan


def later_edits(
    session: Session,
    request: OptimizeRequest,
    original: Original,
    progress: Progress,
    text: str | None = None,
    *,
    since: float | None = None,
) -> LaterEdits | None:
    """Those that the request asks for; the cheap ones take no longer than what was done `since`
    then without them. `text` is the original's Dockerfile where its start was resolved."""
    if request.lives == "none":
        return None
    looker = BaseLooker(session, request.config.bases, request.config.build.platform)
    source = original.source
    project = LaterProject(
        source.context,
        text or source.text,
        start_of(original.evidence.view),
        source.ecosystems,
        looker.resolves,
    )
    build = request.build("original", project.dockerfile, source.context.ignore)
    trials = LaterTrials(session, build, request.smoke, project, progress.stage, progress.build)
    if request.lives == "all":
        return LaterEdits(trials, project.edits(request.edits))
    return LaterEdits(trials, project.edits(CHEAP), since)


def candidate_of(
    session: Session, request: OptimizeRequest, original: Original, plan: Plan, name: str
) -> Candidate:
    """A plan as it is tried: its Dockerfile, its ignore file, its own intended differences."""
    return Candidate(
        name,
        plan.dockerfile,
        plan.ignore,
        allow=_allow(session, request, original, plan),
    )


def _allow(session: Session, request: OptimizeRequest, original: Original, plan: Plan) -> Allow:
    looker = BaseLooker(session, request.config.bases, request.config.build.platform)

    def allow(trial: Trial, candidate: ImageView) -> Allowances:
        view = trial.original
        chosen = original.evidence.packages.chosen
        evidence = gather(view.image, view.base, seen_in(trial.runs), looker, chosen)
        return allowances(plan, evidence, candidate, original.source.ecosystems)

    return allow
