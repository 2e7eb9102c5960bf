"""How large a layer is on the wire when nobody has compressed it yet.

The layer's tar is sampled at even distances in blocks. All of them are compressed by zstd (ten
times faster than gzip), some also by gzip at the level that engines push with; their ratio carries
over (double sampling with a ratio estimator), drawn towards the ratio that layers have as a rule.
The blocks are made from entries and contents, not from the tar, so that all sources give the same
figure. The error joins twice the standard error that the blocks' own spread implies with how far
gzip implementations differ.
"""

from __future__ import annotations

import math
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

import msgspec

from imgopt.image.entries import Entry
from imgopt.image.layer import Layer

_BLOCK = 32 << 10
_WINDOW = 32 << 10
_FEWEST, _MOST = 64, 256
"""Blocks of a sample: an eighth of the layer's, within these bounds."""
_PAIRS = 16
"""Blocks of it that gzip compresses too."""
_RATIO, _RATIO_WEIGHT = 0.905, 6
"""gzip's bytes by zstd's in layers of Debian, Python, Node and Go images (0.855 to 0.927), and how
many measured pairs that weighs. Simulated on those: as exact as 32 pairs without it."""
_LEVEL = 6
"""What Docker, containerd and BuildKit compress pushed layers with."""
_GO_EXTRA = 0.07
"""Go's gzip at that level needs more than zlib, the more the better a block compresses: measured on
pushed layers of Debian, Python, Node and Java images, where the extra was 0 to 0.145 times (1 -
ratio)."""
_GO_SPREAD = 0.025
"""What is left between that rule and those layers, as a share of the size."""
_TYPES = {
    "hardlink": b"1",
    "symlink": b"2",
    "char": b"3",
    "block": b"4",
    "dir": b"5",
    "fifo": b"6",
}
"""Type flags of a tar header; everything else is a file."""


class Wire(msgspec.Struct, frozen=True):
    """Bytes of a compressed layer; `error` in bytes is 0 for a blob that exists."""

    bytes: int
    error: int = 0
    estimated: bool = False


def wire_size(layer: Layer, *, exact: bool = False) -> Wire | None:
    """From the blob where there is one; else by compressing a sample, or all of it when `exact`.

    What was found for a layer is kept by its diff ID. None for foreign layers: their size is
    unknown.
    """
    if layer.wire_bytes is not None:
        return Wire(layer.wire_bytes)
    if layer.missing:
        return None
    kind = "wire-all" if exact else "wire-sample"
    known = layer.memory.get(kind, layer.diff_id)
    if known is not None:
        try:
            return msgspec.json.decode(known, type=Wire)
        except msgspec.DecodeError:
            pass  # of another version: measured again
    found = _compress_all(layer) if exact else _estimate(layer)
    layer.memory.keep(kind, layer.diff_id, msgspec.json.encode(found))
    return found


def _compress_all(layer: Layer) -> Wire:
    compressor = zlib.compressobj(_LEVEL, wbits=31)
    stream = _Stream(layer)
    total = 0.0
    for chunk in stream.chunks():
        total += _as_go(len(compressor.compress(chunk)), len(chunk))
    size = round(total + len(compressor.flush()))
    return Wire(size, error=round(size * _GO_SPREAD), estimated=True)


def _estimate(layer: Layer) -> Wire:
    stream = _Stream(layer)
    count = -(-stream.size // _BLOCK)
    if count <= _FEWEST:
        return _compress_all(layer)
    import zstandard

    quick = zstandard.ZstdCompressor(level=1)
    blocks = min(_MOST, max(_FEWEST, count // 8))
    step, every = count / blocks, blocks // _PAIRS
    first: list[int] = []
    pairs: list[tuple[int, int]] = []
    for number in range(blocks):
        start = int(number * step + step / 2) * _BLOCK
        block = stream.read(start, _BLOCK)
        first.append(len(quick.compress(block)))
        if number % every == every // 2:
            before = stream.read(max(0, start - _WINDOW), min(start, _WINDOW))
            pairs.append((first[-1], _gzipped(block, before)))
    measured = sum(gzip for _, gzip in pairs) / max(1, sum(zstd for zstd, _ in pairs))
    ratio = (measured * len(pairs) + _RATIO * _RATIO_WEIGHT) / (len(pairs) + _RATIO_WEIGHT)
    total = ratio * sum(first) / len(first) * stream.size / _BLOCK
    error = math.hypot(2 * _relative_error(first, pairs, ratio), _GO_SPREAD)
    return Wire(round(total), round(total * error), estimated=True)


def _gzipped(block: bytes, before: bytes) -> int:
    """Bytes that a block adds to a gzip stream that is already running."""
    compressor = (
        zlib.compressobj(_LEVEL, wbits=-15, zdict=before)
        if before
        else zlib.compressobj(_LEVEL, wbits=-15)
    )
    return round(_as_go(len(compressor.compress(block)) + len(compressor.flush()), len(block)))


def _as_go(compressed: int, size: int) -> float:
    return compressed * (1 + _GO_EXTRA * max(0.0, 1 - compressed / max(1, size)))


def _relative_error(first: list[int], pairs: list[tuple[int, int]], ratio: float) -> float:
    mean = sum(first) / len(first) or 1.0
    spread = sum((size - mean) ** 2 for size in first) / max(1, len(first) - 1)
    rest = sum((gzip - ratio * zstd) ** 2 for zstd, gzip in pairs) / max(1, len(pairs) - 1)
    scale = sum(gzip for _, gzip in pairs) / len(pairs) or 1.0
    return math.sqrt(spread / len(first) / mean**2 + rest / len(pairs) / scale**2)


class _Stream:
    """The layer's tar, made again from its entries: the same lengths but for odd dialects of
    PAX."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._entries = layer.entries()
        self._ends = list(
            accumulate(_header_size(entry) + (entry.size + 511 & -512) for entry in self._entries)
        )

    @property
    def size(self) -> int:
        return (self._ends[-1] if self._ends else 0) + 1024

    def read(self, start: int, size: int) -> bytes:
        """At most `size` bytes from `start`."""
        end = min(start + size, self.size)
        parts: list[bytes] = []
        position = start
        number = bisect_right(self._ends, start)
        while position < end and number < len(self._entries):
            before = self._ends[number - 1] if number else 0
            part = self._part(number, position - before, min(end, self._ends[number]) - before)
            parts.append(part)
            position += len(part)
            number += 1
        return b"".join((*parts, bytes(end - position)))

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, self.size, 16 * _BLOCK):
            yield self.read(start, 16 * _BLOCK)

    def _part(self, number: int, start: int, end: int) -> bytes:
        """Of one entry's header, with its PAX records, and the padded contents that follow."""
        entry = self._entries[number]
        header = _header_size(entry)
        parts = []
        if start < header:
            parts.append(_header(entry).ljust(header, b"\0")[start:end])
        start, end = max(0, start - header), end - header
        if end > start:
            parts.append(self._contents(entry, start, end - start).ljust(end - start, b"\0"))
        return b"".join(parts)

    def _contents(self, entry: Entry, start: int, size: int) -> bytes:
        if entry.sparse_header >= 0 or start >= entry.size:
            return b""
        return self._layer.read(entry, size, start)


_USTAR = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x")


def _header_size(entry: Entry) -> int:
    """512, and 1024 or more when a name is too long or attributes need a PAX record."""
    if len(entry.path) <= 101 and len(entry.linkname) <= 100 and not entry.xattrs:
        return 512
    records = (
        len(entry.path)
        + len(entry.linkname)
        + sum(len(key) + len(value) + 20 for key, value in entry.xattrs)
    )
    return 1024 + (records + 511 & -512)


def _header(entry: Entry) -> bytes:
    name = entry.path[1:].encode("utf-8", "surrogateescape")
    link = entry.linkname.encode("utf-8", "surrogateescape")
    fields = [b"%07o" % (value & 0o7777777) for value in (entry.mode, entry.uid, entry.gid)]
    size, mtime = (
        b"%011o" % (value & 0o77777777777) for value in (entry.size, entry.mtime // 1_000_000_000)
    )
    kind = _TYPES.get(entry.kind, b"0")
    body = _USTAR.pack(
        name[:100],
        *fields,
        size,
        mtime,
        bytes(8),
        kind,
        link[:100],
        b"ustar\0",
        b"00",
        *_owners(),
        b"",
    )
    checksum = b"%06o\0 " % (sum(body) + 8 * 32)
    body = body[:148] + checksum + body[156:]
    extra = b"".join(_extra(name, link, entry.xattrs)) if _header_size(entry) > 512 else b""
    return body + extra


def _owners() -> tuple[bytes, bytes, bytes, bytes]:
    return b"", b"", b"0000000", b"0000000"


def _extra(name: bytes, link: bytes, xattrs: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    yield b"path=" + name
    yield b"linkpath=" + link
    for key, value in xattrs:
        yield f"SCHILY.xattr.{key}=".encode("utf-8", "surrogateescape") + value
