"""Requests that are being answered while a service is told to stop."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterable

from imgopt.run.probes import Answer, Probe

COUNT = 2
_LEAST_SECONDS, _MOST_SECONDS = 0.4, 5.0
"""An answer that takes less has come before the signal does; one that takes more is not waited
for."""
_BEGUN_SECONDS = 0.15
_PATIENCE = 15.0


def slowest(answers: Iterable[Answer]) -> Probe | None:
    """The page that takes long enough to be under way when the signal comes; None where none does,
    so that nothing of this can be seen."""
    slow = [
        answer
        for answer in answers
        if answer.probe.plain
        and answer.probe.scheme == "http"
        and answer.status == 200
        and _LEAST_SECONDS <= answer.seconds <= _MOST_SECONDS
    ]
    return max(slow, key=lambda answer: answer.seconds).probe if slow else None


class UnderWay:
    """Some requests for one page, each in a thread of its own, from its making on."""

    def __init__(self, probe: Probe, host_port: int) -> None:
        self._ended = 0
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._ask, args=(probe, host_port), daemon=True)
            for _ in range(COUNT)
        ]
        for thread in self._threads:
            thread.start()
        time.sleep(_BEGUN_SECONDS)

    def _ask(self, probe: Probe, host_port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", host_port, timeout=_PATIENCE)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", probe.path, headers={"Host": f"localhost:{probe.port}"})
            connection.getresponse().read()  # raises where the connection ends before the body
            with self._lock:
                self._ended += 1
        connection.close()

    def cut(self) -> int:
        """How many were never answered to the end."""
        for thread in self._threads:
            thread.join(_PATIENCE)
        return COUNT - self._ended
