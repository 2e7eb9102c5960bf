"""Rows for each entry of a layer, and the digests that say in what two layers agree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from imgopt.fleet.scan.facts import Keys, Rows
from imgopt.image.entries import Entry, printable
from imgopt.image.junk import path_kind

STATE = frozenset(("package-lists", "installer-caches", "bytecode", "logs"))
"""Kinds of files that differ between two builds of the same: what tools leave of themselves."""


def rows_of(
    entries: Sequence[Entry], digests: Sequence[str | None], owners: Mapping[str, str]
) -> Rows:
    junk = [
        path_kind(entry.path) if entry.kind in ("file", "hardlink") else None for entry in entries
    ]
    return Rows(
        path=[printable(entry.path) for entry in entries],
        kind=[entry.kind for entry in entries],
        size=[_bounded(entry.size) for entry in entries],
        mode=[entry.mode for entry in entries],
        uid=[_bounded(entry.uid) for entry in entries],
        gid=[_bounded(entry.gid) for entry in entries],
        mtime=[_bounded(entry.mtime) for entry in entries],
        link=[printable(entry.linkname) for entry in entries],
        digest=list(digests),
        junk=list(junk),
        package=[owners.get(entry.path) for entry in entries],
    )


def keys_of(rows: Rows) -> tuple[Keys, int]:
    """And the bytes of the files that `contents` speaks of."""
    order = sorted(range(len(rows.path)), key=lambda number: (rows.path[number], number))
    state = [rows.junk[number] in STATE for number in range(len(rows.path))]
    contents, left, owners, times = (hashlib.sha256() for _ in range(4))
    core = 0
    for number in order:
        path, kind = rows.path[number], rows.kind[number]
        line = f"{path}\0{kind}\0{rows.digest[number] or ''}\0{rows.link[number]}\n".encode()
        if state[number]:
            left.update(line)
            continue
        times.update(f"{path}\0{rows.mtime[number]}\n".encode())
        owners.update(
            f"{path}\0{rows.mode[number]}\0{rows.uid[number]}\0{rows.gid[number]}\n".encode()
        )
        if kind != "dir":  # a folder comes along with what is in it
            contents.update(line)
            core += rows.size[number]
    names = (path for path, is_state in zip(rows.path, state, strict=True) if not is_state)
    return Keys(
        contents.hexdigest(),
        left.hexdigest(),
        owners.hexdigest(),
        times.hexdigest(),
        _joined(names),
    ), core


def _joined(texts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode())
        found.update(b"\0")
    return found.hexdigest()


def _bounded(value: int) -> int:
    """Into 64 bits: what an archive says may be absurd."""
    return max(-(2**63), min(value, 2**63 - 1))
