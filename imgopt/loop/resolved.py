"""A start command that builds first, or that only finds the program, is taken apart in two proofs:
the original with the program itself as its start does what the original does; and each variant does
what that one does.

Nothing is missing in the image between the two: it is the original, with another start and at most
one more step. So what the service itself opens and executes is seen there, without the compiler and
its thousand files, and without what a launcher calls on its way (`which`, a shell).
"""

from __future__ import annotations

import posixpath
import zipfile
from dataclasses import dataclass, replace

from imgopt.dockerfile import apply_edits, parse
from imgopt.engine import BuildFailure, Session
from imgopt.image import open_image
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.dockerfile_facts import named_packages
from imgopt.inspect.sites.file_servers import FileServer
from imgopt.inspect.start.start_words import expanded
from imgopt.loop.original import Original, project_of, seen_in
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.proof.allowances import Start
from imgopt.proof.built_again import BuiltAgain
from imgopt.proof.derive import derive
from imgopt.proof.trial import Trial, watch
from imgopt.rewrite.final.site_server import site_server
from imgopt.rewrite.gather import gather
from imgopt.rewrite.looking import BaseLooker
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.start.build_start import build_start
from imgopt.rewrite.start.start_words import explained_by_start, start_words
from imgopt.rewrite.strategy import Project, Situation
from imgopt.run.observation import Observation
from imgopt.strategies.registry import find_strategy

_ABOUT = ("module-info.class", "package-info.class")


@dataclass(frozen=True)
class Resolved:
    """The original as the variants see it that may change its start, and its Dockerfile. `text`
    None: as it is."""

    original: Original
    text: str | None = None
    builds: int = 0


def resolve_start(
    session: Session,
    request: OptimizeRequest,
    original: Original,
    progress: Progress,
    again: BuiltAgain,
) -> Resolved:
    """The original itself where its start is the program, or where the proof does not hold
    (`unresolved` says why)."""
    project = project_of(request, original)
    found = build_start(original.source.dockerfile, project)
    if found is not None and found.refused:
        return Resolved(original)
    text = (
        apply_edits(original.source.text, found.edits)
        if found is not None
        else _with_plain_start(original, project)
    )
    if text is None:
        return Resolved(original)
    progress.stage("Building the original with what its start command starts")
    try:
        build = session.build(request.build("resolved", text), progress.build)
    except BuildFailure as failure:
        return Resolved(
            replace(original, unresolved=f"it does not build: {failure.message}"), builds=1
        )
    assert build.image_id is not None
    progress.stage("Proving that it is the same service")
    image = open_image(build.image_id)
    candidate = ImageView(image, original.base)
    runs = watch(session, candidate, request.smoke, plan=replace(original.runs[0].plan, deaf=False))
    runs = (replace(runs[0], tests=original.runs[0].tests), *runs[1:])
    reason = _doubt(session, request, original, candidate, runs[0], again)
    if reason:
        return Resolved(replace(original, unresolved=reason), builds=1)
    looker = BaseLooker(session, request.config.bases, request.config.build.platform)
    named = named_packages(original.source.text, request.config.build.target)
    evidence = gather(image, original.base, seen_in(runs), looker, named)
    return Resolved(
        replace(original, build=build, image=image, runs=runs, evidence=evidence), text, 1
    )


_PLAIN = ("exec-form", "start-command")


def _with_plain_start(original: Original, project: Project) -> str | None:
    """The file that starts the program itself, where more was executed on the way to it than the
    new start explains; None for no such file. A server of files is known by the start that the
    author gave it, and a web server takes its place as it is."""
    if isinstance(site_server(project), FileServer):
        return None
    plan = make_plan(original.source.text, project, [find_strategy(name) for name in _PLAIN])
    if "start-command" not in plan.strategies:
        return None
    situation = Situation(project, parse(plan.dockerfile))
    words = start_words(situation)
    evidence = original.evidence
    explained = explained_by_start(evidence, words)
    program = {*expanded(evidence.view, words)[:2], *evidence.real(expanded(evidence.view, words))}
    left = [p for p in evidence.seen.executed if p not in program and not explained(p)]
    return plan.dockerfile if left else None


def _doubt(
    session: Session,
    request: OptimizeRequest,
    original: Original,
    candidate: ImageView,
    run: Observation,
    again: BuiltAgain,
) -> str:
    """Why the built program is not proven to be what the launcher starts; empty when it is."""
    if not run.started:
        return f"it does not start: {run.reason}"
    twice = _twice_on_class_path(candidate)
    if twice:
        return twice
    named = named_packages(original.source.text, request.config.build.target)
    trial = Trial(
        session, original.evidence.view, original.runs, request.smoke, named=named, again=again
    )
    start = Start(
        candidate.config.entrypoint or (),
        candidate.config.cmd or (),
        "what the launcher starts",
        other_words=True,
    )
    found = trial.judge(
        candidate, replace(derive(trial.original, candidate, None), start=start), run
    )
    if found.verdict == "proven":
        return ""
    failed = next((check for check in found.checks if check.verdict == "failed"), None)
    return (
        f"{failed.name}: {failed.items[0] if failed.items else failed.detail}"
        if failed
        else "it is not measured"
    )


def _twice_on_class_path(candidate: ImageView) -> str:
    """`folder/*` names archives in no order: a class that two of them have may be the other one."""
    words = (*(candidate.config.entrypoint or ()), *(candidate.config.cmd or ()))
    folders = [part[:-2] for word in words for part in word.split(":") if part.endswith("/*")]
    seen: dict[str, tuple[int, str]] = {}
    for folder in folders:
        for node in candidate.tree.walk(posixpath.join(candidate.workdir, folder)):
            for name, checksum in _classes(node).items() if node.name.endswith(".jar") else ():
                before = seen.setdefault(name, (checksum, node.name))
                if before[0] != checksum:
                    return f"{name} is in {before[1]} and, another one, in {node.name}"
    return ""


def _classes(node: Node) -> dict[str, int]:
    with node.open() as file, zipfile.ZipFile(file) as archive:
        return {
            info.filename: info.CRC
            for info in archive.infolist()
            if info.filename.endswith(".class") and posixpath.basename(info.filename) not in _ABOUT
        }
