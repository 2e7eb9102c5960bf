"""One blob to its facts: the function that a worker runs, here or on another machine."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from imgopt.errors import ImgoptError, InputError
from imgopt.fleet.scan.facts import EngineLayer, Facts, FileBlob, RemoteBlob, Task, pack
from imgopt.fleet.scan.feed import PIECE, BlobTrouble, Feed, Wire
from imgopt.fleet.scan.login import Login
from imgopt.fleet.scan.owners import Kept
from imgopt.fleet.scan.remote import remote_pieces
from imgopt.fleet.scan.rows import keys_of, rows_of
from imgopt.image.aufs import OWN
from imgopt.image.entries import Entry, printable
from imgopt.image.tar_stream import stream_entries

_MOST_ENTRIES = 1_500_000
"""Of one layer; its rows are held in memory until they are written."""


def analyze(task: Task, login: Login | None) -> Facts:
    """Reads the blob once, as a stream. What is wrong with it is part of the answer."""
    began = time.monotonic()
    wire = Wire((), task.wire_bytes)
    try:
        if isinstance(task.where, EngineLayer):
            facts = _of_engine(task, task.where)
        else:
            wire = Wire(_pieces(task, login), task.wire_bytes)
            facts = _of_stream(task, wire)
    except BlobTrouble as trouble:
        facts = _failed(task, wire, trouble)
    except InputError as error:
        facts = _failed(task, wire, BlobTrouble("format", error.message))
    except ImgoptError as error:
        facts = _failed(task, wire, BlobTrouble("unreached", error.message))
    except Exception as error:  # a bug of ours costs one blob, not the scan
        text = f"imgopt cannot read it, which is a bug: {type(error).__name__}: {error}"
        facts = _failed(task, wire, BlobTrouble("format", printable(text)))
    return msgspec.structs.replace(facts, seconds=time.monotonic() - began)


def analyze_packed(data: bytes, login: Login | None) -> bytes:
    """The same for what goes between processes."""
    task = msgspec.msgpack.decode(data, type=Task)
    return msgspec.msgpack.encode(analyze(task, login))


def _failed(task: Task, wire: Wire, trouble: BlobTrouble) -> Facts:
    return Facts(
        digest=task.digest,
        status="unreached" if trouble.trouble == "unreached" else "damaged",
        trouble=trouble.trouble,
        problem=trouble.message,
        wire_bytes=wire.bytes,
    )


def _pieces(task: Task, login: Login | None) -> Iterator[bytes]:
    if isinstance(task.where, RemoteBlob):
        yield from remote_pieces(task.where, task.digest, login)
    elif isinstance(task.where, FileBlob):
        yield from _file_pieces(task.where)


def _file_pieces(where: FileBlob) -> Iterator[bytes]:
    try:
        with Path(where.path).open("rb") as file:
            file.seek(where.start)
            left = where.size
            while left and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise BlobTrouble("unreached", f"{where.path}: {error.strerror}") from None


class _Contents:
    """What is done with the contents of a file as they pass."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.digest: str | None = None

    def __call__(self, entry: Entry | None, parts: Iterator[memoryview]) -> None:
        if entry is None or entry.kind != "file":
            return
        found = hashlib.sha256()
        whole: list[bytes] | None = [] if self.kept.wants(entry) else None
        for part in parts:
            found.update(part)
            if whole is not None:
                whole.append(bytes(part))
        self.digest = f"sha256:{found.hexdigest()}"
        if whole is not None:
            self.kept.keep(entry, b"".join(whole))


_EMPTY = f"sha256:{hashlib.sha256().hexdigest()}"


def _of_stream(task: Task, wire: Wire) -> Facts:
    feed, contents = Feed(wire), _Contents()
    entries: list[Entry] = []
    digests: list[str | None] = []
    for entry in stream_entries(feed, "the layer", contents):
        digest, contents.digest = contents.digest, None
        if entry.path.startswith(OWN):
            continue
        entries.append(entry)
        digests.append((digest or _EMPTY) if entry.kind == "file" else None)
        if len(entries) > _MOST_ENTRIES:
            raise BlobTrouble("bomb", f"it has more than {_MOST_ENTRIES} entries")
    feed.drain()
    wire.finish(task.digest if task.wire_bytes is not None else "")
    facts = _told(task, entries, digests, contents.kept)
    return msgspec.structs.replace(
        facts,
        codec=feed.codec,
        wire_bytes=wire.bytes,
        tar_bytes=feed.bytes,
        diff_id=feed.diff_id,
        zstd_bytes=feed.zstd_bytes,
        problem=_other_contents(task, feed.diff_id),
    )


def _other_contents(task: Task, diff_id: str) -> str:
    if not task.diff_id or task.diff_id == diff_id:
        return ""
    return f"a configuration says that it unpacks to {task.diff_id}, but it unpacks to {diff_id}"


def _told(task: Task, entries: list[Entry], digests: list[str | None], kept: Kept) -> Facts:
    owners, packages = kept.owners(entries)
    rows = rows_of(entries, digests, owners)
    keys, core = keys_of(rows)
    return Facts(
        digest=task.digest,
        status="read",
        payload_bytes=sum(rows.size),
        entries=len(entries),
        files=sum(kind == "file" for kind in rows.kind),
        keys=keys,
        core_bytes=core,
        system=kept.system(),
        packages=packages,
        rows=pack(rows),
    )


def _of_engine(task: Task, where: EngineLayer) -> Facts:
    """An engine gives layers unpacked, or an archive of the whole image."""
    from imgopt.image import open_image

    image = open_image(where.reference)
    layer = next((each for each in image.layers if each.diff_id == task.digest), None)
    if layer is None or layer.missing:
        raise BlobTrouble("unreached", f"{where.reference} does not hold it any more")
    contents = _Contents()
    entries = layer.entries()
    digests: list[str | None] = []
    for entry in entries:
        digests.append(layer.file_digest(entry) if entry.kind == "file" else None)
        if entry.kind == "file" and contents.kept.wants(entry):
            contents.kept.keep(entry, layer.read(entry))
    facts = _told(task, entries, digests, contents.kept)
    return msgspec.structs.replace(
        facts, codec="none", tar_bytes=layer.tar_bytes, diff_id=layer.diff_id
    )
