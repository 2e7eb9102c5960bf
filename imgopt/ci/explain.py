"""Says of each finding where it comes from: the instruction, the package and the path that did
it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from imgopt.ci.attribution import NO_PACKAGE
from imgopt.ci.measured import Measured
from imgopt.ci.measures import matches_package, matches_path
from imgopt.results.ci import Attribution, Cause, Finding, Place
from imgopt.results.size_text import delta_text, size_text

_SHOWN = 3
_GROWTH = frozenset(["total", "own-layers", "path", "package"])


def explain(
    findings: Sequence[Finding],
    attribution: Attribution | None,
    measured: Measured,
    *,
    rebuild_line: int | None,
    suggest: bool,
) -> list[Finding]:
    """The findings with places, causes and (where the rewriter knows one) a fix."""
    explained = [
        (
            _at_line(finding, rebuild_line, measured)
            if finding.rule == "rebuild"
            else _explained(finding, attribution, measured)
        )
        for finding in findings
    ]
    if not suggest or not explained:
        return explained
    from imgopt.ci.suggest import with_fixes

    return with_fixes(explained, measured)


def _explained(finding: Finding, attribution: Attribution | None, measured: Measured) -> Finding:
    if finding.rule in ("setuid", "secrets"):
        return msgspec.structs.replace(
            finding, place=_place_of_path(finding.subject, measured) or _start(measured)
        )
    if finding.rule == "base":
        return msgspec.structs.replace(
            finding,
            place=_from_line(measured),
            causes=_base_causes(attribution),
            hint="nobody's change did this: pin the base by digest, or record the new base with"
            " `imgopt ci baseline`",
        )
    if finding.rule in _GROWTH and attribution is not None:
        return _blamed(finding, attribution, measured)
    if finding.rule == "root-user":
        return msgspec.structs.replace(finding, place=_last_line(measured))
    if finding.rule in ("junk", "wasted"):
        return _wasteful(finding, measured)
    return msgspec.structs.replace(finding, place=_start(measured))


def _wasteful(finding: Finding, measured: Measured) -> Finding:
    """The instruction whose layer has most of it, and what it is."""
    layer = measured.facts.blamed.get(finding.rule)
    place = measured.place_of(measured.origins.layers[layer]) if layer is not None else None
    kinds = (
        sorted(measured.facts.junk_kinds.items(), key=lambda item: -item[1])
        if finding.rule == "junk"
        else []
    )
    causes = [f"{kind} {size_text(size)}" for kind, size in kinds[:_SHOWN]]
    hint = "imgopt analyze lists it file by file"
    return msgspec.structs.replace(
        finding, place=place or _start(measured), causes=causes, hint=hint
    )


def _blamed(finding: Finding, attribution: Attribution, measured: Measured) -> Finding:
    """Own growth is pinned on what grew most; growth that only the base brought is pinned on
    nobody."""
    groups = {
        "instruction": attribution.instructions,
        "package": attribution.packages,
        "path": attribution.paths,
    }
    if finding.rule == "path":
        groups = {"path": [c for c in attribution.paths if matches_path(c.name, finding.subject)]}
    if finding.rule == "package":
        groups = {
            "package": [c for c in attribution.packages if matches_package(c.name, finding.subject)]
        }
    lines = [
        f"{kind} {_line(cause)}"
        for kind, causes in groups.items()
        for cause in _grown(causes)[:_SHOWN]
    ]
    base = _base_causes(attribution) if finding.rule == "total" else []
    place = next(
        (place for causes in groups.values() for cause in _grown(causes) for place in cause.places),
        None,
    )
    return msgspec.structs.replace(
        finding,
        place=place or _start(measured),
        causes=[*base, *lines],
        hint=finding.hint or _ACCEPT,
    )


_ACCEPT = "make it smaller, or take it knowingly: imgopt ci accept --because TEXT"


def _grown(causes: Sequence[Cause]) -> list[Cause]:
    """What grew, without what is a hundredth of the largest."""
    found = [
        cause for cause in causes if cause.delta > 0 and not cause.rest and cause.name != NO_PACKAGE
    ]
    least = max((cause.delta for cause in found), default=0) / 100
    return [cause for cause in found if cause.delta >= least]


def _line(cause: Cause) -> str:
    places = ", ".join(f"{place.file}:{place.line}" for place in cause.places)
    extra = ", ".join(part for part in (places, cause.detail) if part)
    return f"{cause.name} {delta_text(cause.before, cause.after)}" + (
        f" ({extra})" if extra else ""
    )


def _base_causes(attribution: Attribution | None) -> list[str]:
    base = attribution.base if attribution else None
    return [f"base {_line(base)}"] if base is not None and base.delta else []


def _place_of_path(path: str, measured: Measured) -> Place | None:
    layer = measured.facts.path_layers.get(path)
    return measured.place_of(measured.origins.layers[layer]) if layer is not None else None


def _start(measured: Measured) -> Place | None:
    """The first line of the Dockerfile: for what no single line did."""
    if measured.subject.dockerfile is None:
        return None
    return Place(file=measured.shown(measured.subject.dockerfile), line=1, end_line=1)


def _from_line(measured: Measured) -> Place | None:
    if measured.dockerfile is None or measured.subject.dockerfile is None:
        return None
    item = measured.dockerfile.target(measured.subject.target).root.start
    return Place(
        file=measured.shown(measured.subject.dockerfile), line=item.line, end_line=item.end_line
    )


def _last_line(measured: Measured) -> Place | None:
    if measured.dockerfile is None or measured.subject.dockerfile is None:
        return None
    item = measured.dockerfile.target(measured.subject.target).instructions[-1]
    return Place(
        file=measured.shown(measured.subject.dockerfile), line=item.line, end_line=item.end_line
    )


def _at_line(finding: Finding, line: int | None, measured: Measured) -> Finding:
    item = (
        measured.dockerfile.at_line(line)
        if measured.dockerfile is not None and line is not None
        else None
    )
    place = _start(measured)
    if item is not None and place is not None:
        place = Place(file=place.file, line=item.line, end_line=item.end_line)
    hint = "imgopt cache shows which step each kind of change breaks"
    return msgspec.structs.replace(finding, place=place, hint=hint)
