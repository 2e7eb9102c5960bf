"""What was learned of a layer, kept on disk by diff ID: layers never change, so nothing is computed
twice.

Files live in the user's cache directory (XDG_CACHE_HOME), are written beside and renamed (a kill
leaves the old or the new one, concurrent runs overwrite each other with the same bytes), carry a
format number (another number is no answer), and are dropped by age of use when they outgrow the
bound.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import get_ident

import msgspec

from imgopt.image.entries import KINDS, Entry, LayerIndex

_FORMAT = 1
_BOUND = 1 << 30
"""Bytes of all files together."""
_MAX_FILE = 512 << 20
_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


class _Columns(msgspec.Struct, array_like=True):
    """A layer index by columns: ten times smaller and faster to read than a list of objects."""

    format: int
    tar_bytes: int
    names: bytes
    links: bytes
    kinds: bytes
    numbers: bytes
    checksums: bytes
    xattrs: dict[int, tuple[tuple[str, bytes], ...]]


class Memory:
    """A cache directory; without one (None) nothing is kept. Problems with the disk never stop the
    work."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory

    def get(self, kind: str, key: str) -> bytes | None:
        path = self._path(kind, key)
        if path is None:
            return None
        try:
            if path.stat().st_size > _MAX_FILE:
                return None
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data

    def has(self, kind: str, key: str) -> bool:
        """Whether there is an answer; of another version, it is none yet."""
        path = self._path(kind, key)
        return path is not None and path.exists()

    def keep(self, kind: str, key: str, data: bytes) -> None:
        path = self._path(kind, key)
        if path is None or len(data) > _MAX_FILE:
            return
        temporary = path.with_name(f".new-{os.getpid()}-{get_ident()}-{time.time_ns()}")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(data)
                temporary.replace(path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            self._stay_in_bound()

    def layer_index(self, key: str) -> LayerIndex | None:
        data = self.get("layers", key)
        return None if data is None else _unpack(data)

    def keep_layer_index(self, key: str, index: LayerIndex) -> None:
        if self.directory is not None:
            with suppress(OverflowError):  # numbers that no file system has: not worth keeping
                self.keep("layers", key, _pack(index))

    def _path(self, kind: str, key: str) -> Path | None:
        if self.directory is None:
            return None
        safe = "".join(char if char.isalnum() or char in "-_." else "-" for char in key)
        return self.directory / kind / f"{safe}.{_FORMAT}"

    def _stay_in_bound(self) -> None:
        assert self.directory is not None
        files = []
        for path in self.directory.glob("*/*"):
            with suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= _BOUND:
                return
            with suppress(OSError):
                path.unlink()
                total -= size


def default_memory() -> Memory:
    """In $XDG_CACHE_HOME/imgopt, else ~/.cache/imgopt; IMGOPT_CACHE=off keeps nothing."""
    if os.environ.get("IMGOPT_CACHE") == "off":
        return Memory(None)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return Memory((Path(base) if base else Path.home() / ".cache") / "imgopt")
    except RuntimeError:  # no home directory
        return Memory(None)


def _pack(index: LayerIndex) -> bytes:
    entries = index.entries
    numbers = array("q")
    for entry in entries:
        numbers.extend(
            (
                entry.size,
                entry.mode,
                entry.uid,
                entry.gid,
                entry.mtime,
                entry.offset,
                entry.sparse_header,
            )
        )
    columns = _Columns(
        _FORMAT,
        index.tar_bytes,
        _joined(entry.path for entry in entries),
        _joined(entry.linkname for entry in entries),
        bytes(_KIND_NUMBERS[entry.kind] for entry in entries),
        numbers.tobytes(),
        b"".join(entry.checksum or bytes(8) for entry in entries),
        {number: entry.xattrs for number, entry in enumerate(entries) if entry.xattrs},
    )
    return msgspec.msgpack.encode(columns)


def _unpack(data: bytes) -> LayerIndex | None:
    try:
        columns = msgspec.msgpack.decode(data, type=_Columns)
        if columns.format != _FORMAT:
            return None
        numbers = array("q")
        numbers.frombytes(columns.numbers)
        count = len(columns.kinds)
        names, links = _split(columns.names, count), _split(columns.links, count)
        if (
            not len(names)
            == len(links)
            == len(numbers) // 7
            == len(columns.checksums) // 8
            == count
        ):
            return None
        checks, xattrs, none = columns.checksums, columns.xattrs, bytes(8)
        entries = [
            Entry(
                name,
                KINDS[kind],
                size,
                mode,
                uid,
                gid,
                mtime,
                link,
                offset,
                b"" if (check := checks[8 * i : 8 * i + 8]) == none else check,
                xattrs.get(i, ()),
                sparse,
            )
            for i, (name, kind, link, size, mode, uid, gid, mtime, offset, sparse) in enumerate(
                zip(names, columns.kinds, links, *(numbers[k::7] for k in range(7)), strict=True)
            )
        ]
    except (msgspec.DecodeError, ValueError, IndexError, UnicodeDecodeError):
        return None
    return LayerIndex(entries, columns.tar_bytes)


def _joined(texts: Iterable[str]) -> bytes:
    """NUL never occurs in a path."""
    return "\0".join(texts).encode("utf-8", "surrogateescape")


def _split(data: bytes, count: int) -> list[str]:
    return data.decode("utf-8", "surrogateescape").split("\0") if count else []
