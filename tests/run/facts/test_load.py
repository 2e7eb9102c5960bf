from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from imgopt.run.facts.doors import Door
from imgopt.run.facts.load import Asked, Outcome, Reply, Workers, ask_once, load_of, put_under_load


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/held":
            self.held.wait(10)
        code = {"/broken": 500, "/busy": 429, "/gone": 404}.get(self.path, 200)
        self.send_response(code)
        self.send_header("Content-Length", "3" if self.path != "/short" else "30")
        if self.path == "/closes":  # without saying so: the next request finds it closed
            self.close_connection = True
        self.end_headers()
        self.wfile.write(b"yes")
        if self.path == "/short":
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def served() -> Iterator[Door]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Door("127.0.0.1", server.server_address[1], 8000)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def asked(door: Door, path: str) -> Reply:
    connection = door.http(5)
    try:
        return ask_once(connection, door, path)
    finally:
        connection.close()


def test_a_short_load_counts_what_was_answered() -> None:
    with served() as door:
        load = put_under_load(door, "/", Asked(seconds=0.3, workers=2))
    assert load.requests > 2
    assert (load.failed, load.workers, load.path) == (0, 2, "/")
    assert load.middle_seconds is not None and load.longest_seconds is not None
    assert load.middle_seconds <= (load.p95_seconds or 0) <= load.longest_seconds


def test_errors_and_refusals_are_failures_and_an_unknown_page_is_none() -> None:
    with served() as door:
        for path, failed in (("/broken", True), ("/busy", True), ("/gone", False)):
            load = put_under_load(door, path, Asked(seconds=0.1, workers=1))
            assert load.requests and load.failed == (load.requests if failed else 0), path


def test_an_answer_that_is_cut_is_no_answer() -> None:
    with served() as door:
        assert asked(door, "/short") == Reply(None, begun=True)


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        door = Door("127.0.0.1", held.getsockname()[1], 8000)
        assert asked(door, "/") == Reply(None, connected=False)


def test_a_kept_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with served() as door:
        connection = door.http(5)
        assert ask_once(connection, door, "/closes") == Reply(200, begun=True)
        time.sleep(0.05)
        assert ask_once(connection, door, "/") == Reply(200, begun=True)
        connection.close()


def test_requests_under_way_are_counted_and_waited_for() -> None:
    Service.held.clear()
    with served() as door, Workers(door, "/held", 3, anew=True) as workers:
        while workers.in_flight() < 3:
            time.sleep(0.01)
        threading.Timer(0.1, Service.held.set).start()
        outcomes = workers.end()
    assert len(outcomes) >= 3
    assert all(one.good for one in outcomes)


def test_figures_of_no_request_at_all() -> None:
    load = load_of((), "/", 1.0, 4)
    assert (load.requests, load.failed, load.per_second) == (0, 0, 0.0)
    assert load.middle_seconds is None and load.p95_seconds is None


def test_how_long_answers_took_is_said_of_good_ones() -> None:
    outcomes = [
        Outcome(0, 0.1, Reply(200)),
        Outcome(1, 0.3, Reply(200)),
        Outcome(2, 9.0, Reply(None)),
    ]
    load = load_of(outcomes, "/", 2.0, 1)
    assert (load.failed, load.longest_seconds, load.per_second) == (1, 0.3, 1.0)


def test_only_requests_that_are_old_enough_count_as_taken() -> None:
    Service.held.clear()
    with served() as door, Workers(door, "/held", 1, anew=True) as workers:
        while not workers.in_flight():
            time.sleep(0.01)
        assert workers.in_flight(least=60.0) == 0
        assert workers.typical() == 0.0
        Service.held.set()
        workers.end()
        assert workers.typical() > 0.0
