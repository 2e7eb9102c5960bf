"""Reads the headers of a layer's tar: about a million entries per second where Python's tarfile
reads 60,000.

Formats: v7, ustar, GNU (long names, base-256 numbers, sparse), PAX (also global headers). The rules
are those of Go's archive/tar, which engines use: links, directories and devices have no contents
whatever their size field says.
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice, repeat

from imgopt.errors import InputError
from imgopt.image.aufs import OWN, without_bookkeeping
from imgopt.image.entries import Entry, Kind
from imgopt.image.tar_fields import (
    BLOCK,
    nanoseconds,
    padded,
    pax_records,
    sum_holds,
    ustar_name,
    xattrs_of,
)

Buffer = bytes | mmap.mmap | memoryview

_HEADER = struct.Struct("100s24s12s12s8s1s100s6s82x155s12x")
"""Name; mode, owner and group; size; mtime; checksum; type; link; magic; prefix of the name."""
MAX_SPECIAL = 1 << 20
"""Bytes of a PAX or long-name record; the same bound as Go's archive/tar."""
MAX_ENTRIES = 5_000_000
"""Of one layer; an engine needs hours for as many."""
_MAX_PATH = 4096
"""Linux' PATH_MAX: no engine can unpack a longer path."""

_KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"S": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "char",
    b"4": "block",
    b"5": "dir",
    b"6": "fifo",
}
_PLAIN: dict[bytes, Kind] = {b"0": "file", b"5": "dir", b"2": "symlink", b"1": "hardlink"}
_KEPT_PAGES = 8 << 20
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


def read_entries(buffer: Buffer, start: int, end: int, *, what: str = "layer") -> list[Entry]:
    """The entries of the tar at buffer[start:end]; offsets count from `start`.

    Raises InputError for what is not a tar, is cut off, or names a path outside of the root.
    """
    reader = Reader(buffer, start, end, what)
    return _bounded(reader, reader.entries())


def entries_so_far(buffer: memoryview) -> list[Entry]:
    """The entries of the beginning of a tar, with the one that goes beyond it."""
    reader = Reader(buffer, 0, sys.maxsize, "the layer")
    found: list[Entry] = []
    with suppress(InputError, struct.error):
        found.extend(islice(reader.entries(), MAX_ENTRIES))
    return found


def read_headers(pieces: Iterable[tuple[bytes, list[bytes]]], what: str) -> list[Entry]:
    """The entries of a tar whose files' contents are elsewhere (the engine's tar-split).

    It comes in pieces, each of them cut behind an entry's header, with the checksums of its files
    that have contents. Raises InputError as read_entries.
    """
    reader = Reader(b"", 0, 0, what, elided=True)
    return _bounded(reader, (entry for piece in pieces for entry in reader.continued(*piece)))


def _bounded(reader: Reader, entries: Iterator[Entry]) -> list[Entry]:
    found = list(islice(entries, MAX_ENTRIES + 1))
    if len(found) > MAX_ENTRIES:
        raise InputError(f"{reader.what} has more than {MAX_ENTRIES} entries: refused")
    return list(without_bookkeeping(found)) if reader.has_bookkeeping else found


class Reader:
    def __init__(
        self, buffer: Buffer, start: int, end: int, what: str, *, elided: bool = False
    ) -> None:
        self.buffer, self.start, self.end, self.what, self.elided = buffer, start, end, what, elided
        self.checksums: Iterator[bytes] = repeat(b"")
        self.position = start
        self.ended = False
        self.pax: dict[str, bytes] = {}
        self.pax_globals: dict[str, bytes] = {}
        self.special_start = -1
        self.numbers: dict[bytes, int] = {}
        self.owners: dict[bytes, tuple[int, int, int]] = {}
        self.times: dict[bytes, int] = {}
        self.directories: dict[str, str] = {}
        self.has_bookkeeping = False
        """AUFS' own files are among the entries."""

    def continued(self, headers: bytes, checksums: list[bytes]) -> Iterator[Entry]:
        """The entries of the next piece; the padding of the last one's contents may reach into
        it."""
        self.position = max(0, self.position - self.end)
        self.buffer, self.end = headers, len(headers)
        self.checksums = chain(checksums, repeat(b""))
        return iter(()) if self.ended else self.entries()

    def entries(self) -> Iterator[Entry]:
        unpack = _HEADER.unpack_from
        dropped = self.start
        while self.position < self.end:
            if self.position - dropped > _KEPT_PAGES:
                dropped = self._drop_pages(dropped)
            if self.position + BLOCK > self.end:
                raise self._error("cut off in a header")
            fields = unpack(self.buffer, self.position)
            if fields[0][:1] == b"\0" and not any(
                self.buffer[self.position : self.position + BLOCK]
            ):
                self.ended = True
                return
            if not self.elided:
                self._check()
            if fields[5] in _PLAIN and self.special_start < 0 and not self.pax_globals:
                entry = self._plain(fields)
            else:
                entry = self._read(fields)
            if entry is not None:
                yield entry

    def _drop_pages(self, start: int) -> int:
        """What was read of a mapped file does not stay in memory; returns where the kept part
        starts."""
        first = start & -mmap.PAGESIZE
        length = (self.position - first) & -mmap.PAGESIZE
        if isinstance(self.buffer, mmap.mmap):
            self.buffer.madvise(mmap.MADV_DONTNEED, first, length)
        return first + length

    def _plain(self, fields: tuple[bytes, ...]) -> Entry | None:
        """As `_read` for entries without records of their own, which nearly all are: several times
        faster."""
        name, owner, size, mtime, _, typeflag, link, magic, prefix = fields
        kind, linkname, checksum = _PLAIN[typeflag], "", b""
        raw = name.partition(b"\0")[0]
        if prefix[0] and magic == b"ustar\0":
            raw = prefix.partition(b"\0")[0] + b"/" + raw
        self.position += BLOCK
        offset, stored = self.position - self.start, 0
        if kind == "file":
            stored = self._number(size)
            if stored:
                self._skip(stored)
                checksum = next(self.checksums)
        path = self._clean(raw)
        base = path[path.rfind("/") + 1 :]
        if not base and kind != "dir":
            raise self._error(f"has a {kind} in place of the root")
        if base.startswith(_WHITEOUT):
            return self._whiteout(path[: -len(base) - 1], base)
        if kind == "symlink":
            linkname = link.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        elif kind == "hardlink":
            linkname = self._clean(link.partition(b"\0")[0])
        mode, uid, gid = self.owners.get(owner) or self._owner(owner)
        time = self._seconds(mtime)
        return Entry(
            path,
            kind,
            stored,
            mode,
            uid,
            gid,
            time,
            linkname,
            -1 if self.elided else offset,
            checksum,
            (),
            -1,
        )

    def _owner(self, field: bytes) -> tuple[int, int, int]:
        """Mode, user and group; a handful of combinations makes up an image."""
        number = self._number
        known = self.owners[field] = (
            number(field[:8]) & 0o7777,
            number(field[8:16]),
            number(field[16:]),
        )
        return known

    def _read(self, fields: tuple[bytes, ...]) -> Entry | None:
        typeflag = fields[5]
        header = self.position
        self.position += BLOCK
        if typeflag in b"xgLK":
            if self.special_start < 0:
                self.special_start = header
            self._special(typeflag, self._number(fields[2]))
            return None
        kind = _KINDS.get(typeflag)
        first_header = self.special_start if self.special_start >= 0 else header
        self.special_start = -1
        pax, self.pax = {**self.pax_globals, **self.pax} if self.pax_globals else self.pax, {}
        name = pax["path"] if "path" in pax else ustar_name(fields)
        if typeflag == b"\0" and name.endswith(b"/"):  # as archives before ustar write directories
            kind = "dir"
        size = self._pax_number(pax, "size", self._number(fields[2]))
        stored = size if kind in ("file", None) else 0
        sparse = first_header - self.start if typeflag == b"S" or "GNU.sparse.major" in pax else -1
        if sparse >= 0:
            name = pax.get("GNU.sparse.name", name)
            if typeflag == b"S":
                self._skip_sparse_map(header)
        offset = self.position - self.start
        self._skip(stored)
        checksum = next(self.checksums) if kind is not None and stored else b""
        if kind is None:
            return None
        return self._entry(
            name, kind, stored, fields, pax, -1 if self.elided else offset, checksum, sparse
        )

    def _entry(
        self,
        raw_name: bytes,
        kind: Kind,
        stored: int,
        fields: tuple[bytes, ...],
        pax: dict[str, bytes],
        offset: int,
        checksum: bytes,
        sparse: int,
    ) -> Entry | None:
        path = self._clean(raw_name)
        directory, _, base = path.rpartition("/")
        if not base and kind != "dir":
            raise self._error(f"has a {kind} in place of the root")
        if base.startswith(_WHITEOUT):
            return self._whiteout(directory, base)
        linkname = ""
        if kind in ("symlink", "hardlink"):
            raw = pax["linkpath"] if "linkpath" in pax else fields[6].partition(b"\0")[0]
            linkname = (
                self._clean(raw) if kind == "hardlink" else raw.decode("utf-8", "surrogateescape")
            )
        mtime = nanoseconds(pax["mtime"]) if "mtime" in pax else self._seconds(fields[3])
        mode, uid, gid = self.owners.get(fields[1]) or self._owner(fields[1])
        return Entry(
            path,
            kind,
            stored,
            mode,
            self._pax_number(pax, "uid", uid),
            self._pax_number(pax, "gid", gid),
            mtime,
            linkname,
            offset,
            checksum,
            xattrs_of(pax) if pax else (),
            sparse,
        )

    def _whiteout(self, directory: str, base: str) -> Entry | None:
        if base == _OPAQUE:
            return Entry(directory or "/", "opaque")
        name = base[len(_WHITEOUT) :]
        if name.startswith(".wh.") or name in ("", ".", ".."):
            return None  # AUFS' own bookkeeping (.wh..wh.plnk), or invalid by the specification
        return Entry(f"{directory}/{name}", "whiteout")

    def _clean(self, raw: bytes) -> str:
        """The absolute clean path; the directory part is looked up, since neighbours share it."""
        name = raw.decode("utf-8", "surrogateescape")
        if len(raw) > _MAX_PATH:
            raise self._error(
                f"has a path of {len(raw)} bytes; the longest that Linux takes is {_MAX_PATH}"
            )
        directory, _, base = name.rstrip("/").rpartition("/")
        if base in ("", ".", ".."):
            return self._clean_slowly(name) or "/"
        known = self.directories.get(directory)
        if known is None:
            known = self.directories[directory] = self._clean_slowly(directory)
            self.has_bookkeeping |= known.startswith(OWN)
        return f"{known}/{base}"

    def _clean_slowly(self, name: str) -> str:
        parts: list[str] = []
        for part in name.split("/"):
            if part == "..":
                if not parts:
                    raise self._error(f"has a path outside of the root: {name!r}")
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "".join(f"/{part}" for part in parts)

    def _special(self, typeflag: bytes, size: int) -> None:
        if size > MAX_SPECIAL:
            raise self._error(
                f"has a header record of {size} bytes; at most {MAX_SPECIAL} are allowed"
            )
        data = bytes(self.buffer[self.position : self.position + size])
        if len(data) < size:
            raise self._error("cut off in a header record")
        self.position += padded(size)
        if typeflag == b"L":
            self.pax.setdefault("path", data.partition(b"\0")[0])
        elif typeflag == b"K":
            self.pax.setdefault("linkpath", data.partition(b"\0")[0])
        else:
            try:
                records = dict(pax_records(data))
            except ValueError as error:
                raise self._error(str(error)) from None
            if any(
                b"\0" in records.get(key, b"") for key in ("path", "linkpath", "GNU.sparse.name")
            ):
                raise self._error("has a path with a NUL byte")
            (self.pax_globals if typeflag == b"g" else self.pax).update(records)

    def _skip(self, stored: int) -> None:
        self.position += padded(stored) - stored if self.elided else padded(stored)
        if self.position - (padded(stored) - stored) > self.end:
            raise self._error("cut off in the contents of a file")

    def _skip_sparse_map(self, header: int) -> None:
        """Old GNU sparse files carry further blocks of their map between header and contents."""
        extended = self.buffer[header + 482]
        while extended:
            block = bytes(self.buffer[self.position : self.position + BLOCK])
            if len(block) < BLOCK:
                raise self._error("cut off in the map of a sparse file")
            extended = block[504]
            self.position += BLOCK

    def _pax_number(self, pax: dict[str, bytes], key: str, otherwise: int) -> int:
        value = pax.get(key)
        if value is None:
            return otherwise
        if not value.isdigit() or len(value) > 18:
            raise self._error(f"has a {key} that is no number: {value[:40]!r}")
        return int(value)

    def _number(self, field: bytes) -> int:
        """Octal, or GNU's base-256 when the first bit is set. Fields repeat a lot, so answers are
        kept."""
        known = self.numbers.get(field)
        if known is not None:
            return known
        if field[0] & 0x80:
            value = (
                int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
                if field[0] == 0x80
                else 0
            )
        else:
            digits = field.strip(b" \0").partition(b"\0")[0]
            try:
                value = int(digits, 8) if digits else 0
            except ValueError:
                raise self._error(f"has a damaged header: {field!r} is no number") from None
        if len(self.numbers) < 100_000:
            self.numbers[field] = value
        return value

    def _seconds(self, field: bytes) -> int:
        """As nanoseconds; one object for all files of one second."""
        known = self.times.get(field)
        if known is None:
            known = self.times[field] = self._number(field) * 1_000_000_000
        return known

    def _check(self) -> None:
        if not sum_holds(bytes(self.buffer[self.position : self.position + BLOCK])):
            raise self._error("is not a tar, or damaged (header checksum)")

    def _error(self, problem: str) -> InputError:
        return InputError(
            f"{self.what} {problem} (at byte {self.position - self.start})",
            hint="is the file complete? save or export the image again",
        )
