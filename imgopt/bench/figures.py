"""Exact figures of images: no repetition, no statistics. All sums hold to the byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING

from imgopt.image import find_packages
from imgopt.image.junk import path_kind
from imgopt.image.sizes import sizes as image_sizes
from imgopt.image.wire import Wire, wire_size
from imgopt.inspect.packages.build_tools import is_build_tool
from imgopt.results.figures import Cause, LayerFigure, PathFigure, Waterfall
from imgopt.results.optimize import Sizes
from imgopt.results.path_tree import reduced
from imgopt.results.size_text import delta_text

if TYPE_CHECKING:
    from imgopt.image import Image, Layer, Node, Package, Tree

_PATHS = 3000
_WORDS = {
    "package-lists": "package lists",
    "installer-caches": "installer caches",
    "vcs": "version control",
    "build-tools": "toolchain and development packages",
    "headers": "headers",
    "static-libraries": "static libraries",
    "tests": "tests of packages",
    "docs": "documentation",
    "locales": "locales",
    "bytecode": "bytecode",
    "logs": "logs",
}


def sizes(image: Image) -> Sizes:
    """The four sizes."""
    found = image_sizes(image)
    return Sizes(
        wire=found.wire,
        tar=found.tar,
        payload=found.payload,
        live=found.live,
        wire_is_estimate=found.wire_estimated,
    )


def shared_layers(base: Image | None, image: Image) -> int:
    """How many layers of the image are the base's."""
    pairs = zip(base.layers if base else (), image.layers, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0].diff_id == pair[1].diff_id, pairs))


def layers(image: Image, base_layers: int) -> list[LayerFigure]:
    """Each layer with the instruction that made it; the first `base_layers` came with the base
    image."""
    return [
        LayerFigure(
            instruction=_instruction(step.created_by if step else ""),
            base=layer.index < base_layers,
            wire=_bytes(wire_size(layer)),
            tar=layer.tar_bytes,
            payload=layer.payload_bytes,
        )
        for layer, step in zip(image.layers, image.layer_history, strict=True)
    ]


def _instruction(created_by: str) -> str:
    """What history says, without what the builders add to it."""
    text = created_by.removesuffix("# buildkit").strip()
    if text.startswith("/bin/sh -c #(nop)"):
        return text.removeprefix("/bin/sh -c #(nop)").strip()
    return (
        text.replace("RUN /bin/sh -c ", "RUN ", 1) if text.startswith("RUN /bin/sh -c ") else text
    )


def _bytes(wire: Wire | None) -> int | None:
    return None if wire is None else wire.bytes


def files(image: Image) -> int:
    """Regular files in the final tree, each name counted."""
    return sum(node.inode is not None for node in image.tree().root.nodes())


def live_bytes(image: Image) -> dict[str, int]:
    """Bytes by path; of several names of one file the first by name carries them. Sums to the live
    bytes."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    for node in image.tree().root.walk():
        if node.inode is not None and id(node.inode) not in seen:
            seen.add(id(node.inode))
            found[node.path] = node.size
    return found


def contents(before: Image, after: Image, limit: int = _PATHS) -> list[PathFigure]:
    """Live bytes of both images by path; small files of a folder are one figure. Escapes stand for
    what is no UTF-8."""
    first, second = live_bytes(before), live_bytes(after)
    every = (
        PathFigure(
            path=path.encode("utf-8", "backslashreplace").decode(),
            before=first.get(path, 0),
            after=second.get(path, 0),
            files_before=int(path in first),
            files_after=int(path in second),
        )
        for path in sorted({*first, *second})
    )
    return reduced(every, limit)


def waterfalls(before: Image, after: Image, base_layers: tuple[int, int]) -> list[Waterfall]:
    """How one image's size became the other's: wire by base and own layers, payload by cause."""
    first, second = (
        _by_cause(image, count)
        for image, count in ((before, base_layers[0]), (after, base_layers[1]))
    )
    falls = [
        _fall(
            "payload",
            first.shipped,
            second.shipped,
            {"base image": _kinds(first.base, second.base)},
        )
    ]
    wires = [
        _wire_causes(image, count)
        for image, count in ((before, base_layers[0]), (after, base_layers[1]))
    ]
    if None not in wires:
        falls.insert(0, _fall("wire", wires[0] or Counter(), wires[1] or Counter()))
    return falls


def _fall(
    size: str,
    before: Counter[str],
    after: Counter[str],
    details: Mapping[str, str] = MappingProxyType({}),
) -> Waterfall:
    changes = {name: after[name] - before[name] for name in {*before, *after}}
    ordered = sorted(
        ((name, change) for name, change in changes.items() if change),
        key=lambda item: (item[1], item[0]),
    )
    causes = [
        Cause(name=name, bytes=change, detail=details.get(name, "")) for name, change in ordered
    ]
    return Waterfall(size=size, start=before.total(), end=after.total(), causes=causes)


def _kinds(before: Counter[str], after: Counter[str]) -> str:
    """What the two bases differ in most, in words."""
    changes = sorted(
        ((after[name] - before[name], name) for name in {*before, *after}),
        key=lambda item: -abs(item[0]),
    )
    return ", ".join(f"{name} {delta_text(0, change)}" for change, name in changes[:4] if change)


def _wire_causes(image: Image, base_layers: int) -> Counter[str] | None:
    """Compressed bytes of the base's and of the own layers; None where one is unknown."""
    found: Counter[str] = Counter()
    for layer in image.layers:
        wire = wire_size(layer)
        if wire is None:
            return None
        found["base image" if layer.index < base_layers else "own layers"] += wire.bytes
    return found


@dataclass(frozen=True, slots=True)
class _ByCause:
    """`shipped`: every byte of the payload once. `base`: the live bytes of the base, by kind."""

    shipped: Counter[str]
    base: Counter[str]


def _by_cause(image: Image, base_layers: int) -> _ByCause:
    """A shipped byte is the base's, or hidden by a later layer, or live and of one kind."""
    found: Counter[str] = Counter()
    base: Counter[str] = Counter()
    own: Sequence[Layer] = image.layers[base_layers:]
    packages = find_packages(image.tree())
    seen: set[int] = set()
    for node in _by_use(image.tree()):
        if id(node.inode) in seen:
            continue
        seen.add(id(node.inode))
        side = base if node.content_layer < base_layers else found
        side[_kind(node.path, packages.owner_of(node))] += node.size
    found["shipped, then deleted or overwritten"] = (
        sum(layer.payload_bytes for layer in own) - found.total()
    )
    found["base image"] = sum(layer.payload_bytes for layer in image.layers[:base_layers])
    return _ByCause(found, base)


def _by_use(tree: Tree) -> list[Node]:
    """Files by all their names; those that are no junk come first, since they decide what a file
    with several names is."""
    nodes = [node for node in tree.root.walk() if node.inode is not None]
    return sorted(nodes, key=lambda node: path_kind(node.path) is not None)


def _kind(path: str, owner: Package | None) -> str:
    kind = path_kind(path)
    if kind is None and owner is not None:
        return _WORDS["build-tools"] if is_build_tool(owner) else f"{owner.ecosystem} packages"
    return _WORDS[kind] if kind else "application and everything else"
