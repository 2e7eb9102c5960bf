"""Which engine is asked: resolved in one place, for every command and for the processes that they
start.

The order is the docker CLI's own (docker/cli `resolveContextName` and `resolveDockerEndpoint`):
DOCKER_HOST, else DOCKER_CONTEXT, else `currentContext` of config.json, else the default socket.
Only where that socket does not exist are those of a rootless engine and of Docker Desktop looked
for, which the docker CLI leaves to a context.
"""

from __future__ import annotations

import hashlib
import os
import platform
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from imgopt.endpoint.address import DEFAULT_SOCKET, parse_host, socket_path
from imgopt.errors import EnvironmentFailure

__all__ = ["Endpoint", "Tls", "config_folder", "current", "is_local", "nearby", "resolve"]

_VARIABLES = (
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "HOME",
    "XDG_RUNTIME_DIR",
)
_CHOOSING = ("DOCKER_HOST", "DOCKER_CONTEXT", "BUILDX_BUILDER")
_MATERIAL = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of PEM files. `verify` False takes any certificate that the engine shows."""

    ca: str | None
    cert: str | None
    key: str | None
    verify: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One engine's address. `origin` says in words where it came from; `context` is the docker
    context, if one did."""

    host: str
    origin: str
    context: str | None = None
    tls: Tls | None = None

    @property
    def socket(self) -> str | None:
        """The path of its Unix socket."""
        return socket_path(self.host)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """For a process that is to ask the very same engine, by the docker CLI or one of its
        plugins."""
        kept = {name: value for name, value in environ.items() if name not in _CHOOSING}
        return kept | (
            {"DOCKER_CONTEXT": self.context} if self.context else {"DOCKER_HOST": self.host}
        )

    def __str__(self) -> str:
        return f"{self.host} ({self.origin})"


def current() -> Endpoint:
    """The endpoint of this process. It stays the same while it runs, also where the user's context
    is changed."""
    return _kept(tuple((name, os.environ.get(name)) for name in _VARIABLES))


@cache
def _kept(variables: tuple[tuple[str, str | None], ...]) -> Endpoint:
    return resolve({name: value for name, value in variables if value is not None})


def resolve(environ: Mapping[str, str], exists: Callable[[str], bool] = os.path.exists) -> Endpoint:
    """From variables and the docker CLI's own files. Raises EnvironmentFailure for an address or a
    context that is none."""
    folder = config_folder(environ)
    if environ.get("DOCKER_HOST"):
        return _of_variables(environ, folder, "DOCKER_HOST")
    name, origin = environ.get("DOCKER_CONTEXT", ""), "DOCKER_CONTEXT"
    if not name:
        name, origin = _current_context(folder), str(folder / "config.json")
    if name and name != "default":
        return _of_context(folder, name, origin)
    if not _uses_tls(environ) and not exists(DEFAULT_SOCKET):
        for path, owner in nearby(environ):
            if owner != "Podman" and exists(path):
                return Endpoint(f"unix://{path}", f"{owner}, for want of {DEFAULT_SOCKET}")
    return _of_variables(environ, folder, "the default")


def nearby(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Sockets that other engines of this user have by default, and whose they are."""
    home = _home(environ)
    found = [
        (home / ".docker/run/docker.sock", "Docker Desktop"),
        (home / ".docker/desktop/docker.sock", "Docker Desktop"),
        (Path("/run/podman/podman.sock"), "Podman"),
    ]
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        found.insert(0, (Path(runtime, "docker.sock"), "the rootless engine"))
        found.append((Path(runtime, "podman/podman.sock"), "Podman"))
    return [(str(path), owner) for path, owner in found]


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def config_folder(environ: Mapping[str, str]) -> Path:
    """Where the docker CLI keeps its configuration, contexts and plugins."""
    return (
        Path(environ["DOCKER_CONFIG"])
        if environ.get("DOCKER_CONFIG")
        else _home(environ) / ".docker"
    )


def _current_context(folder: Path) -> str:
    """As in the docker CLI, a configuration that cannot be read counts as none."""
    try:
        return str(_json(folder / "config.json").get("currentContext") or "")
    except (OSError, ValueError):
        return ""


def _json(path: Path) -> dict[str, Any]:
    import msgspec

    return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])


def _of_variables(environ: Mapping[str, str], folder: Path, origin: str) -> Endpoint:
    given = environ.get("DOCKER_HOST", "")
    try:
        host = parse_host(given, tls=_uses_tls(environ))
    except ValueError as error:
        raise EnvironmentFailure(
            f"DOCKER_HOST={given} is no address of an engine: {error}",
            hint=(
                "for instance unix:///var/run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST; or"
                " unset it"
            ),
        ) from None
    uses_tls = _uses_tls(environ) and host.startswith("tcp://")
    return Endpoint(host, origin, None, _tls_of_variables(environ, folder) if uses_tls else None)


def _uses_tls(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("DOCKER_TLS_VERIFY") or environ.get("DOCKER_TLS"))


def _tls_of_variables(environ: Mapping[str, str], folder: Path) -> Tls:
    place = Path(environ.get("DOCKER_CERT_PATH") or folder)
    ca, cert, key = (str(place / name) if (place / name).exists() else None for name in _MATERIAL)
    return Tls(ca, cert, key, verify=bool(environ.get("DOCKER_TLS_VERIFY")))


def _of_context(folder: Path, name: str, origin: str) -> Endpoint:
    identity = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "contexts" / "meta" / identity / "meta.json"
    try:
        docker = (_json(file).get("Endpoints") or {})["docker"]
        host, skips = (
            str(docker.get("Host") or f"unix://{DEFAULT_SOCKET}"),
            bool(docker.get("SkipTLSVerify")),
        )
    except FileNotFoundError:
        raise EnvironmentFailure(
            f'{origin} names the docker context "{name}", which does not exist',
            hint=(
                "`docker context ls` lists those that do; `docker context use default` goes back to"
                " the default"
            ),
        ) from None
    except (OSError, ValueError, LookupError, AttributeError):
        raise EnvironmentFailure(
            f'the docker context "{name}" cannot be read from {file}',
            hint=f"`docker context inspect {name}` shows it; `docker context rm {name}` removes it",
        ) from None
    place = folder / "contexts" / "tls" / identity / "docker"
    ca, cert, key = (str(place / part) if (place / part).exists() else None for part in _MATERIAL)
    tls = Tls(ca, cert, key, not skips) if ca or cert or key or skips else None
    return Endpoint(
        host, f'the docker context "{name}"', name, tls if host.startswith("tcp://") else None
    )


def is_local(host: str, info: Mapping[str, Any]) -> bool:
    """Whether the engine sees this machine's files, processes and ports: a socket here, this
    kernel, this host name. (Docker Desktop's socket leads into a virtual machine, with another
    kernel.) `info` is the engine's own answer."""
    return (
        socket_path(host) is not None
        and info.get("KernelVersion") == platform.release()
        and info.get("Name") == socket.gethostname()
    )
