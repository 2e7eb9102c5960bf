"""The two questions that reading the engine's store takes, over its Unix socket.

The Docker SDK answers the same, but importing it takes longer than looking into an image does. Whatever is unusual
here (another transport, an error, an unknown image) is left to the SDK.
"""

from __future__ import annotations

import http.client
import os
import socket
from typing import Any
from urllib.parse import quote

import msgspec

_SOCKET = "unix:///var/run/docker.sock"
_SECONDS = 10


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)


def ask_store(reference: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """(info, inspect) of the engine for an image; None where the SDK has to be asked."""
    host = os.environ.get("DOCKER_HOST") or _SOCKET
    if not host.startswith("unix://"):
        return None
    connection = _Connection(host.removeprefix("unix://"))
    try:
        return _get(connection, "/info"), _get(connection, f"/images/{quote(reference, safe='/:@')}/json")
    except (OSError, http.client.HTTPException, msgspec.DecodeError, ValueError):
        return None
    finally:
        connection.close()


def _get(connection: _Connection, path: str) -> dict[str, Any]:
    connection.request("GET", path)
    with connection.getresponse() as response:
        body = response.read()
        if response.status != 200:
            raise ValueError(path)
    return msgspec.json.decode(body, type=dict[str, Any])
