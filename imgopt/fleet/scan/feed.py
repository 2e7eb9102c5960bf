"""A blob as a stream: its bytes are counted, hashed and unpacked as they come, and kept nowhere."""

from __future__ import annotations

import hashlib
import io
import lzma
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from imgopt.fleet.scan.facts import Trouble
from imgopt.image.blobs import compression, decompressed

PIECE = 1 << 18
_UNPACKED = 1 << 20
"""Bytes that one step of unpacking gives at most."""
_MOST_TAR = 64 << 30
"""A layer that unpacks to more is refused: it would take minutes, and no node could hold it."""
_SAMPLE, _EVERY = 1 << 20, 16 << 20
"""Of so many bytes of a layer, so many are compressed by zstd."""


class BlobTrouble(Exception):
    """A blob cannot be read; `trouble` says of which kind it is."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble, self.message = trouble, message


class Wire:
    """The bytes of a blob as they come; counts and hashes them. More than are stated are
    refused."""

    def __init__(self, pieces: Iterable[bytes], stated: int | None) -> None:
        self._pieces, self._stated = iter(pieces), stated
        self._hash = hashlib.sha256()
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.bytes += len(piece)
            if self._stated is not None and self.bytes > self._stated:
                raise BlobTrouble(
                    "length", f"more bytes come than the {self._stated} that are stated"
                )
            self._hash.update(piece)
            yield piece

    def finish(self, digest: str) -> None:
        """Reads what is left; raises BlobTrouble where all of it is not what was promised."""
        for _ in self:
            pass
        if self._stated is not None and self.bytes != self._stated:
            raise BlobTrouble("length", f"{self.bytes} bytes come, but {self._stated} are stated")
        found = f"sha256:{self._hash.hexdigest()}"
        if digest.startswith("sha256:") and found != digest:
            raise BlobTrouble("digest", f"its contents have the digest {found}")


class Feed:
    """The uncompressed layer, in pieces of the length that is asked for."""

    def __init__(self, wire: Iterable[bytes]) -> None:
        pieces = iter(wire)
        head = next(pieces, b"")
        while len(head) < 8 and (more := next(pieces, b"")):
            head += more
        self.codec = compression(head) or "none"
        self._chunks = _unpacked(_joined(head, pieces), self.codec)
        self._hash = hashlib.sha256()
        self._rest = memoryview(b"")
        self._ends_in_zeros = False
        self._sampler = _Sampler() if self.codec not in ("none", "zstd") else None
        self.bytes = 0
        """Unpacked so far."""

    @property
    def diff_id(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    @property
    def zstd_bytes(self) -> int | None:
        return self._sampler.estimate(self.bytes) if self._sampler is not None else None

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes, or fewer at the end."""
        first = self.some(size)
        if len(first) == size or not first:
            return bytes(first)
        parts, missing = [bytes(first)], size - len(first)
        while missing and (part := self.some(missing)):
            parts.append(bytes(part))
            missing -= len(part)
        return b"".join(parts)

    def some(self, most: int) -> memoryview:
        """At least one byte and at most `most`; none at the end."""
        if not self._rest and most:
            self._rest = memoryview(next(self._chunks, b""))
            self._note(self._rest)
        part, self._rest = self._rest[:most], self._rest[most:]
        return part

    def drain(self) -> None:
        """Reads what is left; raises BlobTrouble where it is not all there. zstd says nothing of a
        frame that is cut, so there the archive's own end has to be seen."""
        while self.some(_UNPACKED):
            pass
        if self.codec == "zstd" and not self._ends_in_zeros:
            raise BlobTrouble("cut", "it ends in the middle of its compressed contents")

    def _note(self, chunk: memoryview) -> None:
        self._hash.update(chunk)
        if chunk:
            self._ends_in_zeros = not any(chunk[-512:])
        if self._sampler is not None:
            self._sampler.see(chunk, self.bytes)
        self.bytes += len(chunk)
        if self.bytes > _MOST_TAR:
            raise BlobTrouble("bomb", f"it unpacks to more than {_MOST_TAR} bytes")


class _Sampler:
    """The first MiB of every 16, each compressed by itself: a little more than the whole would
    need."""

    def __init__(self) -> None:
        import zstandard

        self._compressor = zstandard.ZstdCompressor(level=3)
        self._wanted, self._part = 0, bytearray()
        self._sampled = self._packed = 0

    def see(self, chunk: memoryview, start: int) -> None:
        skip = max(0, self._wanted - start)
        if skip >= len(chunk):
            return
        self._part += chunk[skip : skip + _SAMPLE - len(self._part)]
        if len(self._part) == _SAMPLE:
            self._pack()
            self._wanted += _EVERY
        else:
            self._wanted = start + len(chunk)

    def _pack(self) -> None:
        self._sampled += len(self._part)
        self._packed += len(self._compressor.compress(bytes(self._part)))
        self._part.clear()

    def estimate(self, total: int) -> int | None:
        if self._part:
            self._pack()
        return round(self._packed / self._sampled * total) if self._sampled else None


def _joined(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from pieces


def _unpacked(pieces: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Raises BlobTrouble for damage."""
    try:
        if codec == "none":
            yield from pieces
        elif codec == "gzip":
            yield from _inflated(pieces)
        else:
            stream = decompressed(cast(BinaryIO, io.BufferedReader(_Pieces(pieces), PIECE)), codec)
            while chunk := stream.read(_UNPACKED):
                yield chunk
    except (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
        raise BlobTrouble("format", f"it cannot be unpacked: {error}") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise BlobTrouble("format", f"it cannot be unpacked: {error}") from None


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Several members in a row are one stream; zeros may follow them."""
    member, begun = zlib.decompressobj(31), False
    for piece in pieces:
        while piece:
            if member.eof:
                piece = piece.lstrip(b"\0")
                if not piece:
                    break
                member = zlib.decompressobj(31)
            begun = True
            data = member.decompress(piece, _UNPACKED)
            if data:
                yield data
            piece = member.unused_data if member.eof else member.unconsumed_tail
    data = member.flush()
    if data:
        yield data
    if begun and not member.eof:
        raise BlobTrouble("cut", "it ends in the middle of its compressed contents")


class _Pieces(io.RawIOBase):
    """A file over an iterator."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = cast(memoryview, target)
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        part = self._rest[: len(view)]
        view[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)
