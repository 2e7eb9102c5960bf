"""What the rules want to know of one image, measured once per image and kept by its digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from imgopt import __version__
from imgopt.ci.names import FileNames
from imgopt.ci.secrets import looks_secret
from imgopt.image import (
    Image,
    Layer,
    Package,
    Packages,
    Tree,
    Waste,
    find_packages,
    ledger,
    printable,
)
from imgopt.image.junk import find_junk
from imgopt.image.wire import wire_size
from imgopt.inspect.packages.build_tools import is_build_tool
from imgopt.results import Value
from imgopt.results.ci import FourSizes

_FORMAT = 3
"""Of what is kept on disk; another number is measured again."""


class LayerFacts(Value, frozen=True, kw_only=True):
    """One layer: `diff` is the start of its diff ID."""

    diff: str
    sizes: FourSizes
    codec: str | None = None
    """Of its blob, where there is one."""


class PackageFacts(Value, frozen=True, kw_only=True):
    """`live` are its bytes in the final tree, `own` what the layers over the base ship of it (the
    dead bytes too)."""

    version: str = ""
    live: int = 0
    own: int = 0
    layer: int = 0
    """Index of the layer that installed it."""
    needs: tuple[str, ...] = ()


class Facts(Value, frozen=True, kw_only=True):
    """Figures of an image. "Own" is what the layers from `base_layers` on ship. Packages are
    "ecosystem:name"."""

    layers: list[LayerFacts]
    base_layers: int
    packages: dict[str, PackageFacts] = {}
    paths: dict[str, int] = {}
    """Bytes that the own layers ship per path, the overwritten and deleted ones too."""
    path_layers: dict[str, int] = {}
    """The own layer that ships the most recent contents of a path."""
    wasted: int = 0
    junk: int = 0
    junk_kinds: dict[str, int] = {}
    blamed: dict[str, int] = {}
    """The layer that has most of the "junk", and that made most of the "wasted" bytes."""
    setuid: list[str] = []
    secrets: list[str] = []
    unread: list[str] = []
    """What cannot be said of packages: sentences for the user."""
    complete: bool = True
    """False where only the manifest was read: then just the wire sizes are known."""

    @property
    def sizes(self) -> FourSizes:
        return add_sizes(layer.sizes for layer in self.layers)

    @property
    def base_sizes(self) -> FourSizes:
        return add_sizes(layer.sizes for layer in self.layers[: self.base_layers])

    @property
    def own_layers(self) -> list[LayerFacts]:
        return self.layers[self.base_layers :]


def add_sizes(parts: Iterator[FourSizes] | list[FourSizes]) -> FourSizes:
    """The sum; a size that one part does not know is not known. Errors of independent layers add as
    squares."""
    items = list(parts)
    totals: dict[str, int | None] = {}
    for name in ("wire", "tar", "payload", "live"):
        values = [getattr(item, name) for item in items]
        totals[name] = None if None in values else sum(values)
    error = round(sum(item.wire_error**2 for item in items) ** 0.5)
    estimated = any(item.wire_estimated for item in items)
    return FourSizes(**totals, wire_error=error, wire_estimated=estimated)


def chain_id(diff_ids: tuple[str, ...]) -> str:
    """Names a stack of layers (image-spec `config.md`, "Layer ChainID"); "" for no layer."""
    chain = ""
    for diff_id in diff_ids:
        chain = (
            f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}"
            if chain
            else diff_id
        )
    return chain


def manifest_facts(image: Image, base_layers: int) -> Facts:
    """From the manifest alone: wire sizes, no layer is read."""
    layers = [
        LayerFacts(
            diff=short(layer.diff_id),
            sizes=FourSizes(wire=layer.wire_bytes, wire_error=0),
            codec=layer.codec,
        )
        for layer in image.layers
    ]
    return Facts(layers=layers, base_layers=base_layers, complete=False)


def image_facts(image: Image, base_layers: int) -> Facts:
    """Reads the image, or what was learned of it before. `base_layers` is the number of layers of
    the base."""
    blobs = [(layer.wire_bytes, layer.codec) for layer in image.layers]  # one source's, not all's
    shape = hashlib.sha256(str(blobs).encode()).hexdigest()[:16]
    key = f"{image.digest}-{base_layers}-{__version__}-{_FORMAT}-{shape}"
    known = image.memory.get("ci", key)
    if known is not None:
        try:
            return msgspec.msgpack.decode(known, type=Facts)
        except msgspec.DecodeError:
            pass  # of another version: measured again
    facts = _measure(image, base_layers)
    image.memory.keep("ci", key, msgspec.msgpack.encode(facts))
    return facts


def _measure(image: Image, base_layers: int) -> Facts:
    book = ledger(image)
    tree = image.tree()
    packages = find_packages(tree)
    own = image.layers[base_layers:]
    names = FileNames(tree, packages)
    paths: Counter[str] = Counter()
    shipped: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for layer in own:
        for size, path, owner in names.shipped(layer):
            paths[path] += size
            newest[path] = layer.index
            shipped[_package_key(owner)] += size
    found = find_junk(tree, packages, is_build_tool)
    junk = {kind.kind: size for kind in found if (size := _own(kind.layers, base_layers))}
    wasted = [item for item in book.waste if item.killed_by >= base_layers]
    return Facts(
        layers=[
            LayerFacts(
                diff=short(layer.diff_id),
                sizes=_layer_sizes(layer, book.layers[layer.index]["live"]),
                codec=layer.codec,
            )
            for layer in image.layers
        ],
        base_layers=base_layers,
        packages=_packages(packages, shipped),
        paths={printable(path): size for path, size in sorted(paths.items())},
        path_layers={printable(path): layer for path, layer in sorted(newest.items())},
        wasted=sum(item.bytes for item in wasted),
        junk=sum(junk.values()),
        junk_kinds=dict(sorted(junk.items())),
        blamed=_blamed([kind.layers for kind in found], wasted, base_layers),
        setuid=sorted(_setuid(tree, base_layers)),
        secrets=sorted(_secrets(own)),
        unread=[database.text for database in packages.unread],
    )


def short(diff_id: str) -> str:
    return diff_id.removeprefix("sha256:")[:16]


def _layer_sizes(layer: Layer, live: int) -> FourSizes:
    wire = wire_size(layer)
    return FourSizes(
        wire=wire.bytes if wire else None,
        wire_error=wire.error if wire else 0,
        wire_estimated=bool(wire and wire.estimated),
        tar=layer.tar_bytes,
        payload=layer.payload_bytes,
        live=live,
    )


def _package_key(owner: Package | None) -> str:
    return f"{owner.ecosystem}:{owner.name}" if owner else ""


def _packages(packages: Packages, shipped: Counter[str]) -> dict[str, PackageFacts]:
    found: dict[str, PackageFacts] = {}
    for package in packages:
        key = f"{package.ecosystem}:{package.name}"
        before = found.get(key)
        found[key] = PackageFacts(
            version=package.version if before is None else before.version,
            live=package.bytes + (before.live if before else 0),
            own=shipped[key],
            layer=package.layer,
            needs=tuple(sorted({name for choice in package.depends for name in choice[:1]})),
        )
    return dict(sorted(found.items()))


def _own(layers: Mapping[int, int], base_layers: int) -> int:
    return sum(size for layer, size in layers.items() if layer >= base_layers)


def _blamed(junk: list[dict[int, int]], wasted: list[Waste], base_layers: int) -> dict[str, int]:
    sums: dict[str, Counter[int]] = {"junk": Counter(), "wasted": Counter()}
    for layers in junk:
        sums["junk"].update({layer: size for layer, size in layers.items() if layer >= base_layers})
    for item in wasted:
        sums["wasted"][item.shipped_by if item.shipped_by >= base_layers else item.killed_by] += (
            item.bytes
        )
    return {name: layers.most_common(1)[0][0] for name, layers in sums.items() if layers}


def _setuid(tree: Tree, base_layers: int) -> Iterator[str]:
    for node in tree.files():
        if node.mode & 0o6000 and node.mode & 0o111 and node.layer >= base_layers:
            yield printable(node.path)


def _secrets(own: tuple[Layer, ...]) -> Iterator[str]:
    """Of every own layer, the deleted ones too: who pulls the image can still read them."""
    seen: set[str] = set()
    for layer in own:
        for entry in layer.entries():
            if entry.kind == "file" and entry.path not in seen and looks_secret(layer, entry):
                seen.add(entry.path)
                yield printable(entry.path)
