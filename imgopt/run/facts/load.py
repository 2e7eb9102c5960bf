"""A bounded load: some connections that ask one after the other for some seconds, and what came of
each request."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from imgopt.results.run_facts import Load
from imgopt.run.facts.doors import Door

_ANSWER_SECONDS = 30.0
_MOST_REQUESTS = 200_000
_PAUSE_AFTER_FAILURE = 0.05
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Asked:
    """How much load: `path` None is the one that the first look at the image found best."""

    seconds: float = 20.0
    workers: int = 8
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request. `status` None: no whole answer; then `connected` says whether
    somebody took the connection, and `begun` whether an answer had begun to come."""

    status: int | None
    connected: bool = True
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request: when it was begun and how long it took (time.monotonic() seconds), and what came
    of it."""

    begun: float
    seconds: float
    reply: Reply

    @property
    def over(self) -> float:
        """When it was over."""
        return self.begun + self.seconds

    @property
    def good(self) -> bool:
        """Whether it was answered, and neither with an error of the service's nor with "too many
        requests"."""
        status = self.reply.status
        return status is not None and status < 500 and status != _TOO_MANY


class Workers:
    """Threads that ask a path over and over until they are told to end. `anew`: each request has a
    connection of its own, so that none is lost because a connection was just being closed."""

    def __init__(self, door: Door, path: str, count: int, *, anew: bool = False) -> None:
        self._door, self._path, self._anew = door, path, anew
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._outcomes: list[Outcome] = []
        self._busy: dict[int, float] = {}
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name="imgopt-load", daemon=True)
            for number in range(count)
        ]

    def __enter__(self) -> Workers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.end()
        self._over.set()  # who interrupts does not wait for the answers under way

    def end(self) -> tuple[Outcome, ...]:
        """Waits for the requests that are under way; all outcomes in the order of their beginning.
        May be called again."""
        self._over.set()
        for thread in self._threads:
            thread.join(_ANSWER_SECONDS + 5)
        with self._lock:
            return tuple(sorted(self._outcomes, key=lambda one: one.begun))

    def in_flight(self, least: float = 0.0) -> int:
        """How many requests are under way for so many seconds at least."""
        latest = time.monotonic() - least
        with self._lock:
            return sum(begun <= latest for begun in self._busy.values())

    def typical(self) -> float:
        """Seconds that an answer took until now; 0 where there was none."""
        with self._lock:
            return median(one.seconds for one in self._outcomes) if self._outcomes else 0.0

    def _run(self, number: int) -> None:
        connection = self._door.http(_ANSWER_SECONDS)
        while not self._over.is_set() and len(self._outcomes) < _MOST_REQUESTS:
            begun = time.monotonic()
            with self._lock:
                self._busy[number] = begun
            reply = ask_once(connection, self._door, self._path, anew=self._anew)
            with self._lock:
                del self._busy[number]
                took = time.monotonic() - begun
                self._outcomes.append(Outcome(begun, took, reply))
            if reply.status is None:
                connection.close()
                self._over.wait(_PAUSE_AFTER_FAILURE)
        connection.close()


def ask_once(
    connection: http.client.HTTPConnection, door: Door, path: str, *, anew: bool = False
) -> Reply:
    """One GET, read to its end. A kept connection that the service has closed meanwhile is opened
    again once."""
    kept = connection.sock is not None
    try:
        if not kept:
            connection.connect()
    except OSError:
        return Reply(None, connected=False)
    begun = False
    try:
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        for name, value in _headers(door, anew=anew):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        begun = True
        while response.read(1 << 16):
            pass
        if response.length:  # less came than was said
            raise http.client.IncompleteRead(b"", response.length)
    except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
        connection.close()
        if kept and not begun:
            return ask_once(connection, door, path, anew=anew)
        return Reply(None, begun=begun)
    except (OSError, http.client.HTTPException, ValueError):
        connection.close()
        return Reply(None, begun=begun)
    if anew or response.will_close:
        connection.close()
    return Reply(response.status, begun=True)


def _headers(door: Door, *, anew: bool) -> Sequence[tuple[str, str]]:
    return (
        ("Host", f"localhost:{door.port}"),
        ("User-Agent", "imgopt"),
        ("Accept", "text/html,application/json;q=0.9,*/*;q=0.8"),
        ("Accept-Encoding", "identity"),
        *((("Connection", "close"),) if anew else ()),
    )


def put_under_load(door: Door, path: str, asked: Asked) -> Load:
    """Asks for `asked.seconds`, then waits for what is under way."""
    begun = time.monotonic()
    with Workers(door, path, asked.workers) as workers:
        time.sleep(asked.seconds)
        outcomes = workers.end()
    return load_of(outcomes, path, time.monotonic() - begun, asked.workers)


def load_of(outcomes: Sequence[Outcome], path: str, seconds: float, workers: int) -> Load:
    """In figures; how long answers took is said of those that were good."""
    good = [one.seconds for one in outcomes if one.good]
    return Load(
        path=path,
        seconds=round(seconds, 3),
        workers=workers,
        requests=len(outcomes),
        failed=len(outcomes) - len(good),
        per_second=round(len(good) / seconds, 1) if seconds else 0.0,
        middle_seconds=median(good) if good else None,
        p95_seconds=quantiles(good, n=20, method="inclusive")[-1] if len(good) > 1 else None,
        longest_seconds=max(good, default=None),
    )
