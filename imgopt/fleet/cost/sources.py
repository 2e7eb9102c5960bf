"""From images and repositories to series of releases: the only part of the model that reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from imgopt.analysis.steps import (
    Step,
    match_lines,
    provenance_lines,
    read_created_by,
    read_steps,
)
from imgopt.fleet.cost.estimate import MONTH, Series
from imgopt.fleet.cost.model import Layer
from imgopt.fleet.cost.parameters import Parameters
from imgopt.image.wire import wire_size

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile
    from imgopt.fleet.scan.model import Blob, Fleet, FleetImage
    from imgopt.image import Image
    from imgopt.image.layer import Layer as ImageLayer
    from imgopt.results.replay import ReplayArm

_ASSUMED = (
    "no history: each release is counted as if it changed every layer over the base; a context, or"
    " a repository with several tags, shows what really changes"
)
_FEW = "one tag: releases are assumed, because there is no second to compare with"


def image_series(image: Image, values: Parameters, dockerfile: Dockerfile | None = None) -> Series:
    """One image as a release of which no history is known; local layers are read, those of a
    registry are not."""
    layers = tuple(layer for layer, _ in _placed(image, values, dockerfile))
    return Series(
        image.reference,
        "assumed",
        (layers,),
        notes=(_ASSUMED,),
        next=f"imgopt fleet layout {image.reference}",
    )


def replay_series(
    name: str,
    image: Image,
    dockerfile: Dockerfile,
    arm: ReplayArm,
    values: Parameters,
    per_month: float | None,
    notes: Sequence[str] = (),
) -> Series:
    """The commits of a replay as releases: a layer is another one where its line ran again."""
    placed = _placed(image, values, dockerfile)
    releases = [tuple(_named(layer, 0) for layer, _ in placed)]
    for number, commit in enumerate(reversed(arm.commits), 1):
        ran = {*commit.missed, *commit.unknown}
        before = releases[-1]
        releases.append(
            tuple(
                _named(layer, number) if line in ran else old
                for (layer, line), old in zip(placed, before, strict=True)
            )
        )
    return Series(name, "commits", tuple(releases), per_month, tuple(notes))


def _named(layer: Layer, number: int) -> Layer:
    from dataclasses import replace

    return layer if number == 0 else replace(layer, digest=f"{layer.digest}@{number}")


def _placed(
    image: Image, values: Parameters, dockerfile: Dockerfile | None
) -> list[tuple[Layer, int | None]]:
    """Each layer with the line of the Dockerfile that made it, where that is known."""
    steps = {step.layer: step for step in steps_of(image, dockerfile) if step.layer is not None}
    found = []
    for number, layer in enumerate(image.layers):
        step = steps.get(number)
        label = _label(step.instruction if step else "", number)
        if step is not None and step.line is not None:
            label = f"line {step.line}: {label}"
        base = bool(step is not None and step.base)
        label = f"base: {label}" if base else label
        found.append((_layer(layer, image, values, label, base), step.line if step else None))
    return found


def steps_of(image: Image, dockerfile: Dockerfile | None) -> tuple[Step, ...]:
    """The image's steps with lines, by the builder's own record or by the Dockerfile's text."""
    steps = read_steps(image)
    if image.source != "registry" and image.provenance is not None:
        return provenance_lines(steps, image.provenance)
    return match_lines(steps, dockerfile) if dockerfile is not None else steps


def _label(instruction: str, number: int) -> str:
    words = " ".join(instruction.split())
    return words or f"layer {number}"


def _layer(layer: ImageLayer, image: Image, values: Parameters, label: str, base: bool) -> Layer:
    digest = layer.digest or layer.diff_id
    codec = layer.codec or "gzip"
    if image.source == "registry" and layer.wire_bytes is not None:
        return by_wire(digest, layer.wire_bytes, codec, values, label, base)
    wire = wire_size(layer)
    raw = 0 if layer.missing else layer.tar_bytes
    files = 0 if layer.missing else len(layer.entries())
    size = wire.bytes if wire is not None else 0
    return Layer(digest, size, raw, files, codec, label, base=base)


def by_wire(
    digest: str, wire: int, codec: str, values: Parameters, label: str, base: bool = False
) -> Layer:
    """A layer of which only the manifest was read."""
    raw = wire if codec == "none" else round(wire * values["raw_ratio"])
    files = max(1, round(raw / values["file_bytes"]))
    return Layer(digest, wire, raw, files, codec, label, estimated=True, base=base)


def fleet_series(fleet: Fleet, values: Parameters, platform: str | None = None) -> list[Series]:
    """One series for each repository of a scan: the images of its tags, oldest first, for one
    platform (the one that most of them have)."""
    found = []
    for repository in fleet.repositories:
        chosen = platform or _platform(fleet.series(repository.name))
        images = fleet.series(repository.name, chosen)
        if images:
            found.append(_tag_series(repository.name, images, fleet, values))
    return found


def _platform(images: Iterable[FleetImage]) -> str | None:
    counts: dict[str, int] = {}
    for image in images:
        counts[image.platform] = counts.get(image.platform, 0) + 1
    return max(counts, key=lambda name: (counts[name], name)) if counts else None


def _tag_series(
    name: str, images: Sequence[FleetImage], fleet: Fleet, values: Parameters
) -> Series:
    releases = tuple(_blobs(image, fleet.blobs, values) for image in images)
    several = len(releases) > 1
    return Series(
        name,
        "tags" if several else "assumed",
        releases,
        per_month(_times(images)) if several else None,
        () if several else (_FEW,),
    )


def _blobs(image: FleetImage, blobs: Mapping[str, Blob], values: Parameters) -> tuple[Layer, ...]:
    found = []
    for number, placed in enumerate(image.layers):
        blob, label = blobs[placed.blob], _label(_instruction(placed.instruction), number)
        if blob.foreign:
            continue
        wire, codec = blob.wire_bytes or 0, blob.codec or "gzip"
        layer = by_wire(blob.digest, wire, codec, values, label)
        if blob.tar_bytes is not None and blob.entries is not None:
            layer = Layer(blob.digest, wire, blob.tar_bytes, blob.entries, codec, label)
        found.append(layer)
    return tuple(found)


def _instruction(created_by: str) -> str:
    from imgopt.image import HistoryEntry

    keyword, text = read_created_by(HistoryEntry(created_by=created_by))
    return f"{keyword} {text}".strip()


def _times(images: Iterable[FleetImage]) -> list[float]:
    found = []
    for image in images:
        try:
            found.append(datetime.fromisoformat(image.created or "").timestamp())
        except (ValueError, OverflowError):
            continue  # a build that wrote down no time, or one of a year without a calendar
    return found


def per_month(times: Sequence[float]) -> float | None:
    """Releases in 30 days at the pace of these; None where their times do not tell."""
    if len(times) < 2:
        return None
    span = max(times) - min(times)
    return (len(times) - 1) * MONTH / span if span >= 1.0 else None
