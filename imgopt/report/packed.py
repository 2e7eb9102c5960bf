"""Saved results that somebody compressed: told by their first bytes, whatever their name says."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

from imgopt.errors import InputError, Location

LIMIT = 1 << 30
"""Bytes that a result may have, unpacked: a small file that unpacks without end fills no memory."""


def read_saved(path: Path) -> bytes:
    """The bytes of a saved result, unpacked where it is .xz, .gz, .zst or .bz2. Raises
    InputError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", location=Location(str(path))
        ) from None
    if data[:1] in (b"{", b""):  # as nearly all are: what unpacks needs not be loaded
        return data
    from imgopt.image.blobs import compression

    kind = compression(data[:8])
    return _unpacked(data, kind, str(path)) if kind else data


def _unpacked(data: bytes, kind: str, file: str) -> bytes:
    import lzma

    import zstandard

    from imgopt.image.blobs import decompressed

    try:
        text = decompressed(BytesIO(data), kind).read(LIMIT + 1)
    except (
        OSError,
        EOFError,
        ValueError,
        zlib.error,
        lzma.LZMAError,
        zstandard.ZstdError,
    ) as error:
        raise InputError(
            f"cannot be unpacked ({kind}): {error}",
            location=Location(file),
            hint="is the file complete?",
        ) from None
    if len(text) > LIMIT:
        raise InputError("unpacks to more than a result may have", location=Location(file))
    return text
