"""Exact figures of images: no repetition, no statistics. All sums hold to the byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from imgopt.image import find_packages, ledger
from imgopt.image.wire import Wire, wire_size
from imgopt.report.tree import reduced
from imgopt.results.figures import Cause, LayerFigure, PathFigure, Waterfall
from imgopt.results.optimize import Sizes

if TYPE_CHECKING:
    from imgopt.image import Image, Layer, Package, Packages

_PATHS = 3000
_FOLDERS = (
    ("package lists", ("/var/lib/apt/lists/*", "/var/cache/apt/*", "/var/cache/apk/*", "/lib/apk/db/*")),
    ("installer caches", ("/root/.cache/*", "/root/.npm/*", "/home/*/.cache/*", "/home/*/.npm/*", "/tmp/*")),
    ("version control", ("*/.git/*",)),
    ("headers and static libraries", ("/usr/include/*", "/usr/local/include/*", "*.a")),
    ("bytecode", ("*.pyc",)),
    ("documentation and locales", ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")),
)
_BUILD_TOOLS = (
    "gcc*",
    "g++*",
    "cpp*",
    "binutils*",
    "make",
    "cmake",
    "*-dev",
    "*-dev-bin",
    "build-essential",
    "dpkg-dev",
)


def sizes(image: Image) -> Sizes:
    """The four sizes. `wire` is None when a layer is not part of the image."""
    wires = [wire_size(layer) for layer in image.layers]
    known = [wire for wire in wires if wire is not None]
    book = ledger(image)
    return Sizes(
        wire=sum(wire.bytes for wire in known) if len(known) == len(wires) else None,
        tar=sum(layer.tar_bytes for layer in image.layers),
        payload=book.payload,
        live=book.live,
        wire_is_estimate=any(wire.estimated for wire in known),
    )


def layers(image: Image, base_layers: int) -> list[LayerFigure]:
    """Each layer with the instruction that made it; the first `base_layers` came with the base image."""
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
    return text.replace("RUN /bin/sh -c ", "RUN ", 1) if text.startswith("RUN /bin/sh -c ") else text


def _bytes(wire: Wire | None) -> int | None:
    return None if wire is None else wire.bytes


def files(image: Image) -> int:
    """Regular files in the final tree, each name counted."""
    return sum(node.inode is not None for node in image.tree().root.nodes())


def live_bytes(image: Image) -> dict[str, int]:
    """Bytes by path; of several names of one file the first by name carries them. Sums to the live bytes."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    for node in image.tree().root.walk():
        if node.inode is not None and id(node.inode) not in seen:
            seen.add(id(node.inode))
            found[node.path] = node.size
    return found


def contents(before: Image, after: Image) -> list[PathFigure]:
    """Live bytes of both images by path; small files of a folder are one figure. Escapes stand for what is no UTF-8."""
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
    return reduced(every, _PATHS)


def waterfalls(before: Image, after: Image, base_layers: tuple[int, int]) -> list[Waterfall]:
    """How one image's size became the other's: payload by cause, wire by base and own layers."""
    causes = _payload_causes(before, base_layers[0]), _payload_causes(after, base_layers[1])
    falls = [_fall("payload", *causes)]
    wires = [_wire_causes(image, count) for image, count in ((before, base_layers[0]), (after, base_layers[1]))]
    if None not in wires:
        falls.insert(0, _fall("wire", *(causes or Counter() for causes in wires)))
    return falls


def _fall(size: str, before: Counter[str], after: Counter[str]) -> Waterfall:
    changes = {name: after[name] - before[name] for name in {*before, *after}}
    ordered = sorted(
        ((name, change) for name, change in changes.items() if change), key=lambda item: (item[1], item[0])
    )
    causes = [Cause(name=name, bytes=change) for name, change in ordered]
    return Waterfall(size=size, start=before.total(), end=after.total(), causes=causes)


def _wire_causes(image: Image, base_layers: int) -> Counter[str] | None:
    """Compressed bytes of the base's and of the own layers; None where one is unknown."""
    found: Counter[str] = Counter()
    for layer in image.layers:
        wire = wire_size(layer)
        if wire is None:
            return None
        found["base image" if layer.index < base_layers else "own layers"] += wire.bytes
    return found


def _payload_causes(image: Image, base_layers: int) -> Counter[str]:
    """Every shipped byte in one cause: the base's, hidden by a later layer, or live and of one kind."""
    found: Counter[str] = Counter()
    own: Sequence[Layer] = image.layers[base_layers:]
    found["base image"] = sum(layer.payload_bytes for layer in image.layers[:base_layers])
    packages = find_packages(image.tree())
    seen: set[int] = set()
    for node in image.tree().root.walk():
        if node.inode is None or id(node.inode) in seen or node.content_layer < base_layers:
            continue
        seen.add(id(node.inode))
        found[_kind(node.path, packages)] += node.size
    live = found.total() - found["base image"]
    found["shipped, then deleted or overwritten"] = sum(layer.payload_bytes for layer in own) - live
    return found


def _kind(path: str, packages: Packages) -> str:
    owner: Package | None = packages.owner(path)
    if owner is not None and any(fnmatchcase(owner.name, pattern) for pattern in _BUILD_TOOLS):
        return "build tools and development packages"
    for name, patterns in _FOLDERS:
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            return name
    if owner is not None:
        return f"{owner.ecosystem} packages"
    return "application and everything else"
