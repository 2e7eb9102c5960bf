"""Dask: the digest of a blob is its task's key, so the scheduler itself gives "once for each blob".

Workers need imgopt and nothing of this machine; what they find comes back and is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.fleet.scan.facts import EngineLayer, Facts, FileBlob, RemoteBlob, Task
from imgopt.fleet.scan.workers import AHEAD, MOST_DEATHS, Logins, killed

_SECONDS = 20
"""To reach a scheduler."""


def needed() -> None:
    """Raises EnvironmentFailure where Dask is not installed."""
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise EnvironmentFailure(
            "Dask is not installed, which --dask and --scheduler need",
            hint="pip install 'docker-imgopt[fleet,dask]'; without them processes of this machine"
            " read",
        )


class OnDask:
    """A scheduler at an address, or a cluster of `count` processes of this machine."""

    def __init__(self, address: str | None, count: int, logins: Logins) -> None:
        self.count, self._address, self._logins = count, address, logins
        self._client: Any = None
        self._cluster: Any = None

    def __enter__(self) -> OnDask:
        import dask
        from distributed import Client, LocalCluster

        # Who dies takes all with him that his worker has: each of them is tried alone after that.
        dask.config.set({"distributed.scheduler.allowed-failures": 0})
        try:
            if self._address is None:
                self._cluster = LocalCluster(
                    n_workers=self.count,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=50,
                )
            self._client = Client(self._cluster or self._address, timeout=_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            self.__exit__(type(error), error, None)
            raise EnvironmentFailure(
                f"no scheduler of Dask answers at {self._address or 'this machine'}:"
                f" {type(error).__name__}",
                hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            ) from None
        self.count = max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))
        return self

    def __exit__(self, *failure: object) -> None:
        with suppress(Exception):  # a scheduler that is gone cannot be told good-bye
            if self._client is not None:
                self._client.close(timeout=2)
        with suppress(Exception):
            if self._cluster is not None:
                self._cluster.close(timeout=5)

    def run(self, tasks: Iterable[Task]) -> Iterator[Facts]:
        waiting = iter(tasks)
        under_way: dict[Any, Task] = {}
        suspects: list[Task] = []
        while True:
            self._hand_out(waiting, under_way)
            if not under_way:
                break
            for future in self._finished(under_way):
                task = under_way.pop(future)
                facts = self._facts(future)
                future.release()
                if facts is None:
                    suspects.append(task)
                else:
                    yield facts
        yield from map(self._alone, suspects)

    def _alone(self, task: Task) -> Facts:
        """A blob whose worker died, with nothing else that could have been the reason."""
        for again in range(1, MOST_DEATHS):
            future = self._submit(task, again)
            self._finished({future: task})
            facts = self._facts(future)
            future.release()
            if facts is not None:
                return facts
        return killed(task)

    def _hand_out(self, waiting: Iterator[Task], under_way: dict[Any, Task]) -> None:
        while len(under_way) < AHEAD * self.count:
            task = next(waiting, None)
            if task is None:
                return
            if isinstance(task.where, (EngineLayer, FileBlob)) and self._address is not None:
                raise InputError(
                    "workers of a scheduler read registries; files and engines are this machine's",
                    hint="leave --scheduler out for them, or take --dask",
                )
            under_way[self._submit(task)] = task

    def _submit(self, task: Task, again: int = 0) -> Any:
        from imgopt.fleet.scan.analyze import analyze_packed

        login = self._logins.get(task.where.host) if isinstance(task.where, RemoteBlob) else None
        return self._client.submit(
            analyze_packed,
            msgspec.msgpack.encode(task),
            login,
            key=f"blob-{task.digest}" + (f"-{again}" if again else ""),
            priority=task.gain.bit_length(),
            pure=True,
        )

    def _finished(self, under_way: dict[Any, Task]) -> list[Any]:
        """Waits for at least one; says in time that the scheduler is gone."""
        from concurrent.futures import CancelledError

        from distributed import wait

        while True:
            done = [future for future in under_way if future.status in ("finished", "error")]
            if done:
                return done
            if self._client.status != "running" or any(
                future.status in ("cancelled", "lost") for future in under_way
            ):
                raise self._gone()
            try:
                wait(list(under_way), timeout=1, return_when="FIRST_COMPLETED")
            except TimeoutError:
                continue
            except CancelledError:
                raise self._gone() from None

    def _facts(self, future: Any) -> Facts | None:
        """None where its worker died."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        error = future.exception() if future.status == "error" else None
        if error is None:
            try:
                found = future.result()
            except (OSError, TimeoutError, CancelledError):  # on its way here
                raise self._gone() from None
            return msgspec.msgpack.decode(found, type=Facts)
        if isinstance(error, KilledWorker):
            return None
        if isinstance(error, (ModuleNotFoundError, ImportError, AttributeError)):
            raise EnvironmentFailure(
                f"a worker cannot run imgopt: {type(error).__name__}: {error}",
                hint="install the same version of docker-imgopt there",
            )
        raise error

    def _gone(self) -> EnvironmentFailure:
        return EnvironmentFailure(
            "the scheduler of Dask is gone",
            hint="what was read is kept: run the same command again",
        )
