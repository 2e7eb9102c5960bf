"""The load on a service: what it counts, how it waits, whom it asked."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from imgopt.deploy.prove import load
from imgopt.deploy.prove.loaded import (
    Address,
    Failure,
    Loaded,
    OneSecond,
    addresses,
    ask_until_good,
    release_names,
    said_of,
    seconds_by_release,
    start_load,
)


@contextmanager
def server(statuses: Iterator[int]) -> Iterator[int]:
    """Answers with one status after the other, then with 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = next(statuses, 200)
            if status == 0:  # cut in the middle
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    try:
        yield found.server_port
    finally:
        found.shutdown()
        found.server_close()


def loaded(port: int, **settings: Any) -> Loaded:
    running = start_load(Address("127.0.0.1", port), 20.0, pause=0.0, **settings)
    try:
        return running.finish()
    finally:
        running.kill()


def test_a_load_asks_as_often_as_it_is_told_before_it_ends() -> None:
    with server(iter(())) as port:
        found = loaded(port, at_least_requests=50)
    assert found.requests >= 50
    assert found.failed == 0
    assert sum(sum(one.answers.values()) for one in found.by_second) == found.requests
    assert found.statuses == {"200": found.requests}


def test_workers_begin_one_after_the_other_where_answers_take_long() -> None:
    assert load.delays(4, 8.0) == [0.0, 2.0, 4.0, 6.0]
    assert load.delays(2, 0.0) == [0.0, 0.0]


def test_what_is_no_good_answer_is_counted_by_its_kind() -> None:
    with server(iter((503, 0, 503))) as port:
        found = loaded(port, at_least_requests=30, workers=1, status=200)
    assert found.failed == 3
    assert sorted(one.kind for one in found.failures) == ["answered 503", "answered 503", "cut"]


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        found = loaded(held.getsockname()[1], at_least_requests=5, workers=1)
    assert found.failed == found.requests >= 5
    assert {one.kind for one in found.failures} == {"refused"}


def test_another_good_status_than_the_one_before_the_change_is_a_failure() -> None:
    with server(iter((302,))) as port:
        found = loaded(port, at_least_requests=5, workers=1, status=200)
    assert [one.kind for one in found.failures] == ["answered 302"]


def test_waiting_ends_when_enough_answers_in_a_row_were_good() -> None:
    with server(iter([*[200] * 15, 503])) as port:
        found = ask_until_good(Address("127.0.0.1", port), 20, 20.0)
    assert found.good_in_a_row >= 20
    assert found.failed == 1
    assert found.requests > 30  # those in front of the failure count no longer


def test_waiting_gives_up_in_time() -> None:
    with server(iter([503] * 1000)) as port:
        found = ask_until_good(Address("127.0.0.1", port), 20, 0.5)
    assert found.good_in_a_row == 0


def test_the_program_runs_without_imgopt() -> None:
    """In the cluster's network any interpreter may run it."""
    settings = json.dumps({"host": "127.0.0.1", "port": 1, "at_least_requests": 1})
    done = subprocess.run(
        [sys.executable, "-I", "-S", load.__file__, settings],
        input="",
        capture_output=True,
        text=True,
        check=True,
    )
    assert msgspec.json.decode(done.stdout, type=Loaded).failed > 0


@pytest.mark.parametrize(
    ("times", "share", "wanted"),
    [
        ([], 0.5, None),
        ([1.0], 0.5, 1.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([1.0, 2.0], 1.0, 2.0),
    ],
)
def test_a_percentile_is_one_of_the_measured_values(
    times: list[float], share: float, wanted: float | None
) -> None:
    assert load.percentile(times, share) == wanted


def test_a_query_of_the_table_of_connections_names_both_ends() -> None:
    query = load.conntrack_query("198.18.0.1", 40001, "198.19.0.7", 80, 5)
    length, kind, flags, number, _ = struct.unpack_from("=IHHII", query)
    assert (length, kind, flags, number) == (len(query), 0x101, 1, 5)
    for part in (
        socket.inet_aton("198.18.0.1"),
        socket.inet_aton("198.19.0.7"),
        struct.pack("!H", 40001),
    ):
        assert part in query


def answer_of(reply_source: str) -> bytes:
    """CT_NEW as the kernel sends it: the original direction, then the reply's."""

    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)

    def direction(kind: int, source: str, target: str) -> bytes:
        ip = attribute(1, socket.inet_aton(source)) + attribute(2, socket.inet_aton(target))
        return attribute(kind | 0x8000, attribute(1 | 0x8000, ip))

    body = (
        b"\x02\0\0\0"
        + direction(1, "198.18.0.1", "198.19.0.7")
        + direction(2, reply_source, "198.18.0.1")
    )
    return struct.pack("=IHHII", 16 + len(body), 0x100, 0, 5, 0) + body


def test_the_pod_is_whoever_answers_in_place_of_the_service() -> None:
    assert load.conntrack_answer(answer_of("198.18.19.4"), "198.19.0.7") == "198.18.19.4"


@pytest.mark.parametrize(
    "message",
    [
        answer_of("198.19.0.7"),
        b"",
        struct.pack("=IHHIIi", 20, 2, 0, 5, 0, -2),
        answer_of("198.18.19.4")[:30],
    ],
    ids=["not translated", "empty", "an error", "cut short"],
)
def test_nobody_is_named_where_the_kernel_does_not_say(message: bytes) -> None:
    assert load.conntrack_answer(message, "198.19.0.7") == ""


OLD, NEW = "198.18.19.2", "198.18.19.5"
RELEASES = {OLD: "release 1", NEW: "release 2"}


def of(*seconds: OneSecond, failures: tuple[Failure, ...] = ()) -> Loaded:
    asked = sum(sum(one.answers.values()) + sum(one.failed.values()) for one in seconds)
    failed = sum(sum(one.failed.values()) for one in seconds)
    return Loaded(
        began=0.0,
        seconds=3.0,
        requests=asked,
        failed=failed,
        by_second=list(seconds),
        failures=list(failures),
    )


def test_seconds_say_which_release_answered_and_have_no_gaps() -> None:
    found = seconds_by_release(
        of(OneSecond(0, {OLD: 9}, {}), OneSecond(2, {OLD: 1, NEW: 4, "": 2}, {NEW: 3})), RELEASES
    )
    assert [one.second for one in found] == [0, 1, 2]
    assert found[1].answers == {} and found[1].failed == 0
    assert found[2].answers == {"all": 2, "release 1": 1, "release 2": 4} and found[2].failed == 3


def test_the_sentence_of_a_good_update_is_the_count_alone() -> None:
    assert said_of(of(OneSecond(0, {OLD: 3008}, {})), RELEASES) == "0 of 3,008 requests failed"


def test_the_sentence_of_a_bad_update_says_kinds_and_releases() -> None:
    failures = (
        Failure(1.0, "refused", NEW),
        Failure(1.1, "refused", NEW),
        Failure(2.0, "cut", OLD),
    )
    found = of(OneSecond(1, {OLD: 7}, {NEW: 2, OLD: 1}), failures=failures)
    assert (
        said_of(found, RELEASES)
        == "3 of 10 requests failed: cut 1 (1 release 1), refused 2 (2 release 2)"
    )


def test_releases_are_numbered_as_they_came() -> None:
    seen = addresses(
        ["web-1 198.18.19.2 aaa", "web-2  bbb", "web-2 198.18.19.5 bbb", "web-1 198.18.19.2 aaa"]
    )
    assert seen == [(OLD, "aaa"), (NEW, "bbb"), (OLD, "aaa")]
    assert release_names(release for _, release in seen) == {"aaa": "release 1", "bbb": "release 2"}
