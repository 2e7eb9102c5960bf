"""optimize(): the main job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec

from imgopt.bench import figures
from imgopt.compose.linked import with_linked
from imgopt.context.project import project_name
from imgopt.engine import Session
from imgopt.errors import EnvironmentFailure, Interrupted
from imgopt.image.sizes import Sizes as ImageSizes
from imgopt.image.sizes import sizes
from imgopt.lives.trials import LATER
from imgopt.loop.attempt import MOST_BUILDS, Attempt, attempt
from imgopt.loop.compose_notes import with_notes
from imgopt.loop.edited import ORIGINAL, Edited, edited
from imgopt.loop.later import later_edits
from imgopt.loop.original import Original, measure_original
from imgopt.loop.recommending import conclusion, recommend, why_held_back
from imgopt.loop.request import OptimizeRequest, Progress
from imgopt.loop.resolved import resolve_start
from imgopt.loop.showing import with_run_facts
from imgopt.loop.timing import Times, measure
from imgopt.proof.built_again import BuiltAgain
from imgopt.proof.check import Outcome
from imgopt.results.optimize import Check, MissingBase, OptimizeResult, Sizes, Variant
from imgopt.results.optimize import Original as OriginalResult
from imgopt.rewrite.bases import NOT_HAD
from imgopt.rewrite.ignored.secret_files import secret_files
from imgopt.rewrite.source import ignored_files
from imgopt.run.request_report import asked_of
from imgopt.strategies.variants import choose_variants


def optimize(
    session: Session,
    request: OptimizeRequest,
    progress: Progress,
    keep: Callable[[OptimizeResult], None] | None = None,
) -> OptimizeResult:
    """Builds, runs, rewrites, proves and compares. Raises BuildFailure when the original does not
    build.

    `keep` is handed the result before anything is timed: whatever happens then, what is proven is
    there. A signal that comes while timing ends that alone, and is in the result.
    """
    since = time.monotonic()
    source = request.source()
    request = replace(request, config=with_linked(session, request.config))
    kinds = choose_variants(request.variants or request.config.rewrite.variants)
    original = measure_original(session, request, source, progress)
    progress.stage("Weighing the original")
    before = _sizes(sizes(original.image))
    if not original.started:
        return _not_started(request, original, before)
    again = _built_again(session, request, progress)
    resolved = resolve_start(session, request, original, progress, again)
    known = (
        _built_again(session, request, progress, resolved.text)
        if resolved.text is not None
        else again
    )
    later = later_edits(session, request, original, progress, since=since)
    as_resolved = (
        later_edits(session, request, resolved.original, progress, resolved.text, since=since)
        if resolved.text is not None
        else later
    )
    attempts = [
        (
            attempt(session, request, original, kind, progress, again, later)
            if not kind.carves
            else attempt(session, request, resolved.original, kind, progress, known, as_resolved)
        )
        for kind in kinds
    ]
    counted = _counted(session)
    built = [item for item in attempts if item.outcome is not None and item.outcome.image]
    edit = edited(request, source, {item.kind.name: item.plan for item in built})

    def whole(times: Times) -> OptimizeResult:
        beside = request.smoke.beside
        variants = [
            with_notes(_variant(item, original, before, times, edit), item, original, beside)
            for item in attempts
        ]
        result = _result(request, original, before, variants, times, edit, missing_bases(attempts))
        return msgspec.structs.replace(result, **counted)

    result = whole(Times({}))
    timed = _timed(request, attempts)
    if not timed and request.run_facts is None:
        return result
    if keep is not None:
        keep(result)
    try:
        if timed:
            budget = _budget(session, request)
            result = whole(measure(session, request, edit, timed, progress, budget))
        return with_run_facts(session, request, result, original, attempts, progress)
    except EnvironmentFailure as fault:
        return msgspec.structs.replace(
            result, fault="; ".join(filter(None, (fault.message, fault.hint)))
        )
    except (Interrupted, KeyboardInterrupt) as stop:
        return msgspec.structs.replace(result, interrupted=str(stop) or "interrupted by SIGINT")


def _built_again(
    session: Session, request: OptimizeRequest, progress: Progress, dockerfile: str | None = None
) -> BuiltAgain:
    return BuiltAgain(session, request.build("again", dockerfile), progress.stage, progress.build)


def _budget(session: Session, request: OptimizeRequest) -> float | None:
    """Timing takes no longer than the builds took, unless all of it is asked for."""
    if request.time_all:
        return None
    taken = session.build_seconds.items()
    return sum(seconds for name, seconds in taken if name not in ("base", LATER))


def missing_bases(attempts: Iterable[Attempt]) -> list[MissingBase]:
    """Bases that the plans wanted and that could not be had, with no other one in their place."""
    found = []
    for item in attempts:
        names: dict[str, list[str]] = {}
        for skip in item.plan.skips:
            name, _, rest = skip.reason.partition(f" {NOT_HAD}")
            if skip.reason.endswith(NOT_HAD) and not rest:
                names.setdefault(skip.strategy, []).append(name)
        found += [
            MissingBase(variant=item.kind.name, strategy=key, names=list(dict.fromkeys(value)))
            for key, value in names.items()
        ]
    return found


def _counted(session: Session) -> dict[str, Any]:
    """What the loop built so far; looking into a base is a build of nothing."""
    built = {name: count for name, count in session.built.items() if name != "base"}
    return {
        "builds": sum(built.values()),
        "builds_by": built,
        "steps_run": {name: session.steps_run[name] for name in built},
        "most_builds": MOST_BUILDS,
    }


def _timed(request: OptimizeRequest, attempts: Iterable[Attempt]) -> list[str]:
    """The proven variants, that with the fewest bytes on the wire first; none where nothing is to
    be timed."""
    weighed = [
        (found.wire if found.wire is not None else found.tar, item.kind.name)
        for item in attempts
        if item.verdict == "proven" and item.outcome is not None and item.outcome.image is not None
        for found in [sizes(item.outcome.image)]
    ]
    return [name for _, name in sorted(weighed)] if request.timings else []


def _result(
    request: OptimizeRequest,
    original: Original,
    before: Sizes,
    variants: list[Variant],
    times: Times,
    edit: Edited,
    missing: list[MissingBase],
) -> OptimizeResult:
    best = recommend(before, variants)
    verdict, message = conclusion(best, variants, missing)
    arm = times.arms.get(ORIGINAL)
    again = edit.pushed(ORIGINAL, original.image, arm.found if arm is not None else None)
    return OptimizeResult(
        project=project_name(request.context),
        context=str(request.context),
        dockerfile=_relative(request),
        verdict=verdict,
        message=message,
        original=OriginalResult(
            image=str(original.build.image_id),
            dockerfile=original.source.text,
            ignored=ignored_files(original.source.context),
            sizes=before,
            build_seconds=arm.cold[0] if arm is not None and arm.cold else None,
            layers=len(original.image.layers),
            user=original.image.config.user,
            edit_bytes=again.bytes if again is not None else None,
            edit_bytes_at_most=again is not None and again.at_most,
            steps=arm.steps if arm is not None else [],
            layer_figures=figures.layers(original.image, original.evidence.base_layers),
        ),
        asked=asked_of(original.runs, original.evidence.view, request.smoke, request.context),
        recommended=best.name if best is not None else None,
        variants=variants,
        environment={"edit": edit.words} if edit.words else {},
        bases=_bases_used(request, original),
        missing_bases=missing,
        timing_note=times.note,
        timing_seconds=times.clock.passed() if times.clock is not None else None,
        timing_budget=times.clock.budget if times.clock is not None else None,
        findings=secret_files(
            original.source.dockerfile, original.source.context, request.config.build.target
        ),
    )


def _variant(
    item: Attempt, original: Original, before: Sizes, times: Times, edit: Edited
) -> Variant:
    outcome = item.outcome
    after = (
        _sizes(sizes(outcome.image)) if outcome is not None and outcome.image is not None else None
    )
    swap = _base_swap(item, original)
    saved = before.wire - after.wire if after is not None and before.wire and after.wire else None
    arm = times.arms.get(item.kind.name)
    timings = times.timings(item.kind.name)
    image = outcome.image if outcome is not None else None
    again = edit.pushed(item.kind.name, image, arm.found if arm is not None else None)
    return Variant(
        name=item.kind.name,
        verdict=item.verdict,
        reason=item.reason,
        dockerfile=item.plan.dockerfile,
        dockerignore=item.plan.ignore,
        image=outcome.build.image_id if outcome is not None and outcome.build is not None else None,
        sizes=after,
        build_seconds=arm.cold[0] if arm is not None and arm.cold else None,
        layers=(
            len(outcome.image.layers) if outcome is not None and outcome.image is not None else None
        ),
        user=outcome.image.config.user if outcome is not None and outcome.image is not None else "",
        base=item.plan.base,
        base_swap_bytes=swap if saved is not None else None,
        own_edit_bytes=saved - swap if saved is not None and swap is not None else None,
        changes=list(item.plan.changes),
        skips=[*item.plan.skips, *item.left_out],
        repairs=list(item.repairs),
        checks=[_check(check) for check in (outcome.checks if outcome is not None else ())],
        lives=outcome.lives if outcome is not None else None,
        parts=item.plan.parts,
        timings=timings,
        edit_bytes=again.bytes if again is not None else None,
        edit_bytes_at_most=again is not None and again.at_most,
        held_back=why_held_back(item.verdict, timings.get("edit-source")),
        steps=arm.steps if arm is not None else [],
        **_figures(item, original),
    )


def _figures(item: Attempt, original: Original) -> dict[str, Any]:
    """What the page shows of the variant's image beside the original's."""
    image = item.outcome.image if item.outcome is not None else None
    if image is None:
        return {}
    look, name = original.evidence.look_into, item.plan.base
    base = look(name) if look is not None and name else original.base
    below = original.evidence.base_layers, figures.shared_layers(base, image)
    return {
        "layer_figures": figures.layers(image, below[1]),
        "waterfalls": figures.waterfalls(original.image, image, below),
        "contents": figures.contents(original.image, image, 1000),
    }


def _base_swap(item: Attempt, original: Original) -> int | None:
    """Wire bytes between the two bases alone."""
    look = original.evidence.look_into
    if not item.plan.base or original.base is None or look is None:
        return 0
    new = look(item.plan.base)
    if new is None:
        return None
    old_wire, new_wire = sizes(original.base).wire, sizes(new).wire
    return old_wire - new_wire if old_wire is not None and new_wire is not None else None


def _check(check: Outcome) -> Check:
    extra = [str(item) for item in check.items[:20]] + [
        f"intended: {text}" for text in check.allowed[:20]
    ]
    return Check(name=check.name, verdict=check.verdict, detail="\n".join([check.detail, *extra]))


def _sizes(found: ImageSizes) -> Sizes:
    return Sizes(
        wire=found.wire,
        tar=found.tar,
        payload=found.payload,
        live=found.live,
        wire_is_estimate=found.wire_estimated,
    )


def _not_started(request: OptimizeRequest, original: Original, before: Sizes) -> OptimizeResult:
    run = original.runs[0]
    tail = "\n".join(f"  | {line}" for line in run.log_tail[-15:])
    hints = "\n".join(f"  {hint}" for hint in run.hints)
    message = f"the original does not start: {run.reason}"
    if tail:
        message += f"\nits last lines:\n{tail}"
    if hints:
        message += f"\nwhat may help:\n{hints}"
    return OptimizeResult(
        project=project_name(request.context),
        context=str(request.context),
        dockerfile=_relative(request),
        verdict="unproven",
        message=message,
        original=OriginalResult(
            image=str(original.build.image_id),
            dockerfile=original.source.text,
            ignored=ignored_files(original.source.context),
            sizes=before,
            layers=len(original.image.layers),
            user=original.image.config.user,
        ),
        asked=asked_of(original.runs, original.evidence.view, request.smoke, request.context),
        builds=1,
        bases=_bases_used(request, original),
        findings=secret_files(
            original.source.dockerfile, original.source.context, request.config.build.target
        ),
    )


def _bases_used(request: OptimizeRequest, original: Original) -> dict[str, str]:
    names = {str(stage.root.base) for stage in original.source.dockerfile.stages}
    return {name: image for name, image in sorted(request.config.bases.items()) if name in names}


def _relative(request: OptimizeRequest) -> str:
    path, root = request.dockerfile.resolve(), request.context.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(request.dockerfile)
