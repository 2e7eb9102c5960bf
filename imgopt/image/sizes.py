"""The four sizes of an image, from its blobs and files; never from what an engine says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgopt.image.image import Image
from imgopt.image.layer import Layer
from imgopt.image.ledger import ledger

if TYPE_CHECKING:
    from imgopt.image.wire import Wire


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes. `wire` is None when a layer's blob is elsewhere; `wire_error` is what an estimate may
    be off by."""

    wire: int | None
    tar: int
    payload: int
    live: int
    wire_error: int = 0
    wire_estimated: bool = False


def sizes(image: Image, *, exact_wire: bool = False) -> Sizes:
    """wire: compressed blobs, estimated where nobody compressed them; tar, payload, live: exact."""
    wires = layer_wires(image.layers, exact=exact_wire)
    known = [wire for wire in wires if wire is not None]
    found = ledger(image)
    return Sizes(
        wire=sum(wire.bytes for wire in known) if len(known) == len(wires) else None,
        tar=sum(layer.tar_bytes for layer in image.layers),
        payload=found.payload,
        live=found.live,
        wire_error=sum(wire.error for wire in known),
        wire_estimated=any(wire.estimated for wire in known),
    )


def layer_wires(layers: Sequence[Layer], *, exact: bool = False) -> tuple[Wire | None, ...]:
    """The wire size of each layer; several at once, since compressing releases the interpreter."""
    from concurrent.futures import ThreadPoolExecutor

    from imgopt.image.wire import wire_size

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(lambda layer: wire_size(layer, exact=exact), layers))
