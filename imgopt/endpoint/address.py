"""Addresses of engines, as docker/cli `opts/hosts.go` reads them."""

from __future__ import annotations

from urllib.parse import urlsplit

DEFAULT_SOCKET = "/var/run/docker.sock"
_TCP_HOST, _TCP_PORT, _TLS_PORT = "localhost", 2375, 2376


def parse_host(text: str, *, tls: bool = False) -> str:
    """The whole address for what a user writes into DOCKER_HOST. Raises ValueError with the
    reason."""
    text = text.strip()
    if not text:
        return f"tcp://{_TCP_HOST}:{_TLS_PORT}" if tls else f"unix://{DEFAULT_SOCKET}"
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "tcp", text
    if "://" in rest:
        raise ValueError("it has two schemes")
    if scheme == "tcp":
        return _tcp(rest)
    if scheme == "unix":
        return f"unix://{rest or DEFAULT_SOCKET}"
    if scheme in ("npipe", "ssh") and rest:
        return f"{scheme}://{rest}"
    raise ValueError(f"{scheme}:// is not unix://, tcp:// or ssh://")


def _tcp(rest: str) -> str:
    parts = urlsplit(f"tcp://{rest}")
    port = parts.port  # ValueError above 65535 and for what is no number
    if parts.path or parts.query or parts.username or port == 0:
        raise ValueError("after tcp:// comes HOST:PORT and no more")
    host = parts.hostname or _TCP_HOST
    return f"tcp://{f'[{host}]' if ':' in host else host}:{port or _TCP_PORT}"


def socket_path(host: str) -> str | None:
    """The path of a Unix socket's address."""
    return host.removeprefix("unix://") if host.startswith("unix://") else None
