"""What reading an image of the engine takes, over its Unix socket.

The Docker SDK answers the same, but importing it (or the standard library's HTTP client) takes
longer than looking into an image does. Whatever is unusual here (another transport, an error, an
unknown image) is left to the SDK.
"""

from __future__ import annotations

import socket
from typing import Any, BinaryIO
from urllib.parse import quote

import msgspec

from imgopt.endpoint import current

_SECONDS = 10
_PIECE = 1 << 20


def ask_store(reference: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """(info, inspect) of the engine for an image; None where the SDK has to be asked."""
    try:
        return _get("/info"), _get(f"/images/{quote(reference, safe='/:@')}/json")
    except (OSError, msgspec.DecodeError, ValueError):
        return None


def save(image_id: str, target: BinaryIO) -> bool:
    """`docker save` into a file, for half of the SDK's processor time; False where the SDK has to
    do it.

    Raises OSError where the file cannot be written. An answer that breaks off leaves an archive
    without its end.
    """
    try:
        connection, first = _ask(f"/images/{quote(image_id, safe=':')}/get", seconds=None)
    except (OSError, ValueError):
        return False
    piece = memoryview(bytearray(_PIECE))
    with connection:
        target.write(first)
        while count := _received(connection, piece):
            target.write(piece[:count])
    return True


def _received(connection: socket.socket, piece: memoryview) -> int:
    try:
        return connection.recv_into(piece)
    except ConnectionError:  # the archive lacks its end, and its reader says so
        return 0


def _get(url: str) -> dict[str, Any]:
    connection, first = _ask(url, _SECONDS)
    with connection:
        body = first + b"".join(iter(lambda: connection.recv(_PIECE), b""))
    return msgspec.json.decode(body, type=dict[str, Any])


def _ask(url: str, seconds: float | None) -> tuple[socket.socket, bytes]:
    """By HTTP/1.0, whose answers end with the connection: the connection, and what has come of the
    body.

    Raises ValueError for all but a plain success, OSError where nobody answers.
    """
    endpoint = current()
    if endpoint.socket is None:
        raise ValueError(endpoint.host)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(endpoint.socket)
        connection.sendall(f"GET {url} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (more := connection.recv(1 << 16)):
            answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] != [b"200"] or b"transfer-encoding" in head.lower():
            raise ValueError(url)
    except BaseException:
        connection.close()
        raise
    return connection, body
