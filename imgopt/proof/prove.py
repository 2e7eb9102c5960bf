"""The whole proof for any two Dockerfiles of a project, or any two images: build, observe, compare,
judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from imgopt.context.project import project_name
from imgopt.engine import Build, BuildEvent, BuildFailure, BuildRequest, Session
from imgopt.errors import EnvironmentFailure, InputError, Location
from imgopt.image.entries import printable
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.dockerfile_facts import base_name, named_packages
from imgopt.inspect.system.base_in_history import base_layers_of
from imgopt.proof.advice import advise
from imgopt.proof.built_again import BuiltAgain
from imgopt.proof.check import Outcome, not_measured
from imgopt.proof.checks.smoke import SMOKE
from imgopt.proof.derive import derive
from imgopt.proof.trial import Trial, watch, with_tests
from imgopt.proof.verdict import verdict
from imgopt.results.proof import Compared, Failure, ProofCheck, ProofResult
from imgopt.run.log_failures import failures_from_logs
from imgopt.run.own_tests import OwnTests
from imgopt.run.request_report import asked_of
from imgopt.run.settings import SmokeSettings
from imgopt.run.tests_image import own_tests

if TYPE_CHECKING:
    from imgopt.image import Image

BUILD = "build"
_LOG_LINES = 20
_MOST_FAILURES = 500
_NETWORK = re.compile(
    r"Temporary failure (?:in name resolution|resolving)|Could not resolve host|Network is"
    r" unreachable|ETIMEDOUT|"
    r"EAI_AGAIN|TLS handshake timeout|Connection timed out|i/o timeout|no such host"
)
"""What apt, curl, pip, npm and Go say when the network fails: no fault of a Dockerfile."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Question:
    """What is to be proven. Each side is a build, or the name of an image that the engine has.

    `allow` are differences that the user intends ("env:NAME", "file:PATH", "package:NAME",
    "entrypoint", ...).
    """

    original: BuildRequest | str
    candidate: BuildRequest | str
    smoke: SmokeSettings = field(default_factory=SmokeSettings)
    bases: Mapping[str, str] = field(default_factory=dict)
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Made:
    """One side, built or found."""

    view: ImageView
    compared: Compared
    packages: tuple[str, ...] = ()


def prove(
    session: Session,
    question: Question,
    *,
    on_event: Callable[[BuildEvent], None] | None = None,
    say: Say = lambda _: None,
) -> ProofResult:
    """Builds what has to be built, runs the original twice and the candidate once, and judges.

    Raises BuildFailure when the original does not build, InputError for an image or file that is
    not there, EnvironmentFailure for the engine's own troubles. A candidate that does not build is
    refuted.
    """
    result = _proven(session, question, on_event, say)
    return msgspec.structs.replace(result, project=_project(question))


def _project(question: Question) -> str:
    made = question.original
    return project_name(made.context) if isinstance(made, BuildRequest) else ""


def _proven(
    session: Session, question: Question, on_event: Callable[[BuildEvent], None] | None, say: Say
) -> ProofResult:
    say(f"{_verb(question.original)} the original")
    original = _make(session, question.original, question, on_event)
    say(f"{_verb(question.candidate)} the candidate")
    try:
        candidate = _make(session, question.candidate, question, on_event)
    except BuildFailure as failure:
        return _does_not_build(question, original, failure)
    say("Running the original")
    made = question.original
    context = made.context if isinstance(made, BuildRequest) else None
    runs = watch(session, original.view, question.smoke, context=context)
    again = _built_again(session, question, say, on_event)
    tests = _tests(session, question, original, say, on_event)
    runs = with_tests(runs, tests, original.view.image.reference)
    trial = Trial(
        session,
        original.view,
        runs,
        question.smoke,
        named=original.packages,
        again=again,
        tests=tests,
        say=say,
    )
    opened = trial.opened.files if trial.opened else None
    found = trial.judge(
        candidate.view, derive(original.view, candidate.view, opened, question.allow)
    )
    seen = found.run or runs[0]
    hints = () if runs[0].started else runs[0].hints
    result = _result(original, candidate.compared, found.checks, seen.log_tail, hints)
    return msgspec.structs.replace(
        result, asked=asked_of(trial.runs, original.view, question.smoke, context)
    )


def _tests(
    session: Session,
    question: Question,
    original: _Made,
    say: Say,
    on_event: Callable[[BuildEvent], None] | None,
) -> OwnTests | None:
    made, image = question.original, original.view.image.reference
    if isinstance(made, str):
        return own_tests(session, question.smoke, image, None, "", say, on_event)
    build = replace(made, bases={**question.bases, **made.bases})
    return own_tests(session, question.smoke, image, build, _text(made), say, on_event)


def _built_again(
    session: Session, question: Question, say: Say, on_event: Callable[[BuildEvent], None] | None
) -> BuiltAgain | None:
    request = question.original
    if isinstance(request, str):
        return None
    return BuiltAgain(
        session, replace(request, bases={**question.bases, **request.bases}), say, on_event
    )


def _verb(given: BuildRequest | str) -> str:
    return "Reading" if isinstance(given, str) else "Building"


def _make(
    session: Session,
    given: BuildRequest | str,
    question: Question,
    on_event: Callable[[BuildEvent], None] | None,
) -> _Made:
    if isinstance(given, str):
        return _found(session, given, question)
    text = _text(given)
    build = session.build(replace(given, bases={**question.bases, **given.bases}), on_event)
    if build.reference is None:
        raise EnvironmentFailure(
            "the engine gave no image for a build", hint="is another builder in use?"
        )
    name = base_name(text, given.target, given.build_args)
    base = _open_base(session, name, {**question.bases, **given.bases})
    view = ImageView(_open(build.reference), base)
    path = (
        given.file
        if isinstance(given.dockerfile, str)
        else str(given.dockerfile or given.context / "Dockerfile")
    )
    return _Made(view, _compared(view, path, name, build), named_packages(text, given.target))


def _found(session: Session, reference: str, question: Question) -> _Made:
    session.engine.image(reference)  # InputError where it is not there
    image = _open(reference)
    base = _likely_base(session, image, question.bases)
    view = ImageView(image, base) if base is not None else view_alone(image)
    return _Made(view, _compared(view, "", base.reference if base else None, None))


def view_alone(image: Image) -> ImageView:
    """An image without a Dockerfile, and without its base: the base's layers as the history tells
    them, else the distribution's own layer, and what lies above it is not known to be the
    author's."""
    below = base_layers_of(image)
    if below is not None:
        return ImageView(image, base_layers=below)
    return ImageView(image, base_layers=_system_layers(image), base_known=False)


def _text(request: BuildRequest) -> str:
    if isinstance(request.dockerfile, str):
        return request.dockerfile
    path = request.dockerfile or request.context / "Dockerfile"
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", location=Location(str(path))
        ) from None


def _open(reference: str) -> Image:
    from imgopt.image import open_image

    return open_image(reference)


def _open_base(session: Session, name: str | None, bases: Mapping[str, str]) -> Image | None:
    found = session.engine.resolve_base(name, bases) if name else None
    if found is None or found == "scratch" or not session.engine.has_image(found):
        return None
    return _open(found)


def _likely_base(session: Session, image: Image, bases: Mapping[str, str]) -> Image | None:
    """The largest image below this one among those that serve as bases: the mapped ones and
    official names.

    Another build of the same project must not count as a base: its files would not be compared.
    """
    own = [layer.diff_id for layer in image.layers]
    best: tuple[int, str] | None = None
    for item in session.engine.client.images.list():
        layers = item.attrs.get("RootFS", {}).get("Layers") or []
        names = [tag for tag in item.tags if tag in bases.values() or "/" not in tag]
        if names and 0 < len(layers) < len(own) and own[: len(layers)] == layers:
            best = max(best or (0, ""), (len(layers), min(names)))
    return _open(best[1]) if best else None


def _system_layers(image: Image) -> int:
    """One, where the lowest of several layers is a distribution's own root file system: in an image
    of one layer the application is there, too."""
    lowest = image.layers[0].entries() if len(image.layers) > 1 else []
    return int(any(entry.path in ("/etc/os-release", "/usr/lib/os-release") for entry in lowest))


def _compared(view: ImageView, dockerfile: str, base: str | None, build: Build | None) -> Compared:
    return Compared(
        image=view.image.digest,
        dockerfile=dockerfile,
        base=base,
        base_layers=view.base_layers if view.base_known and view.base_layers else None,
        user=view.config.user,
        layers=len(view.image.layers),
        tar_bytes=sum(layer.tar_bytes for layer in view.image.layers),
        build_seconds=build.seconds if build else None,
    )


def _does_not_build(question: Question, original: _Made, failure: BuildFailure) -> ProofResult:
    """The candidate's own mistake is an answer; what this machine lacks (a base, the network) is
    not."""
    request = question.candidate
    path = (
        str(request.dockerfile or request.context / "Dockerfile")
        if isinstance(request, BuildRequest)
        else request
    )
    if failure.kind == "base":
        raise failure
    items = (
        Item("answer", BUILD, message=str(failure)),
        *failures_from_logs("\n".join(failure.log)),
    )
    reason = "the candidate does not build"
    if any(_NETWORK.search(line) for line in failure.log):
        reason = "the network failed while the candidate was built: try again"
        checks = (not_measured(BUILD, reason), not_measured(SMOKE, reason))
        return _result(original, Compared(image="", dockerfile=path), checks, failure.log, ())
    checks = (Outcome(BUILD, "failed", "the candidate's build", items), not_measured(SMOKE, reason))
    return _result(original, Compared(image="", dockerfile=path), checks, failure.log, ())


def _result(
    original: _Made,
    candidate: Compared,
    checks: Sequence[Outcome],
    log: Sequence[str],
    hints: Sequence[str],
) -> ProofResult:
    answer = verdict(checks)
    answered = any(check.name == SMOKE and check.verdict == "passed" for check in checks)
    return ProofResult(
        original=original.compared,
        candidate=candidate,
        verdict=answer,
        reason=_reason(answer, checks),
        checks=[shown(check, original.view) for check in checks],
        log=[] if answered else list(log[-_LOG_LINES:]),
        hints=list(hints),
    )


def _reason(answer: str, checks: Sequence[Outcome]) -> str:
    failed = [check for check in checks if check.verdict == "failed"]
    if failed:
        first = failed[0]
        return f"{first.name}: {first.items[0]}" if first.items else first.name
    smoke = next((check for check in checks if check.name == SMOKE), None)
    return (
        ""
        if answer == "proven"
        else f"smoke is not measured: {smoke.detail if smoke else 'it was not run'}"
    )


def shown(check: Outcome, original: ImageView | None = None) -> ProofCheck:
    """A check as the results have it: printable text, and the first failures of very many."""
    meant = check.name != BUILD  # that it does not build nobody can mean
    failures = [_failure(item, original, meant) for item in check.items[:_MOST_FAILURES]]
    more = len(check.items) - len(failures)
    detail = f"{check.detail} ({more} more failures)" if more else check.detail
    return ProofCheck(
        name=check.name,
        verdict=check.verdict,
        detail=detail,
        failures=failures,
        allowed=list(check.allowed),
    )


def _failure(item: Item, original: ImageView | None, meant: bool) -> Failure:
    advice = advise(item, original)
    return Failure(
        kind=item.kind,
        subject=printable(item.subject),
        path=printable(item.path),
        needed_by=printable(item.needed_by),
        message=str(item),
        notice=advice.notice,
        instead=printable(advice.instead),
        allow=printable(advice.key) if meant else "",
    )
