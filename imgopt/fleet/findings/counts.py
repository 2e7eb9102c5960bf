"""Images by platform and age, layers by instruction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from imgopt.fleet.findings.weights import View
from imgopt.fleet.scan.census import moment
from imgopt.fleet.scan.model import FleetImage
from imgopt.results.registry import CountRow

_AGES = (30, 90, 180, 365, 730)
"""Days."""
_UNKNOWN = "unknown"


def platform_rows(view: View) -> list[CountRow]:
    """Most images first."""
    groups: dict[str, list[FleetImage]] = defaultdict(list)
    for image in view.images:
        groups[image.platform or _UNKNOWN].append(image)
    rows = [_row(view, name, images) for name, images in groups.items()]
    return sorted(rows, key=lambda row: (-row.count, row.name))


def age_rows(view: View, now: datetime) -> list[CountRow]:
    """Youngest first; those that do not say when they were made last."""
    groups: dict[str, list[FleetImage]] = defaultdict(list)
    for image in view.images:
        groups[_age(image, now)].append(image)
    order = [*(f"under {days} days" for days in _AGES), _OLDEST, _UNKNOWN]
    return [_row(view, name, groups[name]) for name in order if name in groups]


_OLDEST = f"{_AGES[-1]} days and more"


def _age(image: FleetImage, now: datetime) -> str:
    made = moment(image.created)
    if made is None:
        return _UNKNOWN
    days = (now - made).days
    return next((f"under {limit} days" for limit in _AGES if days < limit), _OLDEST)


def _row(view: View, name: str, images: Iterable[FleetImage]) -> CountRow:
    listed = list(images)
    blobs = {blob for image in listed for blob in image.blobs if not view.fleet.blobs[blob].foreign}
    return CountRow(name=name, count=len(listed), wire_bytes=view.wire(blobs))


def instruction_rows(view: View) -> list[CountRow]:
    """Layers, each blob once, by the keyword of the step that made it; most bytes first."""
    keywords: dict[str, str] = {}
    for image in view.images:
        for layer in image.layers:
            keywords.setdefault(layer.blob, layer.instruction.partition(" ")[0] or _UNKNOWN)
    groups: dict[str, set[str]] = defaultdict(set)
    for blob, keyword in keywords.items():
        groups[keyword].add(blob)
    rows = [
        CountRow(name=name, count=len(blobs), wire_bytes=view.wire(blobs))
        for name, blobs in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.wire_bytes, row.name))
