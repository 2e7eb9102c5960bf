"""Findings about bytes that are shipped and not in the final tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from imgopt.analysis.evidence import Evidence
from imgopt.image import Waste
from imgopt.image.junk import path_kind
from imgopt.results.analysis import Finding

_SMALLEST = 100_000
"""Bytes below which a finding is not worth a line."""
_DELETED = ("deleted", "deleted-directory", "opaque-hidden")


def find_wasted(evidence: Evidence) -> Iterator[Finding]:
    """One finding per pair of layers (shipped by, killed by) and reason."""
    groups: dict[tuple[str, int, int], list[Waste]] = defaultdict(list)
    inherited: list[Waste] = []
    for item in evidence.ledger.waste:
        if not evidence.is_own(item.killed_by):
            inherited.append(item)
            continue
        reason = "deleted" if item.kind in _DELETED else str(item.kind)
        groups[reason, item.shipped_by, item.killed_by].append(item)
    for (reason, shipped, killed), items in groups.items():
        total = sum(item.bytes for item in items)
        if total >= _SMALLEST:
            yield _FINDERS[reason](evidence, items, total, shipped, killed)
    yield from _inherited(evidence, inherited)


def _inherited(evidence: Evidence, items: list[Waste]) -> Iterator[Finding]:
    total = sum(item.bytes for item in items)
    if total >= _SMALLEST:
        yield evidence.finding(
            "base-waste",
            total,
            "the base image itself ships files that its own later layers hide",
            "a smaller base has less of it",
            strategy="slim-base",
            evidence=_places(items),
        )


def _deleted(
    evidence: Evidence, items: list[Waste], total: int, shipped: int, killed: int
) -> Finding:
    place = _places(items)
    if not evidence.is_own(shipped):
        return evidence.finding(
            "base-files-deleted",
            total,
            "files of the base image are deleted, and shipped all the same",
            "a layer cannot make its base smaller: start from a smaller base, or copy what is"
            " needed into a new stage",
            where=evidence.where(killed),
            strategy="slim-base",
            evidence=place,
        )
    kinds = {path_kind(item.path) for item in items}
    strategy = "same-layer-cleanup"
    if kinds <= {"package-lists"}:
        strategy = "apt-hygiene"
    elif kinds <= {"installer-caches", "package-lists"}:
        strategy = "installer-caches"
    return evidence.finding(
        "deleted-later",
        total,
        f"layer {killed} deletes what layer {shipped} ships: it is shipped all the same",
        "delete in the same RUN that creates, use a cache mount, or build in a stage of its own",
        where=evidence.where(shipped),
        strategy=strategy,
        evidence=place,
    )


def _metadata(
    evidence: Evidence, items: list[Waste], total: int, shipped: int, killed: int
) -> Finding:
    return evidence.finding(
        "copied-by-chmod",
        total,
        f"files of layer {shipped} are shipped twice: layer {killed} changes only owner, mode or"
        " time",
        "COPY --chown and --chmod set them without a second copy; else do it in the RUN that makes"
        " the files",
        where=evidence.where(killed),
        strategy="copy-chown",
        evidence=_places(items),
    )


def _overwritten(
    evidence: Evidence, items: list[Waste], total: int, shipped: int, killed: int
) -> Finding:
    from_base = not evidence.is_own(shipped)
    return evidence.finding(
        "overwritten",
        total,
        f"layer {killed} replaces files of layer {shipped}: both copies are shipped",
        (
            "take a newer base image instead of upgrading its packages"
            if from_base
            else "write each file once: join the instructions, or build in a stage of its own"
        ),
        where=evidence.where(killed),
        strategy="slim-base" if from_base else "multi-stage",
        evidence=_places(items),
    )


def _identical(
    evidence: Evidence, items: list[Waste], total: int, shipped: int, killed: int
) -> Finding:
    return evidence.finding(
        "written-again",
        total,
        f"layer {killed} ships files of layer {shipped} a second time, unchanged",
        "copy each file once; a later COPY of the whole folder ships what an earlier one has"
        " shipped",
        where=evidence.where(killed),
        strategy="layer-order",
        evidence=_places(items),
    )


def _linked(
    evidence: Evidence, items: list[Waste], total: int, shipped: int, killed: int
) -> Finding:
    return evidence.finding(
        "hard-linked-later",
        total,
        f"layer {killed} makes hard links to files of layer {shipped}, which ships them again",
        "make the links in the RUN that makes the files, or use symbolic links",
        where=evidence.where(killed),
        strategy="same-layer-cleanup",
        evidence=_places(items),
    )


_FINDERS = {
    "deleted": _deleted,
    "metadata-only": _metadata,
    "overwritten": _overwritten,
    "identical-rewrite": _identical,
    "hardlink-copy-up": _linked,
}


def _places(items: Iterable[Waste]) -> list[tuple[str, int]]:
    """The directories (three levels) with most of the bytes."""
    places: dict[str, int] = defaultdict(int)
    for item in items:
        parts = item.path.split("/")
        places["/".join(parts[:4]) if len(parts) > 4 else item.path] += item.bytes
    return sorted(places.items(), key=lambda place: (-place[1], place[0]))
