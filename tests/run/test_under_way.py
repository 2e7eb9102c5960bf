"""Requests that are being answered when a service is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from imgopt.run.probes import Answer, Probe
from imgopt.run.under_way import COUNT, UnderWay, slowest

PAGE = Probe("http", "found", 8000, "/")
GO_ON = Event()


class Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        GO_ON.wait(10)
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"ab")
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def service() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.mark.parametrize(("path", "cut"), [("/", 0), ("/cut", COUNT)])
def test_what_is_not_answered_to_the_end_is_cut(path: str, cut: int) -> None:
    GO_ON.clear()
    with service() as port:
        under_way = UnderWay(Probe("http", "found", 8000, path), port)
        GO_ON.set()
        assert under_way.cut() == cut


def test_what_nobody_takes_is_cut() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert UnderWay(PAGE, closed.getsockname()[1]).cut() == COUNT


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(PAGE, 200, seconds=0.05), False),
        (Answer(PAGE, 200, seconds=1.5), True),
        (Answer(PAGE, 200, seconds=20.0), False),
        (Answer(PAGE, 500, seconds=1.5), False),
        (Answer(PAGE, None, seconds=1.5), False),
        (Answer(Probe("http", "found", 8000, "/", method="POST"), 200, seconds=1.5), False),
        (Answer(Probe("command", "image", command=("x",)), 0, seconds=1.5), False),
    ],
)
def test_a_page_is_asked_that_takes_long_enough(answer: Answer, found: bool) -> None:
    assert (slowest([Answer(PAGE, 200, seconds=0.1), answer]) is not None) is found
