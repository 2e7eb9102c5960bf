"""One image, looked at as a whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from imgopt import __version__
from imgopt.image import Image
from imgopt.results.analysis import Analysis

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile


_FORMAT = 2
"""Of what is kept on disk; another number is measured again."""


def analyze(
    image: Image,
    dockerfile: Dockerfile | None = None,
    *,
    target: str | None = None,
    exact_wire: bool = False,
) -> Analysis:
    """Layers, ledger, packages, junk and findings of an image.

    With the Dockerfile that built it, layers and findings carry its lines. What was found is kept
    by the image's digest, so a second look reads nothing of the image.
    """
    key = _key(image, exact_wire, dockerfile, target)
    result = _remembered(image, key)
    if result is None:
        from imgopt.analysis.measure import measure

        result = measure(image, dockerfile, target, exact_wire=exact_wire)
        image.memory.keep("analysis", key, msgspec.msgpack.encode(result))
    return msgspec.structs.replace(result, image=image.reference, source=image.source)


def _remembered(image: Image, key: str) -> Analysis | None:
    data = image.memory.get("analysis", key)
    if data is None:
        return None
    try:
        return msgspec.msgpack.decode(data, type=Analysis)
    except msgspec.DecodeError:
        return None


def _key(image: Image, exact_wire: bool, dockerfile: Dockerfile | None, target: str | None) -> str:
    """Wire sizes are the source's: a registry knows them, an engine's store does not."""
    text = f"{target} {dockerfile.name} {dockerfile.text}" if dockerfile is not None else ""
    known = [layer.wire_bytes for layer in image.layers]
    more = hashlib.sha256(
        f"{__version__} {_FORMAT} {exact_wire} {known} {image.provenance} {text}".encode(
            "utf-8", "replace"
        )
    ).hexdigest()
    return f"{image.digest}-{more[:16]}"
