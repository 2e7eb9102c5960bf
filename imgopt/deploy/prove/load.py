"""A bounded load on one address, each request on a connection of its own; a program of its own,
because it runs in the network of the cluster: `python load.py SETTINGS`, both ways JSON.

It ends at the end of standard input, but not before `at_least_requests` were asked, and at
`at_most_seconds` whatever comes. Only the standard library: the interpreter that runs it may know
nothing of imgopt."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import socket
import struct
import sys
import threading
import time
from collections import Counter, defaultdict
from typing import Any

_TIMED_OUT = "timed out"


def main(settings: dict[str, Any]) -> None:
    load = Load(settings)
    threading.Thread(target=load.stop_at_end_of_input, daemon=True).start()
    sys.stdout.write(json.dumps(load.run()) + "\n")


class Load:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.host = str(settings["host"])
        self.port = int(settings["port"])
        self.path = str(settings.get("path", "/"))
        self.name = str(settings.get("name") or self.host)
        """What the requests call the host."""
        self.status = settings.get("status")
        """What a good answer's is; None: any below 400."""
        self.workers = int(settings.get("workers", 4))
        self.pause = float(settings.get("pause", 0.02))
        self.timeout = float(settings.get("timeout", 15.0))
        self.at_most_seconds = float(settings.get("at_most_seconds", 60.0))
        self.at_least_requests = int(settings.get("at_least_requests", 0))
        self.good_in_a_row = int(settings.get("good_in_a_row", 0))
        """Ends as soon as so many answers in a row were good; for waiting."""
        self.spread = float(settings.get("spread", 0.0))
        """Seconds over which the workers begin: else slow answers all come at one moment, and what
        happens between two of them is missed."""
        self._asked_to_end = threading.Event()
        self._lock = threading.Lock()
        self._count = 0
        self._row = 0
        self._answers: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._failed: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._failures: list[dict[str, Any]] = []
        self._seconds: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._began = time.monotonic()

    def stop_at_end_of_input(self) -> None:
        sys.stdin.read()
        self._asked_to_end.set()

    def run(self) -> dict[str, Any]:
        began = time.time()
        self._began = time.monotonic()
        waits = delays(self.workers, self.spread)
        threads = [threading.Thread(target=self._work, args=(wait,)) for wait in waits]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        times = sorted(self._seconds)
        return {
            "began": began,
            "seconds": time.monotonic() - self._began,
            "requests": self._count,
            "failed": sum(sum(one.values()) for one in self._failed.values()),
            "statuses": {str(status): n for status, n in sorted(self._statuses.items())},
            "by_second": [
                {"second": n, "answers": self._answers[n], "failed": self._failed[n]}
                for n in sorted({*self._answers, *self._failed})
            ],
            "failures": self._failures[:200],
            "middle_seconds": percentile(times, 0.5),
            "p99_seconds": percentile(times, 0.99),
            "longest_seconds": percentile(times, 1.0),
            "good_in_a_row": self._row,
        }

    def _work(self, delay: float) -> None:
        targets = Targets()
        time.sleep(delay)
        while self._goes_on():
            began = time.monotonic()
            self._ask(targets, began)
            time.sleep(max(0.0, self.pause - (time.monotonic() - began)))

    def _goes_on(self) -> bool:
        if time.monotonic() - self._began > self.at_most_seconds:
            return False
        if self.good_in_a_row and self._row >= self.good_in_a_row:
            return False
        return not (self._asked_to_end.is_set() and self._count >= self.at_least_requests)

    def _ask(self, targets: Targets, began: float) -> None:
        kind, status, answered_by = "", 0, ""
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            # bound first: the port is known then, also where the connection is refused
            connection.bind(("", 0))
            own_port = connection.getsockname()[1]
            connection.settimeout(self.timeout)
            try:
                connection.connect((self.host, self.port))
            finally:
                answered_by = targets.of(own_port, self.host, self.port)
            status = self._exchange(connection)
            if not (status < 400 if self.status is None else status == self.status):
                kind = f"answered {status}"
        except (OSError, http.client.HTTPException) as error:
            kind = kind_of(error)
        finally:
            connection.close()
        self._note(began, kind, status, answered_by)

    def _exchange(self, connection: socket.socket) -> int:
        client = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        client.sock = connection
        headers = {"Connection": "close", "Host": self.name, "User-Agent": "imgopt-load"}
        client.request("GET", self.path, headers=headers)
        response = client.getresponse()
        response.read()
        return response.status

    def _note(self, began: float, kind: str, status: int, answered_by: str) -> None:
        now = time.monotonic()
        second = int(now - self._began)
        with self._lock:
            self._count += 1
            self._statuses[status] += 1
            if kind:
                self._row = 0
                self._failed[second][answered_by] += 1
                at = round(now - self._began, 2)
                self._failures.append({"at": at, "kind": kind, "by": answered_by})
            else:
                self._row += 1
                self._answers[second][answered_by] += 1
                self._seconds.append(now - began)


def delays(workers: int, spread: float) -> list[float]:
    """After which each of them begins."""
    return [spread * number / workers for number in range(workers)]


def kind_of(error: Exception) -> str:
    """In a user's words."""
    if isinstance(error, TimeoutError):
        return _TIMED_OUT
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
        return "cut"
    if isinstance(error, http.client.IncompleteRead):
        return "cut"
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "no HTTP"


def percentile(ordered: list[float], share: float) -> float | None:
    """The smallest that at least `share` of all are not above."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else None


class Targets:
    """Which pod a connection to a service's address went to, as the kernel's table of connections
    says it (ctnetlink); "" where nobody may ask or nothing was translated."""

    def __init__(self) -> None:
        self._netlink: socket.socket | None = None
        self._own: dict[str, str] = {}
        self._number = 0
        with contextlib.suppress(OSError, AttributeError):
            self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # netfilter
            self._netlink.settimeout(1.0)
            self._netlink.bind((0, 0))

    def of(self, own_port: int, host: str, port: int) -> str:
        if self._netlink is None:
            return ""
        self._number += 1
        try:
            query = conntrack_query(self._own_address(host), own_port, host, port, self._number)
            self._netlink.send(query)
            return conntrack_answer(self._netlink.recv(65536), host)
        except OSError:
            self._netlink = None
            return ""

    def _own_address(self, host: str) -> str:
        """What the machine's own connections to there come from; nothing is sent."""
        if host not in self._own:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((host, 9))
                self._own[host] = probe.getsockname()[0]
        return self._own[host]


_GET, _NEW, _ERROR = 0x101, 0x100, 2
_ORIGINAL, _REPLY = 1, 2
_IP, _PROTOCOL = 1, 2
_SOURCE, _DESTINATION = 1, 2
_NESTED = 0x8000


def conntrack_query(source: str, own_port: int, host: str, port: int, number: int) -> bytes:
    """CT_GET for one TCP connection, by its original direction (linux/nfnetlink_conntrack.h)."""
    addresses = _attribute(_SOURCE, socket.inet_aton(source)) + _attribute(
        _DESTINATION, socket.inet_aton(host)
    )
    ports = (
        _attribute(1, bytes([socket.IPPROTO_TCP]))
        + _attribute(2, struct.pack("!H", own_port))
        + _attribute(3, struct.pack("!H", port))
    )
    inside = _attribute(_IP | _NESTED, addresses) + _attribute(_PROTOCOL | _NESTED, ports)
    body = struct.pack("!BBH", socket.AF_INET, 0, 0) + _attribute(_ORIGINAL | _NESTED, inside)
    return struct.pack("=IHHII", 16 + len(body), _GET, 1, number, 0) + body


def conntrack_answer(message: bytes, host: str) -> str:
    """Where the answers come from, if it is not the address that was asked."""
    if len(message) < 20 or struct.unpack_from("=H", message, 4)[0] != _NEW:
        return ""
    reply = _attributes(message[20:]).get(_REPLY, b"")
    source = _attributes(_attributes(reply).get(_IP, b"")).get(_SOURCE, b"")
    address = socket.inet_ntoa(source) if len(source) == 4 else ""
    return "" if address == host else address


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[4:length]
        data = data[length + (-length % 4) :]
    return found


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
