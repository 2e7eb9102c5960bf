"""RPM packages: the header of each is a blob, kept in sqlite (rpmdb.sqlite) or in ndb
(Packages.db).

Header format: RPM's "Package File Format", a count of index entries and of data bytes, the entries
(tag, type, offset, count; big endian), the data. Old Berkeley DB databases are not
read: `unreadable` says that they are there. No library
on PyPI reads these databases without librpm, so SQLite reads the one and we the other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.image.packages.model import Found, Paths
from imgopt.image.tree import Node

if TYPE_CHECKING:
    import sqlite3

_BERKELEY = "RPM's in Berkeley DB, as of CentOS 7 and Amazon Linux 2"
_DIRECTORIES = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_PROVIDES, _REQUIRES, _DIRINDEXES, _BASENAMES, _DIRNAMES = 1047, 1049, 1116, 1117, 1118
_STRING, _ARRAY, _I18N, _INT32 = 6, 8, 9, 4
_MAX = 512 << 20
_ENTRY = struct.Struct(">IIII")

Header = dict[int, tuple[str, ...] | tuple[int, ...]]


def find(paths: Paths) -> Iterator[Found]:
    for directory in _DIRECTORIES:
        for name, read in (("rpmdb.sqlite", _sqlite), ("Packages.db", _ndb)):
            node = paths.get(f"{directory}/{name}")
            if node is not None and node.inode is not None:
                for blob in read(node):
                    header = read_header(blob)
                    if header.get(_NAME):
                        yield _package(paths, node, header)
                return


def unreadable(paths: Paths) -> Iterator[tuple[Node, str]]:
    """Databases that are there and give nothing, but for those that are empty, and whose they
    are."""
    for directory in _DIRECTORIES:
        for name, what, is_sound in (
            ("Packages", _BERKELEY, None),
            ("rpmdb.sqlite", "RPM's in SQLite, and damaged", _is_sqlite),
            ("Packages.db", "RPM's own format (ndb), and damaged", _is_ndb),
        ):
            node = paths.get(f"{directory}/{name}")
            if node is not None and node.size and (is_sound is None or not is_sound(node)):
                yield node, what


def _package(paths: Paths, node: Node, header: Header) -> Found:
    def text(tag: int) -> str:
        return str(header.get(tag, ("",))[0])

    epoch = header.get(_EPOCH)
    version = f"{text(_VERSION)}-{text(_RELEASE)}"
    return Found(
        ecosystem="rpm",
        name=text(_NAME),
        version=f"{epoch[0]}:{version}" if epoch else version,
        metadata=node,
        claims=paths.files(_files(header)),
        architecture=text(_ARCH),
        depends=tuple(
            (str(name),)
            for name in header.get(_REQUIRES, ())
            if not str(name).startswith("rpmlib(")
        ),
        provides=tuple(str(name) for name in header.get(_PROVIDES, ())),
    )


def _files(header: Header) -> Iterator[str]:
    directories = header.get(_DIRNAMES, ())
    for base, index in zip(header.get(_BASENAMES, ()), header.get(_DIRINDEXES, ()), strict=False):
        if isinstance(index, int) and 0 <= index < len(directories):
            yield f"{directories[index]}{base}"


def read_header(blob: bytes) -> Header:
    """The tags of a header that are strings or 32-bit numbers; empty for a damaged one."""
    header: Header = {}
    if len(blob) < 8:
        return header
    count, size = struct.unpack_from(">II", blob)
    data = blob[8 + _ENTRY.size * count : 8 + _ENTRY.size * count + size]
    for number in range(min(count, (len(blob) - 8) // _ENTRY.size)):
        tag, kind, offset, items = _ENTRY.unpack_from(blob, 8 + _ENTRY.size * number)
        if offset > len(data):
            continue
        if kind in (_STRING, _ARRAY, _I18N):
            texts = data[offset:].split(b"\0", min(items, len(data)))[
                : 1 if kind == _STRING else items
            ]
            header[tag] = tuple(text.decode("utf-8", "surrogateescape") for text in texts)
        elif kind == _INT32 and offset + 4 * items <= len(data):
            header[tag] = struct.unpack_from(f">{items}I", data, offset)
    return header


def _is_sqlite(node: Node) -> bool:
    import sqlite3

    try:
        with _opened(node) as connection:
            connection.execute("SELECT blob FROM Packages ORDER BY hnum").fetchone()
    except sqlite3.DatabaseError:
        return False
    return True


def _sqlite(node: Node) -> Iterator[bytes]:
    import sqlite3

    try:
        with _opened(node) as connection:
            for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum"):
                if isinstance(blob, bytes):
                    yield blob
    except sqlite3.DatabaseError:
        return


@contextmanager
def _opened(node: Node) -> Iterator[sqlite3.Connection]:
    """By SQLite itself, in a folder of its own; what rpm had not yet moved from the log into the
    file counts too."""
    import sqlite3
    import tempfile

    log = (node.parent.children or {}).get(f"{node.name}-wal") if node.parent is not None else None
    with tempfile.TemporaryDirectory(prefix="imgopt-rpm-") as folder:
        path = Path(folder, "db")
        path.write_bytes(node.read(_MAX))
        if log is not None and log.size:
            Path(folder, "db-wal").write_bytes(log.read(_MAX))
        with closing(sqlite3.connect(path)) as connection:
            yield connection


def _is_ndb(node: Node) -> bool:
    """Whether the first page is one of slots and the blobs that it names are there."""
    head = node.read(32)
    if head[:4] != b"RpmP" or len(head) < 32:
        return False
    (pages,) = struct.unpack_from("<I", head, 12)
    return bool(0 < pages * 4096 <= node.size)


def _ndb(node: Node) -> Iterator[bytes]:
    """rpm's lib/backend/ndb/rpmpkg.c: slots of 16 bytes in pages of 4096, blobs in blocks of 16,
    little endian."""
    data = node.read(_MAX)
    if data[:4] != b"RpmP" or len(data) < 32:
        return
    (pages,) = struct.unpack_from("<I", data, 12)
    for position in range(32, min(pages * 4096, len(data)) - 15, 16):
        magic, index, block, _ = struct.unpack_from("<4sIII", data, position)
        start = block * 16
        if (
            magic != b"Slot"
            or not index
            or start + 16 > len(data)
            or data[start : start + 4] != b"BlbS"
        ):
            continue
        (length,) = struct.unpack_from("<I", data, start + 12)
        yield data[start + 16 : start + 16 + length]
