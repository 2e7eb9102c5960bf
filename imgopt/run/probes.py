"""What a running container is asked, and what it answers. Every request goes to a port published on
127.0.0.1."""

from __future__ import annotations

import contextlib
import http.client
import shlex
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from imgopt.engine import Container
from imgopt.requests.request import JSON, shown
from imgopt.run.memory import Memory
from imgopt.run.websocket import first_message

MOST_BODY = 1 << 20
_ANSWER_SECONDS = 30.0
_BODY_SECONDS = 10.0
_SOCKET_SECONDS = 5.0
_ACCEPTED = "text/html,application/json;q=0.9,*/*;q=0.8"
_EVENTS = "text/event-stream"
_COMMAND_SECONDS = 60.0
COMPARED_HEADERS = ("content-type", "location", "www-authenticate", "content-encoding")
TOO_SLOW = "no answer in time"
_KEPT_HEADERS = (*COMPARED_HEADERS, "cache-control")
UNKNOWN_PATH = "/imgopt/no-such-page"
"""Asked of every HTTP service: a site for one page answers it with that page, and a rewrite must
keep that."""
GUESS_SECONDS = 5.0
"""How long the original is waited for where a path is only guessed."""

Scheme = Literal["http", "https", "tcp"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One question. `source`: "user" settings, the "image" (its HEALTHCHECK), "found" by looking at
    the original's answers, or a path of the "site" whose files it serves."""

    kind: Literal["http", "websocket", "tcp", "command"]
    source: Literal["user", "image", "found", "site"]
    port: int = 0
    path: str = ""
    text: str | None = None
    scheme: Scheme = "http"
    command: tuple[str, ...] = ()
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    status: int | None = None
    """What the user expects; None: nothing."""
    saves: tuple[tuple[str, str], ...] = ()
    """What later requests take from the answer (`imgopt.requests.request`)."""
    label: str = ""
    """What tells it from another one of the same method and path."""

    @property
    def plain(self) -> bool:
        """Whether it is a GET that depends on nothing that was asked before."""
        return self.kind == "http" and self.method == "GET" and not (self.label or self.saves)

    @property
    def changes(self) -> bool:
        """Whether it may change something of the service's data."""
        return self.kind == "http" and self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def name(self) -> str:
        """As it is shown: `GET :8000/health`, `POST :8000/notes`, `run: id`. Every image is asked
        by its own HEALTHCHECK."""
        if self.kind == "command":
            return "HEALTHCHECK" if self.source == "image" else f"run: {shlex.join(self.command)}"
        if self.kind == "tcp":
            return f"connect :{self.port}"
        method = "WebSocket" if self.kind == "websocket" else self.method
        place = f"{'https://' if self.scheme == 'https' else ''}:{self.port}{shown(self.path)}"
        return f"{method} {place}{f' ({self.label})' if self.label else ''}"


_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""zlib's `wbits`; some servers send "deflate" without the header of zlib (RFC 9110, section
8.4.1.2)."""
_MOST_BYTES_CODED = 16 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is HTTP's, or a command's exit code; None with `error` when there was none. `body`
    is at most 1 MiB (`cut`: there was more, or it went on after 10 s)."""

    probe: Probe
    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut: bool = False
    error: str = ""
    seconds: float = 0.0

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def plain_body(self) -> bytes | None:
        """The body without its content coding (RFC 9110, section 8.4.1); None for one that cannot
        be undone here."""
        coding = self.header("content-encoding").strip().lower()
        if coding in ("", "identity"):
            return self.body
        for window in _WINDOWS.get(coding, ()):
            with contextlib.suppress(zlib.error):
                return zlib.decompressobj(window).decompress(self.body, _MOST_BYTES_CODED)
        return None


def ask(
    probe: Probe,
    container: Container,
    ports: Mapping[str, int],
    patience: float = _ANSWER_SECONDS,
    memory: Memory | None = None,
) -> Answer:
    """Puts one question; `memory` has what earlier answers gave and takes what this one gives.
    Never raises for what the container does."""
    if probe.kind == "command":
        return _execute(probe, container)
    host_port = ports.get(f"{probe.port}/tcp")
    if host_port is None:
        return Answer(probe, None, error=f"port {probe.port} is not published")
    if probe.kind == "websocket":
        return _open_socket(probe, host_port)
    if probe.kind == "tcp":
        return connect_to(probe, host_port)
    return get(probe, host_port, patience, memory)


def get(
    probe: Probe, host_port: int, patience: float = _ANSWER_SECONDS, memory: Memory | None = None
) -> Answer:
    """One HTTP request, with the host name and port that the container itself would see, so that
    answers naming them are alike."""
    started = time.monotonic()
    path, headers, sent = _as_sent(probe, memory)
    connection = _connection(probe.scheme, host_port, patience)
    try:
        connection.putrequest(probe.method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(sent or None)
        stream = connection.sock  # the response takes it over
        response = connection.getresponse()
        body, cut = _body(response, stream)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(probe, None, error=_said(error), seconds=time.monotonic() - started)
    finally:
        connection.close()
    kept = tuple(
        (name, response.headers[name]) for name in _KEPT_HEADERS if name in response.headers
    )
    answer = Answer(probe, response.status, kept, body, cut, seconds=time.monotonic() - started)
    if memory is not None:
        memory.learn(probe.port, probe.saves, response.headers, answer.plain_body or body)
    return answer


def _as_sent(probe: Probe, memory: Memory | None) -> tuple[str, list[tuple[str, str]], bytes]:
    """Path, headers and body of a request, with what the memory knows in it."""
    known = memory or Memory()
    path, sent = known.filled(probe.path), known.filled_body(probe.body)
    given = {name.lower() for name, _ in probe.headers}
    json_first = any(
        name.lower() == "content-type" and JSON in value for name, value in probe.headers
    )
    cookies = known.cookie_header(probe.port)
    own = [
        ("Host", f"localhost:{probe.port}"),
        ("User-Agent", "imgopt"),
        ("Accept", f"{JSON}, */*;q=0.8" if json_first else _ACCEPTED),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        *((("Content-Length", str(len(sent))),) if sent or probe.changes else ()),
        *((("Cookie", cookies),) if cookies else ()),
    ]
    theirs = [(name, known.filled(value)) for name, value in probe.headers]
    return path, [*(pair for pair in own if pair[0].lower() not in given), *theirs], sent


def _open_socket(probe: Probe, host_port: int) -> Answer:
    """The handshake of a WebSocket, and the first message that comes of it."""
    started = time.monotonic()
    try:
        connection = _connection(probe.scheme, host_port, _SOCKET_SECONDS)
        connection.connect()
        with connection.sock as stream:
            status, message = first_message(stream, probe.path, f"localhost:{probe.port}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(probe, None, error=_said(error), seconds=time.monotonic() - started)
    return Answer(probe, status, (), message, seconds=time.monotonic() - started)


def connect_to(probe: Probe, host_port: int) -> Answer:
    """For a port that does not speak HTTP: whether it takes a connection and keeps it for half a
    second."""
    started = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", host_port), timeout=5) as connection:
            connection.settimeout(0.5)
            greeted = True
            with contextlib.suppress(TimeoutError):  # silence is what most protocols begin with
                greeted = connection.recv(256) != b""
    except OSError as error:
        return Answer(probe, None, error=_said(error), seconds=time.monotonic() - started)
    error_text = "" if greeted else "closes at once"
    return Answer(
        probe, 0 if greeted else None, error=error_text, seconds=time.monotonic() - started
    )


def speaks(port: int, path: str, host_port: int, patience: float) -> Answer:
    """The first answer of a port, in the protocol it speaks: HTTP, HTTPS, or only TCP."""
    plain = get(Probe("http", "found", port, path), host_port, patience)
    if plain.status is not None and not (plain.status == 400 and b"HTTPS" in plain.body[:2000]):
        return plain
    if (
        plain.error == TOO_SLOW
    ):  # a TLS server does not wait: it answers what is no handshake, or closes
        return connect_to(Probe("tcp", "found", port, scheme="tcp"), host_port)
    secure = get(Probe("http", "found", port, path, scheme="https"), host_port, min(patience, 5.0))
    if secure.status is not None:
        return secure
    return connect_to(Probe("tcp", "found", port, scheme="tcp"), host_port)


def _connection(scheme: Scheme, port: int, patience: float) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    trusting = (
        ssl.create_default_context()
    )  # the container's own certificate: it is compared, not trusted
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=patience, context=trusting)


def _body(response: http.client.HTTPResponse, stream: socket.socket) -> tuple[bytes, bool]:
    end, body = time.monotonic() + _BODY_SECONDS, b""
    events = response.headers.get_content_type() == _EVENTS
    while len(body) < MOST_BODY:
        if events and b"\n\n" in (plain := body.replace(b"\r\n", b"\n")):
            return plain.partition(b"\n\n")[0], False  # such a stream has no end
        left = end - time.monotonic()
        if left <= 0:
            return body, True
        if stream.fileno() >= 0:
            stream.settimeout(left)
        try:
            piece = response.read1(1 << 16)
        except TimeoutError:
            return body, True
        except http.client.IncompleteRead as error:
            return body + error.partial, True
        if not piece:
            return body, False
        body += piece
    return body[:MOST_BODY], True


def _execute(probe: Probe, container: Container) -> Answer:
    started = time.monotonic()
    output = container.exec(probe.command, timeout=_COMMAND_SECONDS)
    error = "" if output.code is not None else f"did not end within {_COMMAND_SECONDS:.0f} s"
    body = output.stdout + (b"\n" + output.stderr if output.stderr else b"")
    return Answer(
        probe,
        output.code,
        (),
        body[:MOST_BODY],
        len(body) > MOST_BODY,
        error,
        time.monotonic() - started,
    )


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return TOO_SLOW
    if isinstance(error, http.client.HTTPException):
        return "the answer is not HTTP"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
