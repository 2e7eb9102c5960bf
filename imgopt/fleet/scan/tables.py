"""Parquet: rows of files by blob, and the tables of a fleet. docs/fleet.md says what each column
is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from imgopt.errors import EnvironmentFailure
from imgopt.fleet.scan.facts import ANALYZER, Facts, unpack
from imgopt.fleet.scan.model import Fleet

FILES = {
    "blob": "string",
    "analyzer": "int32",
    "number": "int32",
    "path": "string",
    "kind": "string",
    "size": "int64",
    "mode": "int32",
    "uid": "int64",
    "gid": "int64",
    "mtime": "int64",
    "link": "string",
    "digest": "string",
    "class": "string",
    "package": "string",
}
IMAGES = {
    "repository": "string",
    "digest": "string",
    "config": "string",
    "kind": "string",
    "platform": "string",
    "created": "string",
    "user": "string",
    "team": "string",
    "pulls": "int64",
    "layers": "int32",
    "wire_bytes": "int64",
}
TAGS = {
    "repository": "string",
    "tag": "string",
    "number": "int32",
    "created": "string",
    "digest": "string",
}
LAYERS = {
    "repository": "string",
    "digest": "string",
    "number": "int32",
    "blob": "string",
    "diff_id": "string",
    "instruction": "string",
    "created": "string",
}
BLOBS = {
    "blob": "string",
    "status": "string",
    "trouble": "string",
    "problem": "string",
    "foreign": "bool",
    "codec": "string",
    "wire_bytes": "int64",
    "tar_bytes": "int64",
    "payload_bytes": "int64",
    "entries": "int64",
    "files": "int64",
    "zstd_bytes": "int64",
    "system": "string",
}
TABLES = {"images": IMAGES, "tags": TAGS, "layers": LAYERS, "blobs": BLOBS, "files": FILES}
_DICTIONARIES = ("blob", "kind", "class", "package")


def needed() -> None:
    """Raises EnvironmentFailure where the optional parts are not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("duckdb", "pyarrow") if find_spec(name) is None]
    if missing:
        raise EnvironmentFailure(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed, which"
            " the rows of files and the joins over them need",
            hint="pip install 'docker-imgopt[fleet]'",
        )


def write_rows(path: Path, found: Sequence[Facts]) -> None:
    """The rows of blobs; whole or not at all."""
    _write(path, (_columns(facts) for facts in found), FILES)


def _columns(facts: Facts) -> dict[str, Any]:
    rows = unpack(facts.rows)
    count = len(rows.path)
    return {
        "blob": [facts.digest] * count,
        "analyzer": [ANALYZER] * count,
        "number": list(range(count)),
        "path": rows.path,
        "kind": rows.kind,
        "size": rows.size,
        "mode": rows.mode,
        "uid": rows.uid,
        "gid": rows.gid,
        "mtime": rows.mtime,
        "link": rows.link,
        "digest": rows.digest,
        "class": rows.junk,
        "package": rows.package,
    }


def _schema(columns: dict[str, str]) -> Any:
    import pyarrow as pa

    kinds: dict[str, Any] = {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _write(path: Path, parts: Iterable[dict[str, Any]], columns: dict[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(columns)
    _atomic(
        path,
        schema,
        (pa.table(part, schema=schema) for part in parts),
        pq,
    )


def _atomic(path: Path, schema: Any, tables: Iterable[Any], pq: Any) -> None:
    beside = path.with_name(f".new-{os.getpid()}-{path.name}")
    names = [name for name in _DICTIONARIES if name in schema.names]
    try:
        with pq.ParquetWriter(beside, schema, compression="zstd", use_dictionary=names) as writer:
            for table in tables:
                writer.write_table(table)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def merge(old: Sequence[Path], new: Path) -> None:
    """The rows of many small files in one, a blob after the other."""
    import pyarrow.parquet as pq

    schema = _schema(FILES)

    def tables() -> Iterable[Any]:
        for path in old:
            file = pq.ParquetFile(path)
            for batch in range(file.num_row_groups):
                yield file.read_row_group(batch)

    _atomic(new, schema, tables(), pq)


def write_fleet(
    folder: Path, fleet: Fleet, known: dict[str, Facts], team: Callable[[Any], str]
) -> None:
    """The tables of what manifests say, beside the rows of files."""
    folder.mkdir(exist_ok=True)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "images": [
            (
                image.repository,
                image.digest,
                image.config_digest,
                image.kind,
                image.platform,
                image.created,
                image.user,
                team(image),
                image.pulls,
                len(image.layers),
                fleet.wire_bytes(image),
            )
            for image in fleet.images
        ],
        "tags": [
            (each.name, release.tag, number, release.created, digest)
            for each in fleet.repositories
            for number, release in enumerate(each.releases)
            for digest in release.images
        ],
        "layers": [
            (
                image.repository,
                image.digest,
                number,
                layer.blob,
                layer.diff_id,
                layer.instruction,
                layer.created,
            )
            for image in fleet.images
            for number, layer in enumerate(image.layers)
        ],
        "blobs": [_blob_row(fleet, digest, known.get(digest)) for digest in fleet.blobs],
    }
    for name, found in rows.items():
        columns = TABLES[name]
        values = list(zip(*found, strict=True)) if found else [()] * len(columns)
        part = {key: list(value) for key, value in zip(columns, values, strict=True)}
        _write(folder / f"{name}.parquet", [part], columns)


def _blob_row(fleet: Fleet, digest: str, facts: Facts | None) -> tuple[Any, ...]:
    blob = fleet.blobs[digest]
    status = "foreign" if blob.foreign else facts.status if facts is not None else "not read"
    return (
        digest,
        status,
        facts.trouble if facts is not None else "",
        printable_text(facts.problem) if facts is not None else "",
        blob.foreign,
        (facts.codec if facts is not None and facts.codec else blob.codec),
        blob.wire_bytes,
        *(
            (facts.tar_bytes, facts.payload_bytes, facts.entries, facts.files, facts.zstd_bytes)
            if facts is not None and facts.status == "read"
            else (None,) * 5
        ),
        facts.system if facts is not None else "",
    )


def printable_text(text: str) -> str:
    """Valid text: what Parquet takes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
