"""Where the entries and the files of one layer come from; one class per way to store a layer."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Protocol, cast

from imgopt.errors import InputError
from imgopt.image.blobs import Region, check_digest, compression, sha256, unpack
from imgopt.image.entries import Entry, LayerIndex
from imgopt.image.tar import read_entries

_AT_ONCE = 1 << 20
"""Bytes that one read of a file system gives for sure."""


class Contents(Protocol):
    """What a source gives for each layer; all methods may be called from several threads.

    `flavour` names what its index knows beyond paths ("tar": offsets, "split": checksums), so that
    what one source learned of a layer is not taken for what another needs.
    """

    flavour: str
    index_bytes: int
    """What index() has to read, where that is known without reading it; else 0."""

    def index(self) -> LayerIndex:
        """Reads all headers. Raises InputError for a damaged layer."""

    def open(self, entry: Entry) -> BinaryIO:
        """The contents of a regular file of this layer, seekable."""

    def read(self, entry: Entry, start: int, size: int) -> bytes:
        """`size` bytes of a regular file from `start`, fewer at its end, or all (-1): quicker than
        to open it."""


def already(region: Region) -> Callable[[], Region]:
    """A blob that is there."""
    return lambda: region


class TarContents:
    """A layer blob as a region, plain or compressed; fetched and unpacked when it is first
    needed."""

    flavour = "tar"
    index_bytes = 0

    def __init__(self, blob: Callable[[], Region], diff_id: str | None, what: str) -> None:
        self._blob, self._diff_id, self._what = blob, diff_id, what
        self._lock = Lock()
        self._tar: Region | None = None

    def index(self) -> LayerIndex:
        tar = self._unpacked(verify=True)
        entries = read_entries(tar.buffer, tar.start, tar.end, what=self._what)
        return LayerIndex(entries, len(tar))

    def open(self, entry: Entry) -> BinaryIO:
        tar = self._unpacked(verify=False)
        if entry.sparse_header >= 0:
            return _open_sparse(
                tar.part(entry.sparse_header, len(tar) - entry.sparse_header), self._what
            )
        return tar.part(entry.offset, entry.size).file()

    def read(self, entry: Entry, start: int, size: int) -> bytes:
        if entry.sparse_header >= 0:
            return _read_opened(self, entry, start, size)
        tar = self._unpacked(verify=False)
        size = _within(entry, start, size)
        return tar.part(entry.offset, entry.size).part(start, size).head(size)

    def _unpacked(self, *, verify: bool) -> Region:
        with self._lock:
            if self._tar is None:
                blob = self._blob()
                if compression(blob.head(8)):
                    self._tar = unpack(blob, self._diff_id, self._what)
                else:
                    if verify and self._diff_id is not None:
                        check_digest(sha256(blob), self._diff_id, self._what)
                    self._tar = blob
            return self._tar


class DirectoryContents:
    """A layer that an engine keeps as a directory (overlay2), with the headers of its tar beside
    it."""

    flavour = "split"

    def __init__(
        self, directory: Path, read_index: Callable[[], LayerIndex], index_bytes: int
    ) -> None:
        self._directory, self.index_bytes = directory, index_bytes
        self._read_index = read_index
        self._safe: dict[str, bool] = {"": True}

    def index(self) -> LayerIndex:
        return self._read_index()

    def open(self, entry: Entry) -> BinaryIO:
        return os.fdopen(self._handle(entry), "rb")

    def read(self, entry: Entry, start: int, size: int) -> bytes:
        if entry.sparse_header >= 0 or (size := _within(entry, start, size)) > _AT_ONCE:
            return _read_opened(self, entry, start, size)
        handle = self._handle(entry)
        try:
            return os.pread(handle, size, start)
        finally:
            os.close(handle)

    def _handle(self, entry: Entry) -> int:
        if not self._is_real_directory(entry.path.rpartition("/")[0]):
            raise InputError(f"the engine's store has no file {entry.path} in {self._directory}")
        try:  # never through a link of the image into the host
            return os.open(
                f"{self._directory}{entry.path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except OSError as error:
            raise InputError(f"the engine's store lacks {entry.path}: {error.strerror}") from None

    def _is_real_directory(self, path: str) -> bool:
        """True when no component of the path is a link: links of the image must not lead into the
        host."""
        known = self._safe.get(path)
        if known is None:
            full = f"{self._directory}{path}"
            known = self._is_real_directory(path.rpartition("/")[0]) and stat.S_ISDIR(_mode(full))
            self._safe[path] = known
        return known


class MissingContents:
    """A layer whose blob is elsewhere (foreign layers): no entries, size unknown."""

    flavour = "none"
    index_bytes = 0

    def index(self) -> LayerIndex:
        return LayerIndex([], 0)

    def open(self, entry: Entry) -> BinaryIO:
        raise InputError(f"the layer with {entry.path} is not in this image (a foreign layer)")

    def read(self, entry: Entry, start: int, size: int) -> bytes:
        del start, size
        raise InputError(f"the layer with {entry.path} is not in this image (a foreign layer)")


def _within(entry: Entry, start: int, size: int) -> int:
    rest = max(0, entry.size - start)
    return min(size, rest) if size >= 0 else rest


def _read_opened(contents: Contents, entry: Entry, start: int, size: int) -> bytes:
    with contents.open(entry) as file:
        file.seek(start)
        return file.read(size)


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _open_sparse(region: Region, what: str) -> BinaryIO:
    """Expanded as tarfile expands it; the map of a sparse file is not worth a second
    implementation."""
    import tarfile

    try:
        with tarfile.open(fileobj=region.file(), mode="r:") as archive:
            member = archive.next()
            extracted = archive.extractfile(member) if member is not None else None
    except (tarfile.TarError, OSError, ValueError) as error:
        raise InputError(f"{what} has a sparse file that cannot be read: {error}") from None
    if extracted is None:
        raise InputError(f"{what} has a sparse file that cannot be read")
    return cast(BinaryIO, extracted)
