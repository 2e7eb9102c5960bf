"""Canned answers of hosts that a run must not reach: a small server of ours at the gateway of the
run's network says what the configuration says."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imgopt.config import AnswerSection
from imgopt.errors import EnvironmentFailure, InputError

_CHUNK_PAUSE = 0.02
_PORTS = {"http": 80, "https": 443}
_MOST_BODY = 16 << 20


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """What is answered to `method` ("" any) of `path`, which may end with `*`. Of `chunks` each is
    sent on its own where there are several."""

    scheme: str
    host: str
    port: int
    path: str
    method: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: tuple[bytes, ...] = (b"",)
    streams: bool = False

    def fits(self, host: str, port: int, method: str, path: str) -> bool:
        if (self.host, self.port) != (host, port) or self.method not in ("", method):
            return False
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path or path.partition("?")[0] == self.path


def answers_of(sections: Sequence[AnswerSection], folder: Path) -> tuple[CannedAnswer, ...]:
    """As `[[smoke.answers]]` says; a relative `file` lies below `folder`. Raises InputError."""
    return tuple(_answer(section, folder) for section in sections)


def _answer(section: AnswerSection, folder: Path) -> CannedAnswer:
    place = urlsplit(section.url)
    if place.scheme not in _PORTS or not place.hostname:
        raise InputError(
            f"answers under [smoke]: {section.url!r} is no address",
            hint="write https://HOST/PATH, where PATH may end with *",
        )
    kind, chunks = _body(section, folder)
    path = place.path or "/"
    return CannedAnswer(
        place.scheme,
        place.hostname,
        place.port or _PORTS[place.scheme],
        f"{path}?{place.query}" if place.query else path,
        (section.method or "").upper(),
        section.status,
        {"Content-Type": kind, **section.headers},
        chunks,
        bool(section.stream),
    )


def _body(section: AnswerSection, folder: Path) -> tuple[str, tuple[bytes, ...]]:
    if section.stream:
        return "text/event-stream", tuple(text.encode() for text in section.stream)
    if section.json is not None:
        return "application/json", (json.dumps(section.json).encode(),)
    if section.file is not None:
        try:
            return "application/octet-stream", ((folder / section.file).read_bytes(),)
        except OSError as error:
            raise InputError(
                f"answers under [smoke]: {section.file} cannot be read: {error.strerror}"
            ) from None
    return "text/plain; charset=utf-8", ((section.body or "").encode(),)


class Desk:
    """What was asked of the server, in its order."""

    def __init__(self, answers: Sequence[CannedAnswer]) -> None:
        self._answers = tuple(answers)
        self.hosts: set[str] = set()
        self.unknown: list[str] = []
        """Requests without an answer: `GET https://host/path`."""

    def find(
        self, scheme: str, host: str, port: int, method: str, path: str
    ) -> CannedAnswer | None:
        """The first that fits; the host counts as reached."""
        self.hosts.add(host)
        fits = (one for one in self._answers if one.fits(host, port, method, path))
        found = next(fits, None)
        if found is None:
            self.unknown.append(f"{method} {scheme}://{host}{path}")
        return found


@contextlib.contextmanager
def served(
    answers: Sequence[CannedAnswer], address: str, certificate: Path | None
) -> Iterator[Desk]:
    """Serves them at this address of this machine; `certificate` is the folder of the authority.
    Raises EnvironmentFailure where a port cannot be had."""
    desk = Desk(answers)
    with contextlib.ExitStack() as stack:
        for scheme, port in sorted({(one.scheme, one.port) for one in answers}):
            server = stack.enter_context(_listening(desk, scheme, address, port))
            if scheme == "https" and certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate / "server.pem", certificate / "server.key")
                server.socket = context.wrap_socket(
                    server.socket, server_side=True, do_handshake_on_connect=False
                )
            thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(server.shutdown)
        yield desk


def _listening(desk: Desk, scheme: str, address: str, port: int) -> ThreadingHTTPServer:
    class Handler(_Handler):
        pass

    Handler.desk, Handler.scheme, Handler.port = desk, scheme, port
    try:
        server = ThreadingHTTPServer((address, port), Handler)
    except OSError as error:
        raise EnvironmentFailure(
            f"answers under [smoke] cannot be given at port {port} of {address}: {error.strerror}",
            hint="ports below 1024 take root; the engine has to be on this machine",
        ) from None
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    desk: Desk
    scheme: str
    port: int
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _MOST_BODY)
        if length:
            self.rfile.read(length)
        host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host") or ""
        found = self.desk.find(self.scheme, host, self.port, self.command, self.path)
        if found is None:
            said = json.dumps({"error": f"imgopt has no answer for {self.command} {self.path}"})
            self._send(404, {"Content-Type": "application/json"}, said.encode())
        elif found.streams:
            self._stream(found)
        else:
            self._send(found.status, found.headers, b"".join(found.chunks))

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, found: CannedAnswer) -> None:
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in found.chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
            time.sleep(_CHUNK_PAUSE)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        del format, args
