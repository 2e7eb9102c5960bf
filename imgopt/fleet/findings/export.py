"""Rows for other tools: findings and answers as Parquet, answers as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from imgopt.errors import InputError
from imgopt.image.entries import printable
from imgopt.results.registry import RegistryResult

_WIDEST = 100
"""Characters of a cell that are shown in text."""


def parquet_bytes(result: RegistryResult) -> bytes:
    """A row for each finding."""
    import pyarrow as pa

    columns = ("id", "level", "message", "command", "bytes", "images", "weight", "where", "teams")
    texts, numbers = pa.string(), pa.int64()
    kinds = {
        "bytes": numbers,
        "images": numbers,
        "weight": numbers,
        "where": pa.list_(texts),
        "teams": pa.list_(texts),
    }
    schema = pa.schema([(name, kinds.get(name, texts)) for name in columns])
    data = {name: [getattr(each, name) for each in result.findings] for name in columns}
    return _written(pa.table(data, schema=schema))


def query_bytes(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Raises InputError for columns of one name: Parquet has each once."""
    import pyarrow as pa

    if len(set(names)) < len(names):
        raise InputError("two columns have one name", hint="name them: select x as a, y as b")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return _written(
        pa.table({name: list(values) for name, values in zip(names, columns, strict=True)})
    )


def _written(table: Any) -> bytes:
    import pyarrow.parquet as pq

    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue()


def query_text(names: Sequence[str], rows: Sequence[Sequence[Any]], format: str) -> str:
    if format == "json":
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return json.dumps(found, indent=2, default=str) + "\n"
    if format == "csv":
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(["" if value is None else value for value in row] for row in rows)
        return target.getvalue()
    cells = [list(names), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(names))]
    aligned = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
    return "\n".join(aligned) + "\n" if names else ""


def _cell(value: Any) -> str:
    text = "" if value is None else printable(str(value))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
