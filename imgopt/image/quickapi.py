"""The two questions that reading the engine's store takes, over its Unix socket.

The Docker SDK answers the same, but importing it (or the standard library's HTTP client) takes longer than looking into
an image does. Whatever is unusual here (another transport, an error, an unknown image) is left to the SDK.
"""

from __future__ import annotations

import os
import socket
from typing import Any
from urllib.parse import quote

import msgspec

_SOCKET = "unix:///var/run/docker.sock"
_SECONDS = 10


def ask_store(reference: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """(info, inspect) of the engine for an image; None where the SDK has to be asked."""
    host = os.environ.get("DOCKER_HOST") or _SOCKET
    if not host.startswith("unix://"):
        return None
    path = host.removeprefix("unix://")
    try:
        return _get(path, "/info"), _get(path, f"/images/{quote(reference, safe='/:@')}/json")
    except (OSError, msgspec.DecodeError, ValueError):
        return None


def _get(path: str, url: str) -> dict[str, Any]:
    """By HTTP/1.0, whose answers end with the connection. Raises ValueError for all but a plain success."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(path)
        connection.sendall(f"GET {url} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] != [b"200"] or b"transfer-encoding" in head.lower():
        raise ValueError(url)
    return msgspec.json.decode(body, type=dict[str, Any])
