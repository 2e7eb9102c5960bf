"""What scans have learned, on disk: documents and blobs by digest in an index, rows per file in
Parquet.

What is in the index is whole: a blob's rows are written and renamed first, then the index is told.
A run that ends half-way leaves at most rows that no index names, and the next one removes them.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from imgopt.errors import EnvironmentFailure, InputError, Location
from imgopt.fleet.scan.facts import ANALYZER, Facts
from imgopt.fleet.scan.model import Blob, Fleet

_FORMAT = "1"
_TABLES = """
create table if not exists about (name text primary key, value text);
create table if not exists documents (digest text primary key, data blob);
create table if not exists blobs
    (digest text, analyzer integer, facts blob, file text, primary key (digest, analyzer));
create table if not exists fleet (name text primary key, data blob);
"""


class Store:
    """A folder. One scan at a time writes to it; reading needs no turn."""

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        self.folder = folder
        self.files = folder / "files"
        self._turn: IO[str] | None = None
        self._lock = threading.Lock()
        if write:
            self._make()
        elif not (folder / "index.sqlite").is_file():
            raise InputError(
                "no results of a scan are there",
                location=Location(str(folder)),
                hint="run `imgopt registry scan SOURCE` first, or name another --store",
            )
        try:
            self._index = sqlite3.connect(folder / "index.sqlite", check_same_thread=False)
            self._index.execute("pragma busy_timeout = 10000")
            if write:
                self._index.execute("pragma journal_mode = wal")
                self._index.executescript(_TABLES)
            self._check_format(write)
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"its index is damaged: {error}",
                location=Location(str(folder)),
                hint="remove the folder, and scan again",
            ) from None

    def _make(self) -> None:
        try:
            self.files.mkdir(parents=True, exist_ok=True)
            self._turn = (self.folder / "turn").open("w")
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentFailure(
                "another scan writes there now",
                location=Location(str(self.folder)),
                hint="wait for it, or take another --store",
            ) from None
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot be written: {error.strerror}", location=Location(str(self.folder))
            ) from None

    def _check_format(self, write: bool) -> None:
        row = self._index.execute("select value from about where name = 'format'").fetchone()
        if row is None and write:
            self._index.execute("insert into about values ('format', ?)", (_FORMAT,))
            self._index.commit()
        elif row is None or row[0] != _FORMAT:
            raise InputError(
                "another version of imgopt wrote it",
                location=Location(str(self.folder)),
                hint="remove the folder, and scan again",
            )

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *failure: object) -> None:
        self._index.close()
        if self._turn is not None:
            self._turn.close()

    def document(self, digest: str) -> bytes | None:
        """A manifest or a configuration that was seen before."""
        with self._lock:
            row = self._index.execute(
                "select data from documents where digest = ?", (digest,)
            ).fetchone()
        return zlib.decompress(row[0]) if row is not None else None

    def keep_documents(self, found: Iterable[tuple[str, bytes]]) -> None:
        with self._lock:
            self._index.executemany(
                "insert or replace into documents values (?, ?)",
                ((digest, zlib.compress(data)) for digest, data in found),
            )
            self._index.commit()

    def known(self) -> dict[str, Facts]:
        """What this version of the analysis knows of blobs."""
        with self._lock:
            rows = self._index.execute(
                "select digest, facts from blobs where analyzer = ?", (ANALYZER,)
            ).fetchall()
        return {digest: msgspec.msgpack.decode(data, type=Facts) for digest, data in rows}

    def keep(self, facts: Facts) -> None:
        """What was learned of one blob, its rows first."""
        from imgopt.fleet.scan.tables import write_rows

        name = ""
        if facts.rows:
            name = f"{ANALYZER}-{facts.digest.replace(':', '-')}.parquet"
            write_rows(self.files / name, [facts])
        with self._lock:
            self._index.execute(
                "insert or replace into blobs values (?, ?, ?, ?)",
                (facts.digest, ANALYZER, msgspec.msgpack.encode(facts.without_rows()), name),
            )
            self._index.commit()

    def row_files(self) -> list[Path]:
        """The Parquet files that are valid now."""
        with self._lock:
            rows = self._index.execute(
                "select distinct file from blobs where analyzer = ? and file != ''", (ANALYZER,)
            ).fetchall()
        return sorted(self.files / name for (name,) in rows)

    def replace_files(self, old: Iterable[Path], new: Path) -> None:
        """Rows that were in several files are in one now."""
        names = [(new.name, path.name) for path in old]
        with self._lock:
            self._index.executemany("update blobs set file = ? where file = ?", names)
            self._index.commit()
        for _, name in names:
            (self.files / name).unlink(missing_ok=True)

    def clean(self) -> None:
        """Removes what a run that ended half-way left, and what no analysis of today reads."""
        with self._lock:
            self._index.execute("delete from blobs where analyzer != ?", (ANALYZER,))
            self._index.commit()
        valid = {path.name for path in self.row_files()}
        for path in self.files.iterdir():
            if path.name not in valid:
                path.unlink(missing_ok=True)

    def keep_fleet(self, fleet: Fleet) -> None:
        data = zlib.compress(msgspec.msgpack.encode(fleet))
        with self._lock:
            self._index.execute("insert or replace into fleet values ('fleet', ?)", (data,))
            self._index.commit()

    def fleet(self) -> Fleet:
        """The last scan's, with what is known of its blobs now."""
        with self._lock:
            row = self._index.execute("select data from fleet where name = 'fleet'").fetchone()
        if row is None:
            raise InputError(
                "the scan that writes there has not listed its images yet",
                location=Location(str(self.folder)),
            )
        fleet = msgspec.msgpack.decode(zlib.decompress(row[0]), type=Fleet)
        return with_facts(fleet, self.known())


def with_facts(fleet: Fleet, known: dict[str, Facts]) -> Fleet:
    """The fleet with the sizes that reading its blobs told."""
    blobs = {
        digest: _told(blob, known[digest]) if digest in known else blob
        for digest, blob in fleet.blobs.items()
    }
    return msgspec.structs.replace(fleet, blobs=blobs)


def _told(blob: Blob, facts: Facts) -> Blob:
    if facts.status != "read":
        return blob
    return msgspec.structs.replace(
        blob,
        codec=facts.codec,
        tar_bytes=facts.tar_bytes,
        payload_bytes=facts.payload_bytes,
        entries=facts.entries,
        files=facts.files,
    )


def read_fleet(folder: Path) -> Fleet:
    """The fleet of a store. Raises InputError where there is none."""
    with Store(folder) as store:
        return store.fleet()


def default_folder() -> Path:
    """$XDG_STATE_HOME/imgopt/registry, else below ~/.local/state."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "imgopt" / "registry"


def batches(items: Iterable[tuple[str, bytes]], size: int) -> Iterator[list[tuple[str, bytes]]]:
    """In lists of at most `size`."""
    batch: list[tuple[str, bytes]] = []
    for item in items:
        batch.append(item)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
