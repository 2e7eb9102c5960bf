"""What reading one blob tells: sums for the findings, and rows for each of its entries."""

from __future__ import annotations

from typing import Literal

import msgspec

ANALYZER = 1
"""Raised when the same blob would give other rows: everything is then read again."""
Status = Literal["read", "damaged", "unreached"]
Trouble = Literal["", "digest", "length", "cut", "format", "bomb", "killed", "unreached"]
"""Why a blob was not read. What was not reached is asked for again by the next scan; the others are
as they are for as long as their digest is the same."""


class Keys(msgspec.Struct, frozen=True, array_like=True):
    """Digests of what a layer holds; layers that agree in one of them hold the same in that
    respect."""

    contents: str
    """Paths with their contents and link targets, without what a build leaves of itself
    (`STATE`)."""
    state: str
    """The same of what is left out there."""
    owners: str
    """Modes and owners, by path."""
    times: str
    order: str
    """Paths as they follow each other in the archive."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Of one blob. Sizes are bytes."""

    digest: str
    status: Status
    trouble: Trouble = ""
    problem: str = ""
    """For people; of a blob that was read, what is odd about it nevertheless."""
    codec: str = ""
    wire_bytes: int = 0
    """That were read, also of a blob that is damaged."""
    tar_bytes: int = 0
    payload_bytes: int = 0
    entries: int = 0
    files: int = 0
    diff_id: str = ""
    zstd_bytes: int | None = None
    """What zstd would need, where the blob is compressed by something else: from a sample."""
    keys: Keys | None = None
    core_bytes: int = 0
    """Of the files that `Keys.contents` speaks of."""
    system: str = ""
    """ "debian 12", where the layer says which distribution it is."""
    packages: tuple[str, ...] = ()
    """ "deb:libc6": what the layer's own databases say is installed."""
    seconds: float = 0.0
    rows: bytes = b""
    """`Rows`, packed."""

    def without_rows(self) -> Facts:
        return msgspec.structs.replace(self, rows=b"")


class Rows(msgspec.Struct, array_like=True):
    """Columns, one value for each entry in the order of the archive."""

    path: list[str]
    kind: list[str]
    size: list[int]
    mode: list[int]
    uid: list[int]
    gid: list[int]
    mtime: list[int]
    """Nanoseconds."""
    link: list[str]
    digest: list[str | None]
    """ "sha256:…" of the contents of a regular file."""
    junk: list[str | None]
    """What it is by its path, where that is known to be rarely needed."""
    package: list[str | None]


def pack(rows: Rows) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(rows))


def unpack(data: bytes) -> Rows:
    import zstandard

    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(data), type=Rows)


class RemoteBlob(msgspec.Struct, frozen=True, tag="remote"):
    host: str
    repository: str


class FileBlob(msgspec.Struct, frozen=True, tag="file"):
    """A stretch of a file of this machine."""

    path: str
    start: int
    size: int


class EngineLayer(msgspec.Struct, frozen=True, tag="engine"):
    """A layer of an image that the engine holds."""

    reference: str


Where = RemoteBlob | FileBlob | EngineLayer


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One blob to read."""

    digest: str
    where: Where
    wire_bytes: int | None = None
    """As the manifest states it."""
    diff_id: str = ""
    gain: int = 0
    """What knowing it is worth: bytes by images by pulls."""
