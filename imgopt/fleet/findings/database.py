"""DuckDB over the Parquet files of a store: the same views for our findings and for the user's own
questions (`imgopt registry query`)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from imgopt.errors import InputError
from imgopt.fleet.scan.store import Store
from imgopt.fleet.scan.tables import TABLES, needed

_KINDS = {"string": "varchar", "int32": "integer", "int64": "bigint", "bool": "boolean"}


class Database:
    """Views `images`, `tags`, `layers`, `blobs` and `files`; a context."""

    def __init__(self, store: Store) -> None:
        needed()
        import duckdb

        self._folder = tempfile.TemporaryDirectory(prefix="imgopt-duckdb-")
        self._duckdb = duckdb
        self._connection: Any = duckdb.connect(":memory:")
        self._connection.execute(f"set temp_directory = {_quoted(self._folder.name)}")
        self._connection.execute("set enable_progress_bar = false")
        tables = store.folder / "tables"
        for name, columns in TABLES.items():
            files = store.row_files() if name == "files" else [tables / f"{name}.parquet"]
            self._view(name, columns, [path for path in files if path.is_file()])

    def _view(self, name: str, columns: dict[str, str], files: list[Path]) -> None:
        if files:
            listed = ", ".join(_quoted(str(path)) for path in files)
            source = f"select * from read_parquet([{listed}])"
        else:
            empty = ", ".join(f'null::{_KINDS[kind]} as "{key}"' for key, kind in columns.items())
            source = f"select {empty} where false"
        self._connection.execute(f'create view "{name}" as {source}')

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *failure: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(sql, parameters or []).fetchall()
        return found

    def table(self, name: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        """A table for joins, with texts and numbers as they come."""
        import pyarrow as pa

        values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        data = {
            key: pa.array(list(value)) if rows else pa.array([], pa.string())
            for key, value in zip(columns, values, strict=True)
        }
        self._connection.register(name, pa.table(data))

    def ask(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The user's own question: names of columns, and rows. Raises InputError for what DuckDB
        does not take."""
        try:
            answer = self._connection.execute(sql)
            if answer.description is None:
                return [], []
            names = [column[0] for column in answer.description]
            return names, answer.fetchall()
        except self._duckdb.Error as error:
            raise InputError(
                f"the query fails: {error}",
                hint="docs/fleet.md lists the tables and their columns",
            ) from None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
