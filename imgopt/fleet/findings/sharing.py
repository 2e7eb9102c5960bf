"""The missed-sharing matrix: layers with the same files and different digests, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from imgopt.fleet.findings.bases import base_layers
from imgopt.fleet.findings.weights import View, repositories
from imgopt.fleet.scan.facts import Facts
from imgopt.fleet.scan.model import FleetImage
from imgopt.results.registry import Cell, Missed

_SOURCE_LABELS = ("org.opencontainers.image.source", "org.label-schema.vcs-url")
_MOST_NAMES = 50


def missed_sharing(view: View, facts: Mapping[str, Facts]) -> list[Missed]:
    """Groups of layers whose files are the same but for what tools leave of themselves, the
    heaviest first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for blob in sorted(view.users):
        known = facts.get(blob)
        if known is not None and known.keys is not None and known.core_bytes:
            groups[known.keys.contents].append(blob)
    depth = base_layers(view)
    found = [_missed(view, blobs, facts, depth) for blobs in groups.values() if len(blobs) > 1]
    found.sort(key=lambda each: (-each.weight, -each.saved_bytes, each.blobs))
    return [_numbered(each, number) for number, each in enumerate(found, 1)]


def _numbered(each: Missed, number: int) -> Missed:
    from msgspec import structs

    return structs.replace(each, number=number)


def _missed(
    view: View,
    blobs: list[str],
    facts: Mapping[str, Facts],
    depth: Mapping[tuple[str, str], int],
) -> Missed:
    sizes = [view.fleet.blobs[blob].wire_bytes or 0 for blob in blobs]
    images = view.images_of(blobs)
    saved = sum(sizes) - max(sizes)
    return Missed(
        number=0,
        causes=_causes([facts[blob] for blob in blobs]),
        reasons=_reasons(images, set(blobs), depth),
        blobs=blobs,
        wire_bytes=sum(sizes),
        saved_bytes=saved,
        images=len(images),
        repositories=repositories(images),
        instructions=_instructions(images, set(blobs)),
        sources=sorted(
            {
                image.labels[label]
                for image in images
                for label in _SOURCE_LABELS
                if label in image.labels
            }
        )[:_MOST_NAMES],
        weight=saved * view.uses(blobs),
    )


def _causes(layers: list[Facts]) -> list[str]:
    """In what the archives differ, where their files do not."""
    keys = [each.keys for each in layers if each.keys is not None]
    found = [
        name
        for name, values in (
            ("time stamps", {each.times for each in keys}),
            ("order", {each.order for each in keys}),
            ("lists", {each.state for each in keys}),
            ("owners", {each.owners for each in keys}),
        )
        if len(values) > 1
    ]
    by_contents = Counter(each.diff_id for each in layers)
    if max(by_contents.values()) > 1:
        found.append("compression")
    return found or ["format"]


def _reasons(
    images: Iterable[FleetImage], blobs: set[str], depth: Mapping[tuple[str, str], int]
) -> list[str]:
    """From what lies below the layers in their images."""
    below: set[tuple[str, ...]] = set()
    bases: set[tuple[str, ...]] = set()
    for image in images:
        number = next(number for number, blob in enumerate(image.blobs) if blob in blobs)
        below.add(image.blobs[:number])
        bases.add(image.blobs[: min(number, depth[image.repository, image.digest])])
    if len(below) == 1:
        return ["built again"]
    return ["another base"] if len(bases) > 1 else ["another step before"]


def _instructions(images: Iterable[FleetImage], blobs: set[str]) -> list[str]:
    counts = Counter(
        layer.instruction
        for image in images
        for layer in image.layers
        if layer.blob in blobs and layer.instruction
    )
    return [text for text, _ in counts.most_common(5)]


def matrix(view: View, missed: Iterable[Missed]) -> list[Cell]:
    """For each two repositories the bytes that both have under digests of their own."""
    cells: Counter[tuple[str, str]] = Counter()
    for group in missed:
        holders = _holders(view, group.blobs)
        for first, second in combinations(sorted(holders), 2):
            theirs, ours = holders[first], holders[second]
            if not theirs & ours:
                cells[first, second] += min(view.wire(theirs), view.wire(ours))
    rows = [Cell(first=first, second=second, bytes=size) for (first, second), size in cells.items()]
    return sorted(rows, key=lambda cell: (-cell.bytes, cell.first, cell.second))


def _holders(view: View, blobs: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for blob in blobs:
        for image in view.users[blob]:
            found[image.repository].add(blob)
    return found


def pairs(groups: Iterable[Missed]) -> Iterator[frozenset[str]]:
    """The layers of each group: what is told there is not told again as duplicates."""
    for group in groups:
        yield frozenset(group.blobs)
