"""What every image source promises: call `check_image_source` from the tests of a new one."""

from __future__ import annotations

import re
from typing import get_args

from imgopt.image.entries import KINDS
from imgopt.image.image import Image, Source
from imgopt.image.layer import Layer
from imgopt.image.ledger import ledger

_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


def check_image_source(image: Image) -> None:
    """Raises AssertionError for the first promise that the image breaks; reads everything it
    ships."""
    assert image.source in get_args(Source), f"{image.source}: not a known source"
    assert _DIGEST.match(image.digest), f"{image.digest}: the digest of the configuration is needed"
    assert [layer.index for layer in image.layers] == list(range(len(image.layers))), (
        "layers count from 0"
    )
    for layer in image.layers:
        _check_layer(layer)
    _check_tree(image)


def _check_layer(layer: Layer) -> None:
    assert _DIGEST.match(layer.diff_id), f"layer {layer.index}: diff ID {layer.diff_id}"
    entries = layer.entries()
    assert entries is layer.entries() or entries == layer.entries(), (
        f"layer {layer.index}: two readings differ"
    )
    assert layer.payload_bytes <= layer.tar_bytes, f"layer {layer.index}: more contents than tar"
    for entry in entries:
        assert entry.kind in KINDS, f"{entry.path}: kind {entry.kind}"
        clean = entry.path == "/" or (entry.path.startswith("/") and not entry.path.endswith("/"))
        assert clean and ".." not in entry.path.split("/"), (
            f"{entry.path!r}: not an absolute clean path"
        )
        assert entry.size == 0 or entry.kind == "file", (
            f"{entry.path}: a {entry.kind} has no contents"
        )
        if entry.kind == "file" and entry.sparse_header < 0:
            with layer.open(entry) as file:
                data = file.read()
                assert len(data) == entry.size, (
                    f"{entry.path}: {len(data)} bytes instead of {entry.size}"
                )
                file.seek(0)
                assert file.read(16) == data[:16], f"{entry.path}: not seekable"
            assert layer.read(entry, 16) == data[:16]


def _check_tree(image: Image) -> None:
    found = ledger(image)
    assert found.payload == sum(layer.payload_bytes for layer in image.layers), (
        "the classes sum to the payload"
    )
    inodes = {}
    for node in image.tree().walk():
        if node.parent is not None:
            assert node.path == f"{node.parent.path}/{node.name}"
            assert image.tree().get(node.path) is node
        if node.inode is not None:
            inodes[id(node.inode)] = node.size
    assert sum(inodes.values()) == found.live, "live is what the final tree has"
