"""Where a container's port is asked from here: at its own address where this machine reaches it, so
that a refused connection is the container's and not the engine's proxy's; else where it is
published."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass

from imgopt.engine import Container
from imgopt.run.probes import Scheme


@dataclass(frozen=True, slots=True)
class Door:
    """An address that takes connections for `port` of a container."""

    host: str
    at: int
    port: int
    scheme: Scheme = "http"

    @property
    def is_direct(self) -> bool:
        """Whether no proxy of the engine stands in between."""
        return self.host != "127.0.0.1"

    def connect(self, timeout: float) -> socket.socket:
        """Raises OSError."""
        return socket.create_connection((self.host, self.at), timeout=timeout)

    def http(self, timeout: float) -> http.client.HTTPConnection:
        """For requests; nothing is sent yet. A certificate is not checked: it is the container's
        own."""
        if self.scheme != "https":
            return http.client.HTTPConnection(self.host, self.at, timeout=timeout)
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(self.host, self.at, timeout=timeout, context=trusting)


def door_to(container: Container, port: int, scheme: Scheme = "http", *, local: bool) -> Door:
    """Of a running container; `local`: the engine is on this machine. Raises ValueError where there
    is no way to it."""
    made = container.inspect()
    if local and made["HostConfig"].get("NetworkMode") == "host":
        return Door("127.0.0.1", port, port, scheme)
    seen = made["NetworkSettings"]
    networks = (seen.get("Networks") or {}).values() if local else ()
    for address in (str(one.get("IPAddress") or "") for one in networks):
        if address and _is_reached(address, port):
            return Door(address, port, port, scheme)
    published = container.ports().get(f"{port}/tcp")
    if published is None:
        raise ValueError(f"port {port} is not published")
    return Door("127.0.0.1", published, port, scheme)


def _is_reached(address: str, port: int) -> bool:
    """Whether the address answers: a refused connection is an answer, silence is none."""
    try:
        socket.create_connection((address, port), timeout=0.5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
