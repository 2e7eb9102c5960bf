"""The image that the project's own tests run in: the stage that has the tools, or the original's
own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from imgopt.dockerfile import parse
from imgopt.dockerfile.stages import find_stage, needs
from imgopt.engine import BuildEvent, BuildFailure, BuildRequest, Session
from imgopt.errors import InputError
from imgopt.run.own_tests import OwnTests
from imgopt.run.settings import SmokeSettings

Say = Callable[[str], None]


def own_tests(
    session: Session,
    settings: SmokeSettings,
    original: str,
    build: BuildRequest | None,
    text: str,
    say: Say = lambda _: None,
    on_event: Callable[[BuildEvent], None] | None = None,
) -> OwnTests | None:
    """None where none are to be run. `original` is its image, `build` how that was built from the
    Dockerfile `text`; None: it was not. Builds the stage that has the tools where that is another
    one. Raises InputError for a stage that is not there or does not build."""
    if not settings.tests:
        return None
    stage = "" if build is None else tools_stage(text, build, settings.tests_stage)
    if build is None or not stage:
        if settings.tests_stage and build is None:
            raise InputError(
                f"there is no stage `{settings.tests_stage}` where images are compared",
                hint="give a folder, or leave out tests-stage under [smoke]",
            )
        context = build.context if build is not None else None
        place = "the original's image"
        return OwnTests(session, settings, settings.tests, original, place, context, say)
    say(f"Building stage {stage} for the project's tests")
    try:
        made = session.build(replace(build, target=stage, name="tests"), on_event)
    except BuildFailure as failure:
        if failure.kind == "base":
            raise
        raise InputError(
            f"stage `{stage}`, in which the tests are to run, does not build: {failure.message}",
            hint="name another one: tests-stage under [smoke]",
        ) from None
    place = f"stage `{stage}`"
    tools = made.reference or original
    return OwnTests(session, settings, settings.tests, tools, place, build.context, say)


def tools_stage(text: str, build: BuildRequest, wanted: str | None) -> str:
    """The stage that is named, or the last one of those that the built one copies from; "" where it
    copies from none: what it is built on, it has."""
    file = parse(text).bind(build.build_args)
    if wanted is not None:
        found = find_stage(file, wanted, numbers=True)
        if found is None:
            named = ", ".join(str(stage) for stage in file)
            raise InputError(
                f"there is no stage `{wanted}` for the tests", hint=f"there are: {named}"
            )
        return str(found)
    if not file:
        return ""
    built = file[parse(text).target(build.target).index]
    used = [stage for stage in needs(file, built) if stage not in built.chain]
    return str(used[-1]) if used else ""
