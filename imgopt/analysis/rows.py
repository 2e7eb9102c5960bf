"""Evidence as rows of the result."""

from __future__ import annotations

from collections import defaultdict

from imgopt.analysis.evidence import Evidence
from imgopt.image import Tree, printable
from imgopt.image.wire import Wire
from imgopt.results.analysis import (
    DuplicateRow,
    FileRow,
    ImageSizes,
    JunkRow,
    LayerRow,
    PackageRow,
    Place,
    Rest,
    WasteRow,
)

_ROWS = 500
"""Entries of the lists that an image can make arbitrarily long."""
_FILES = 200
_DIRECTORY_SHARE = 0.005


def total(evidence: Evidence, wires: tuple[Wire | None, ...]) -> ImageSizes:
    known = [wire for wire in wires if wire is not None]
    return ImageSizes(
        wire=sum(wire.bytes for wire in known) if len(known) == len(wires) else None,
        tar=sum(layer.tar_bytes for layer in evidence.image.layers),
        payload=evidence.ledger.payload,
        live=evidence.ledger.live,
        wire_error=sum(wire.error for wire in known),
        wire_estimated=any(wire.estimated for wire in known),
    )


def layers(evidence: Evidence, wires: tuple[Wire | None, ...]) -> list[LayerRow]:
    steps = {step.layer: step for step in evidence.steps if step.layer is not None}
    rows = []
    for layer, classes, wire in zip(evidence.image.layers, evidence.ledger.layers, wires, strict=True):
        step = steps[layer.index]
        rows.append(
            LayerRow(
                index=layer.index,
                diff_id=layer.diff_id,
                instruction=printable(step.instruction),
                line=step.line,
                confidence=step.confidence,
                base=step.base,
                entries=len(layer.entries()),
                sizes=ImageSizes(
                    wire=wire.bytes if wire else None,
                    tar=layer.tar_bytes,
                    payload=sum(classes.values()),
                    live=classes["live"],
                    wire_error=wire.error if wire else 0,
                    wire_estimated=wire.estimated if wire else False,
                ),
                ledger={kind: size for kind, size in classes.items() if size},
            )
        )
    return rows


def waste(evidence: Evidence) -> tuple[list[WasteRow], Rest]:
    """The largest entries, and what they leave out."""
    found = evidence.ledger.waste
    rows = [
        WasteRow(
            path=printable(item.path),
            bytes=item.bytes,
            kind=item.kind,
            shipped_by=item.shipped_by,
            killed_by=item.killed_by,
        )
        for item in found[:_ROWS]
    ]
    return rows, _rest([item.bytes for item in found[_ROWS:]])


def duplicates(evidence: Evidence) -> tuple[list[DuplicateRow], Rest]:
    """The largest groups, and what they leave out."""
    found = evidence.duplicates
    rows = [
        DuplicateRow(
            digest=item.digest,
            size=item.size,
            bytes=item.bytes,
            paths=[printable(path) for path in item.paths[:20]],
            layers=list(item.layers[:20]),
        )
        for item in found[:_ROWS]
    ]
    return rows, _rest([item.bytes for item in found[_ROWS:]])


def _rest(sizes: list[int]) -> Rest:
    return Rest(count=len(sizes), bytes=sum(sizes))


def files(evidence: Evidence) -> list[FileRow]:
    largest = sorted(evidence.tree.files(), key=lambda node: (-node.size, node.path))[:_FILES]
    rows = []
    for node in largest:
        owner = evidence.packages.owner(node.path)
        package = printable(owner.name) if owner is not None else None
        rows.append(FileRow(path=printable(node.path), bytes=node.size, layer=node.content_layer, package=package))
    return rows


def directories(tree: Tree, live: int) -> list[FileRow]:
    """Directories with at least half a percent of the live bytes; a hard-linked file counts where it comes first."""
    sizes: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    seen: set[int] = set()
    for node in tree.walk():
        if node.inode is None or id(node.inode) in seen:
            continue
        seen.add(id(node.inode))
        parent = node.parent
        while parent is not None:
            count = sizes[parent.path or "/"]
            count[0] += node.size
            count[1] += 1
            parent = parent.parent
    rows = [
        FileRow(path=printable(path), bytes=size, files=files)
        for path, (size, files) in sizes.items()
        if size >= live * _DIRECTORY_SHARE
    ]
    return sorted(rows, key=lambda row: row.path)


def junk(evidence: Evidence) -> list[JunkRow]:
    return [
        JunkRow(
            kind=item.kind,
            bytes=item.bytes,
            files=item.files,
            layers={str(layer): size for layer, size in item.layers.items()},
            places=[Place(path=printable(path), bytes=size) for path, size in item.places],
        )
        for item in evidence.junk
    ]


def packages(evidence: Evidence) -> list[PackageRow]:
    """Largest first."""
    ranked = sorted(evidence.packages, key=lambda each: (-each.bytes, each.ecosystem, each.name, each.version))
    return [
        PackageRow(
            ecosystem=package.ecosystem,
            name=printable(package.name),
            version=printable(package.version),
            bytes=package.bytes,
            files=len(package.files),
            layer=package.layer,
            inside=printable(package.inside) if package.inside is not None else None,
        )
        for package in ranked
    ]
