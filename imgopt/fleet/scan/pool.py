"""Processes of this machine. Each has one blob at a time, so who dies is known with its blob."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import msgspec

from imgopt.fleet.scan.facts import Facts, RemoteBlob, Task
from imgopt.fleet.scan.workers import MOST_DEATHS, Logins, killed


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


class Pool:
    """`count` processes; one that dies is replaced, and its blob tried again by another."""

    def __init__(self, count: int, logins: Logins) -> None:
        self.count, self._logins = count, logins
        way = "forkserver" if sys.platform == "linux" else "spawn"
        self._context: Any = multiprocessing.get_context(way)
        self._workers: list[_Worker] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *failure: object) -> None:
        for worker in self._workers:
            worker.pipe.close()
            if failure[0] is not None:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(10)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def run(self, tasks: Iterable[Task]) -> Iterator[Facts]:
        waiting, again = iter(tasks), deque[Task]()
        deaths: Counter[str] = Counter()
        while True:
            self._hand_out(waiting, again)
            busy = {worker.pipe: worker for worker in self._workers if worker.task is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                worker = busy[pipe]
                task, worker.task = worker.task, None
                assert task is not None
                data = _answer(pipe)
                if data is not None:
                    yield msgspec.msgpack.decode(data, type=Facts)
                    continue
                self._bury(worker)
                deaths[task.digest] += 1
                if deaths[task.digest] < MOST_DEATHS:
                    again.append(task)
                else:
                    yield killed(task)

    def _hand_out(self, waiting: Iterator[Task], again: deque[Task]) -> None:
        idle = deque(worker for worker in self._workers if worker.task is None)
        while idle or len(self._workers) < self.count:
            task = again.popleft() if again else next(waiting, None)
            if task is None:
                return
            worker = idle.popleft() if idle else self._start()
            worker.task = task
            login = (
                self._logins.get(task.where.host) if isinstance(task.where, RemoteBlob) else None
            )
            with suppress(OSError):  # one that died while it was idle is seen when it is waited for
                worker.pipe.send((msgspec.msgpack.encode(task), login))

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _bury(self, worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.kill()
        worker.process.join()
        self._workers.remove(worker)


def _answer(pipe: Connection) -> bytes | None:
    try:
        return pipe.recv_bytes()
    except (EOFError, OSError):
        return None


def _end_with_parent() -> None:
    """However the parent ends, nobody goes on reading for it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)


def _work(pipe: Connection) -> None:
    """In the worker: until the pipe is closed. The terminal's interrupt is the parent's to
    handle."""
    from imgopt.fleet.scan.analyze import analyze_packed

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            data, login = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send_bytes(analyze_packed(data, login))
