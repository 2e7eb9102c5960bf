"""What running the original and the recommended variant shows, side by side, where it is asked
for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from imgopt.context.project import project_name
from imgopt.engine import Session
from imgopt.loop.attempt import Attempt
from imgopt.loop.original import Original
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.results.optimize import OptimizeResult
from imgopt.run.facts.side_by_side import Question, Subject, run_facts


def with_run_facts(
    session: Session,
    request: OptimizeRequest,
    result: OptimizeResult,
    original: Original,
    attempts: Sequence[Attempt],
    progress: Progress,
) -> OptimizeResult:
    """The result with them; as it is where they are not asked for. Raises EnvironmentFailure."""
    if request.run_facts is None:
        return result
    builds = [("original", original.build)]
    for item in attempts:
        built = item.outcome.build if item.outcome is not None else None
        if item.kind.name == result.recommended and built is not None:
            builds.append((item.kind.name, built))
    subjects = [Subject(name, build.reference) for name, build in builds if build.reference]
    question = Question(
        tuple(subjects),
        request.smoke,
        request.config.bases,
        wanted=request.run_facts,
        context=request.context,
        dockerfile=result.dockerfile,
    )
    found = run_facts(session, question, say=progress.stage)
    project = project_name(request.context)
    named = [
        msgspec.structs.replace(image, reference=f"{project}:{image.name}")
        for image in found.images
    ]
    facts = msgspec.structs.replace(found, images=named)
    return msgspec.structs.replace(result, run_facts=facts)
