"""Bytes of blobs: regions of files, and the compression that layers come in."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.image.entries import Entry, printable
from imgopt.image.login_records import ADVICE, LOGIN_RECORDS

_CHUNK = 1 << 20
_BOMB_BYTES = 4 << 30
_BOMB_RATIO = 200
"""Refused as a decompression bomb: more than 4 GiB out of less than 1/200 of it (real layers stay
below 1/30). Zeros do not count: the record of logins of one account may be gigabytes of them."""
_MOST_ZEROS = 64 << 30
"""Bytes of zeros that a layer may have besides: they take no space here, but time."""
_ZEROS = bytes(_CHUNK)
_KEEP_FREE = 256 << 20
"""Bytes left free in the temporary directory when layers are unpacked into it."""


class Region:
    """A read-only stretch of a file, mapped into memory; keeps the file open."""

    __slots__ = ("buffer", "end", "start")

    def __init__(self, buffer: mmap.mmap | bytes, start: int, end: int) -> None:
        self.buffer, self.start, self.end = buffer, start, end

    @classmethod
    def of_file(cls, file: BinaryIO) -> Region:
        size = os.fstat(file.fileno()).st_size
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        return cls(buffer, 0, size)

    @classmethod
    def of_path(cls, path: Path) -> Region:
        """Raises OSError as `open` does."""
        with path.open("rb") as file:
            return cls.of_file(file)

    def __len__(self) -> int:
        return self.end - self.start

    def part(self, offset: int, size: int) -> Region:
        """size bytes from offset; raises InputError when the region ends before."""
        if offset < 0 or size < 0 or offset + size > len(self):
            raise InputError("the file is cut off", hint="save or export the image again")
        return Region(self.buffer, self.start + offset, self.start + offset + size)

    def head(self, size: int) -> bytes:
        return bytes(self.buffer[self.start : min(self.start + size, self.end)])

    def bytes(self, limit: int) -> bytes:
        """The whole region; raises InputError when it is larger than `limit` bytes."""
        if len(self) > limit:
            raise InputError(f"a blob of {len(self)} bytes where at most {limit} are expected")
        return self.head(len(self))

    def file(self) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(RegionFile(self)))


class RegionFile(io.RawIOBase):
    """A seekable file over a region."""

    def __init__(self, region: Region) -> None:
        super().__init__()
        self._region, self._position = region, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        start = self._region.start + self._position
        data = self._region.buffer[start : min(start + len(view), self._region.end)]
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self._region)}[whence]
        self._position = max(0, base + offset)
        return self._position


def compression(head: bytes) -> str:
    """By the first bytes, never by name or media type: "gzip", "zstd", "xz", "bzip2" or "" for
    none."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head[:4] == b"\x28\xb5\x2f\xfd" or (
        head[1:4] == b"\x2a\x4d\x18" and head[:1] and head[0] & 0xF0 == 0x50
    ):
        return "zstd"
    if head[:6] == b"\xfd7zXZ\0":
        return "xz"
    return "bzip2" if head[:3] == b"BZh" else ""


def decompressed(file: BinaryIO, kind: str) -> BinaryIO:
    """A stream of the contents; several gzip members, zstd frames or xz streams in a row are read
    as one."""
    if kind == "gzip":
        import gzip

        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if kind == "zstd":
        import zstandard

        return cast(
            BinaryIO, zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        )
    if kind == "xz":
        import lzma

        return cast(BinaryIO, lzma.LZMAFile(file))
    import bz2

    return cast(BinaryIO, bz2.BZ2File(file))


def unpack(blob: Region, diff_id: str | None, what: str) -> Region:
    """The uncompressed layer as a region of an unnamed temporary file; checked against its diff ID.

    Raises InputError for damage, another digest or a decompression bomb, EnvironmentFailure when
    the disk is full.
    """
    import lzma

    spool = _Spool(len(blob), what)
    try:
        stream = decompressed(blob.file(), compression(blob.head(8)))
        while chunk := stream.read(_CHUNK):
            spool.add(chunk)
        region = spool.region()
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise _unpack_error(error, what) from None
    except Exception as error:
        if (
            type(error).__module__.partition(".")[0] != "zstandard"
            and "zstd" not in type(error).__name__.lower()
        ):
            raise
        raise _unpack_error(error, what) from None
    check_digest(spool.digest, diff_id, what)
    return region


class _Spool:
    """An unnamed temporary file that a layer is unpacked into; zeros become holes."""

    def __init__(self, packed: int, what: str) -> None:
        import tempfile

        self._file = tempfile.TemporaryFile(prefix="imgopt-layer-")  # noqa: SIM115 - lives as long as the mapping
        self._packed, self._what = packed, what
        self._limit = max(_BOMB_BYTES, _BOMB_RATIO * packed)
        self._digest = hashlib.sha256()
        self._stored = self._zeros = 0

    def add(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        if chunk == _ZEROS[: len(chunk)]:
            self._zeros += len(chunk)
            self._file.seek(len(chunk), os.SEEK_CUR)
        else:
            self._stored += len(chunk)
            _need_space(self._stored, self._what)
            self._file.write(chunk)
        if self._stored > self._limit or self._zeros > _MOST_ZEROS:
            raise self._refusal()

    def region(self) -> Region:
        self._file.truncate(self._stored + self._zeros)
        self._file.flush()
        return Region.of_file(cast(BinaryIO, self._file))

    @property
    def digest(self) -> str:
        return f"sha256:{self._digest.hexdigest()}"

    def _refusal(self) -> InputError:
        """With the file that it is about, as far as the layer was read."""
        largest = max(
            _entries_of(self.region()), key=lambda entry: entry.size, default=Entry("", "file")
        )
        limit = self._limit if self._stored > self._limit else _MOST_ZEROS
        what = f"{self._what} unpacks to more than {limit} bytes from {self._packed}"
        file = f"; {printable(largest.path)} alone has {largest.size}" if largest.size else ""
        return InputError(
            f"{what}: refused as a bomb{file}",
            hint=ADVICE if largest.path in LOGIN_RECORDS else None,
        )


def _entries_of(region: Region) -> list[Entry]:
    from imgopt.image.tar import entries_so_far

    with memoryview(region.buffer) as view:
        return entries_so_far(view)


def check_digest(found: str, wanted: str | None, what: str) -> None:
    if wanted is not None and wanted.startswith("sha256:") and found != wanted:
        raise InputError(
            f"{what} does not match its digest: {found} instead of {wanted}",
            hint="the image is damaged or was tampered with: fetch or save it again",
        )


def sha256(region: Region) -> str:
    """The digest of a region, in pieces, so that other threads can work."""
    digest = hashlib.sha256()
    step = 16 * _CHUNK
    with memoryview(region.buffer) as view:
        for start in range(region.start, region.end, step):
            digest.update(view[start : min(start + step, region.end)])
            if isinstance(region.buffer, mmap.mmap):  # or all of the file counts as our memory
                first = start & -mmap.PAGESIZE
                region.buffer.madvise(
                    mmap.MADV_DONTNEED, first, min(step, len(region.buffer) - first)
                )
    return f"sha256:{digest.hexdigest()}"


def _need_space(total: int, what: str) -> None:
    if total % (64 * _CHUNK) >= _CHUNK:
        return
    import shutil
    import tempfile

    directory = tempfile.gettempdir()
    with suppress(OSError):
        if shutil.disk_usage(directory).free < _KEEP_FREE:
            raise EnvironmentFailure(
                f"no space to unpack {what} in {directory}",
                hint="free some space, or set TMPDIR to a larger disk",
            )


def _unpack_error(error: Exception, what: str) -> InputError | EnvironmentFailure:
    if isinstance(error, OSError) and error.errno == 28:
        return EnvironmentFailure(f"no space to unpack {what}", hint="set TMPDIR to a larger disk")
    return InputError(
        f"{what} cannot be unpacked: {error}", hint="is the file complete? save the image again"
    )
