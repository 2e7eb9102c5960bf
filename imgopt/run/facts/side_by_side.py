"""Several images of one project, each built or found, measured one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgopt.context.project import project_name
from imgopt.engine import BuildEvent, BuildRequest, Engine, Session
from imgopt.errors import EnvironmentFailure
from imgopt.image import open_image
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.of_context import context_sources
from imgopt.inspect.sources.routes import routes
from imgopt.inspect.sources.write_routes import writes
from imgopt.inspect.system.base_in_history import base_layers_of
from imgopt.results.run_facts import ImageFacts, RunFacts
from imgopt.run.facts.measure import Wanted, measured
from imgopt.run.facts.runner import Runner
from imgopt.run.settings import SmokeSettings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """One image: a build, or the name of one that the engine has."""

    name: str
    made: BuildRequest | str


@dataclass(frozen=True)
class Question:
    """What is to be measured, the original first, and how. `context` is the folder whose sources
    name more than those in the image; None where images were given."""

    subjects: tuple[Subject, ...]
    smoke: SmokeSettings = field(default_factory=SmokeSettings)
    bases: Mapping[str, str] = field(default_factory=dict)
    wanted: Wanted = field(default_factory=Wanted)
    context: Path | None = None
    dockerfile: str = ""


def run_facts(
    session: Session,
    question: Question,
    *,
    on_event: Callable[[BuildEvent], None] | None = None,
    say: Say = lambda _: None,
) -> RunFacts:
    """Builds what has to be built, then measures each. Raises BuildFailure, InputError for an image
    that is not there, EnvironmentFailure for the engine's own troubles."""
    made = [_reference(session, question, one, on_event, say) for one in question.subjects]
    images: list[ImageFacts] = []
    for subject, reference in zip(question.subjects, made, strict=True):
        images.append(measure_image(session, question, subject, reference, say))
    context = question.context
    return RunFacts(
        project=project_name(context) if context is not None else "",
        context=str(context) if context is not None else "",
        dockerfile=question.dockerfile,
        images=images,
        environment=environment(session.engine),
    )


def measure_image(
    session: Session, question: Question, subject: Subject, reference: str, say: Say
) -> ImageFacts:
    """One image that the engine has. Raises EnvironmentFailure."""
    image = open_image(reference)
    view = ImageView(image, base_layers=base_layers_of(image) or 0)
    sources = context_sources(question.context) if question.context is not None else ()
    prefix = f"{subject.name}: " if len(question.subjects) > 1 else ""
    runner = Runner(
        session,
        reference,
        question.smoke,
        guesses=routes(view),
        writes=None if question.smoke.requests else writes(view, sources),
        say=lambda text: say(f"{prefix}{text}"),
    )
    made = subject.made
    known_as = made if isinstance(made, str) else f"{project_name(made.context)}:{subject.name}"
    return measured(runner, view, question.wanted, name=subject.name, reference=known_as)


def _reference(
    session: Session,
    question: Question,
    subject: Subject,
    on_event: Callable[[BuildEvent], None] | None,
    say: Say,
) -> str:
    if isinstance(subject.made, str):
        session.engine.image(subject.made)  # InputError where it is not there
        return subject.made
    say(f"Building {subject.name}")
    request = replace(subject.made, bases={**question.bases, **subject.made.bases})
    build = session.build(request, on_event)
    if build.reference is None:
        raise EnvironmentFailure(
            "the engine gave no image for a build", hint="is another builder in use?"
        )
    return build.reference


def environment(engine: Engine) -> dict[str, str]:
    """The machine and the engine, as words."""
    facts = engine.facts
    found = {
        "engine": f"{facts.kind} {facts.version}",
        "store": "containerd" if facts.containerd_store else facts.store,
        "control groups": f"version {facts.cgroup_version}" if facts.cgroup_version else "",
        "platform": facts.platform,
        "processors": str(os.cpu_count() or ""),
    }
    return {name: value for name, value in found.items() if value}
