"""Evidence as rows of the result."""

from __future__ import annotations

from imgopt.analysis.evidence import Evidence
from imgopt.image import Tree, printable
from imgopt.image.links import other_names
from imgopt.image.wire import Wire
from imgopt.inspect.redact import redacted
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
    for layer, classes, wire in zip(
        evidence.image.layers, evidence.ledger.layers, wires, strict=True
    ):
        step = steps[layer.index]
        rows.append(
            LayerRow(
                index=layer.index,
                diff_id=layer.diff_id,
                instruction=printable(redacted(step.instruction)),
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
    """The largest files of the final tree, each by its first name."""
    further = other_names(evidence.tree)
    nodes = [node for node in evidence.tree.files() if id(node) not in further]
    least = sorted((node.size for node in nodes), reverse=True)[:_FILES][-1:]
    large = [node for node in nodes if node.size >= least[0]]
    rows = []
    for node in sorted(large, key=lambda node: (-node.size, node.path))[:_FILES]:
        owner = evidence.packages.owner_of(node)
        package = printable(owner.name) if owner is not None else None
        rows.append(
            FileRow(
                path=printable(node.path),
                bytes=node.size,
                layer=node.content_layer,
                package=package,
            )
        )
    return rows


def directories(tree: Tree, live: int) -> list[FileRow]:
    """Directories with at least half a percent of the live bytes; a hard-linked file counts where
    it comes first."""
    folders = [node for node in tree.root.nodes() if node.children is not None]
    elsewhere = other_names(tree)
    sizes: dict[int, tuple[int, int]] = {}
    for folder in reversed(folders):  # parents come first
        size = count = 0
        for child in (folder.children or {}).values():
            if child.inode is not None:
                if child.inode.links == 1 or id(child) not in elsewhere:
                    size += child.inode.entry.size
                    count += 1
            elif child.children is not None:
                below = sizes[id(child)]
                size, count = size + below[0], count + below[1]
        sizes[id(folder)] = (size, count)
    rows = [
        FileRow(path=printable(folder.path) or "/", bytes=size, files=count)
        for folder, (size, count) in ((folder, sizes[id(folder)]) for folder in folders)
        if count and size >= live * _DIRECTORY_SHARE
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
    ranked = sorted(
        evidence.packages, key=lambda each: (-each.bytes, each.ecosystem, each.name, each.version)
    )
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
