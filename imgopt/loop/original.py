"""The original, as the loop needs it: built, looked into, observed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from imgopt.engine import Build, BuildFailure, Session
from imgopt.image import Image, open_image
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.dockerfile_facts import base_name, named_packages
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.loop.who_is_asked import ASKED_FOR, who_is_asked
from imgopt.proof.trial import watch, with_tests
from imgopt.rewrite.evidence import Evidence, Page, Seen
from imgopt.rewrite.gather import gather
from imgopt.rewrite.looking import BaseLooker
from imgopt.rewrite.source import Source
from imgopt.rewrite.start.build_start import PATIENCE, build_start
from imgopt.rewrite.strategy import Project
from imgopt.run.blame import blame_the_disk, blame_the_network_alone
from imgopt.run.observation import Observation
from imgopt.run.opened import with_sources
from imgopt.run.own_tests import OwnTests
from imgopt.run.probes import Answer
from imgopt.run.tests_image import own_tests


@dataclass(frozen=True)
class Original:
    """The original, measured. `runs` are two observations of it, the first one traced."""

    source: Source
    build: Build
    image: Image
    base: Image | None
    runs: tuple[Observation, ...]
    evidence: Evidence
    unresolved: str = ""
    """Why a start command that builds first was not replaced."""
    tests: OwnTests | None = None

    @property
    def started(self) -> bool:
        return bool(self.runs) and self.runs[0].started


def measure_original(
    session: Session, request: OptimizeRequest, source: Source, progress: Progress
) -> Original:
    """Builds, opens and runs the original. Raises BuildFailure when it does not build."""
    progress.stage("Building the original")
    try:
        build = session.build(request.build("original"), progress.build)
    except BuildFailure as failure:
        blame_the_network_alone(failure)
        raise
    assert build.image_id is not None
    progress.stage("Looking into the original")
    image = open_image(build.image_id)
    looker = BaseLooker(session, request.config.bases, request.config.build.platform)
    name = base_name(source.text, request.config.build.target, request.config.build.args)
    base = looker(name) if name is not None and name != "scratch" else None
    progress.stage("Running the original, twice: what it answers, opens and writes")
    builds_first = build_start(source.dockerfile, static_project(request, source)) is not None
    patience = max(request.smoke.start_timeout, PATIENCE if builds_first else 0.0)
    settings = replace(request.smoke, start_timeout=patience)
    runs = watch(session, ImageView(image, base), settings, context=request.context)
    if not runs[0].started:
        blame_the_disk(runs[0])
    named = named_packages(source.text, request.config.build.target)
    seen = seen_in(runs)
    if seen.companions and ASKED_FOR & {*request.config.rewrite.allow}:
        progress.stage("Looking whom the original asks for its pages")
        asked = who_is_asked(session, image.reference, settings, runs[0], seen)
        seen = replace(seen, reaches=asked)
    evidence = gather(image, base, seen, looker, named)
    tests = None
    if runs[0].started:
        say, wanted = progress.stage, request.build("tests")
        tests = own_tests(
            session, request.smoke, image.reference, wanted, source.text, say, progress.build
        )
        runs = with_tests(runs, tests, image.reference)
    return Original(source, build, image, base, runs, evidence, tests=tests)


def seen_in(runs: tuple[Observation, ...]) -> Seen:
    """What the runs showed, for the strategies."""
    first = runs[0]
    traced = first.trace.reason is None and first.started
    return Seen(
        opened=with_sources(first.trace.opened) if traced else None,
        executed=frozenset(first.trace.executed) if traced else frozenset(),
        written=tuple(
            sorted(
                {change.path for run in runs for change in run.written if change.kind != "deleted"}
            )
        ),
        ports=tuple(sorted({item.port for item in first.listening})),
        pages=_pages(first.answers),
        processes=first.pictures[-1].processes if first.pictures else (),
        stop_seconds=first.stop_seconds,
        stop_code=first.stop_code,
        companions=first.companions,
    )


def static_project(request: OptimizeRequest, source: Source) -> Project:
    """The facts that no image is needed for."""
    build = request.config.build
    return Project(source.context, source.ecosystems, target=build.target, args=build.args)


def _pages(answers: Iterable[Answer]) -> dict[str, Page]:
    asked = [answer for answer in answers if answer.probe.plain and answer.status is not None]
    if len({(answer.probe.port, answer.probe.scheme) for answer in asked}) != 1:
        return {}
    return {
        answer.probe.path: Page(
            answer.status or 0,
            answer.header("content-type"),
            answer.header("location"),
            answer.header("cache-control"),
            hashlib.sha256(answer.body).hexdigest(),
        )
        for answer in asked
    }


def project_of(
    request: OptimizeRequest, original: Original, looker: BaseLooker | None = None
) -> Project:
    """The facts for the strategies."""
    return Project(
        original.source.context,
        original.source.ecosystems,
        target=request.config.build.target,
        evidence=original.evidence,
        churn=original.source.churn,
        resolves=looker.resolves if looker is not None else None,
        digest=looker.digest if looker is not None else None,
        allow=frozenset(request.config.rewrite.allow),
        unresolved=original.unresolved,
        args=request.config.build.args,
    )
