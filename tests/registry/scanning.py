"""Scans in the test's own process, and what they wrote."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
from registry_server import Handler, Server

from imgopt.fleet.scan.analyze import analyze
from imgopt.fleet.scan.facts import Facts, RemoteBlob, Task
from imgopt.fleet.scan.login import Login
from imgopt.fleet.scan.scan import Done, Options, scan
from imgopt.fleet.scan.sources import read_sources
from imgopt.fleet.scan.store import Store


class Here:
    """Reads in this process, one blob after the other."""

    def __init__(self, logins: Mapping[str, Login | None], most: int | None = None) -> None:
        self.count, self._logins, self._most = 1, logins, most

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, tasks: Iterable[Task]) -> Iterator[Facts]:
        for number, task in enumerate(tasks):
            if number == self._most:
                raise KeyboardInterrupt
            host = task.where.host if isinstance(task.where, RemoteBlob) else ""
            yield analyze(task, self._logins.get(host))


def log_in(folder: Path, host: str, pair: str) -> None:
    import base64

    auth = base64.b64encode(pair.encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


def scanned(server: Server, folder: Path, *words: str, workers: Any = None, **options: Any) -> Done:
    """A scan of the whole registry, or of what `words` name."""
    sources = read_sources(words or (f"registry:{server.host}",))
    with Store(folder, write=True) as store:
        return scan(sources, store, workers or (lambda logins, _: Here(logins)), Options(**options))


def rows(folder: Path) -> list[tuple[Any, ...]]:
    """All rows of files, sorted."""
    import pyarrow.parquet as pq

    with Store(folder) as store:
        files = store.row_files()
    found = [tuple(row.values()) for path in files for row in pq.read_table(path).to_pylist()]
    return sorted(found, key=lambda row: row[:4])


def kill_client(handler: Handler) -> bool:
    """Ends the process at the other end of a connection, as the kernel does when memory is out."""
    port = handler.client_address[1]
    for child in psutil.Process().children(recursive=True):
        try:
            mine = any(one.laddr.port == port for one in child.net_connections("tcp"))
        except psutil.Error:
            continue
        if mine:
            os.kill(child.pid, signal.SIGKILL)
            return True
    return False
