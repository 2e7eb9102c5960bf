"""Why an engine does not answer, in the words of the one who can mend it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from imgopt.endpoint import Endpoint, nearby
from imgopt.endpoint.address import DEFAULT_SOCKET
from imgopt.endpoint.ssh import ssh_command
from imgopt.errors import EnvironmentFailure

_SSH_SECONDS = 40
_START = (
    "start it (`sudo systemctl start docker`, Docker Desktop, or `make engine` in a checkout of"
    " imgopt)"
)
_FILE = "an image can also be read from a file: `docker save IMAGE -o image.tar`"


def failure(endpoint: Endpoint, error: Exception) -> EnvironmentFailure:
    """What to raise for an engine that could not be asked."""
    if endpoint.socket is not None:
        reason, hint = _of_socket(endpoint, endpoint.socket, error)
    elif endpoint.host.startswith("ssh://"):
        reason, hint = _of_ssh(endpoint, error)
    else:
        reason, hint = _of_tcp(endpoint, error)
    return EnvironmentFailure(f"no Docker engine answers at {endpoint}: {reason}", hint=hint)


def _of_socket(endpoint: Endpoint, path: str, error: Exception) -> tuple[str, str]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(5)
            probe.connect(path)
    except PermissionError:
        return f"{user_name()} may not use this socket", _permission(path)
    except FileNotFoundError:
        return (
            "there is no such socket",
            f"{_START}, {_elsewhere(endpoint)}; `imgopt doctor` tells more; {_FILE}",
        )
    except ConnectionRefusedError:
        return "the socket is there, but nobody listens at it", f"{_START}, {_elsewhere(endpoint)}"
    except OSError as trouble:
        return trouble.strerror or str(trouble), f"{_START}, {_elsewhere(endpoint)}"
    return short(error), f"is it a Docker engine that listens there? If not, {_elsewhere(endpoint)}"


def _permission(path: str) -> str:
    """The command that helps: membership in the group that the socket belongs to."""
    import grp

    name = user_name()
    try:
        owner = Path(path).stat()
        group = grp.getgrgid(owner.st_gid)
    except (OSError, KeyError):
        return "only another user can reach it: run this as that user, or with sudo"
    if owner.st_gid == 0 or not owner.st_mode & 0o020:
        return (
            "run this with sudo; or give the socket to a group and join it: `sudo groupadd -f"
            f" docker`, start the engine again, `sudo usermod -aG docker {name}`, and log in again"
            " (this group has root's rights)"
        )
    if name in group.gr_mem and owner.st_gid not in os.getgroups():
        return (
            f"{name} is in the group {group.gr_name} since this login: log in again, or `newgrp"
            f" {group.gr_name}`"
        )
    return (
        f"join its group and log in again: `sudo usermod -aG {group.gr_name} {name}` (this group"
        " has root's rights); or run this with sudo"
    )


def _elsewhere(endpoint: Endpoint) -> str:
    """Where another engine may be asked instead."""
    others = [
        (path, owner)
        for path, owner in nearby(os.environ)
        if path != endpoint.socket and _is_there(path)
    ]
    if endpoint.socket != DEFAULT_SOCKET and _is_there(DEFAULT_SOCKET):
        others.insert(0, (DEFAULT_SOCKET, "Docker"))
    if others:
        path, owner = others[0]
        return f"or ask {owner} at its socket: `export DOCKER_HOST=unix://{path}`"
    if endpoint.context is not None:
        return "or take another: `docker context ls`, `docker context use NAME`"
    return "or point DOCKER_HOST (or --host) at another"


def _is_there(path: str) -> bool:
    try:
        return Path(path).is_socket()
    except OSError:
        return False


def user_name() -> str:
    """Who asks."""
    import pwd

    with suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
    return f"user {os.geteuid()}"


def _of_tcp(endpoint: Endpoint, error: Exception) -> tuple[str, str]:
    text = str(error)
    if isinstance(error, socket.gaierror):
        return "no such host", f"is the name right? If not, {_elsewhere(endpoint)}"
    if isinstance(error, TimeoutError):
        return (
            "it takes no connection",
            "is the host up, and does a firewall let this port through?",
        )
    if isinstance(error, ConnectionRefusedError):
        return (
            "nobody listens there",
            "is the engine running, and was it told this address (--host tcp://...)?",
        )
    if "HTTPS server" in text:
        return (
            "it speaks TLS",
            "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder of its certificates",
        )
    if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text:
        return (
            "it does not speak TLS",
            "unset DOCKER_TLS_VERIFY and DOCKER_TLS, or take the port that does (2376)",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        place = endpoint.tls.ca if endpoint.tls and endpoint.tls.ca else "the system's authorities"
        return (
            f"its certificate is not vouched for by {place}: {short(error)}",
            "DOCKER_CERT_PATH holds its ca.pem",
        )
    if re.search(r"(?i)alert|certificate required|bad certificate", text):
        return (
            f"it refuses our certificate: {short(error)}",
            "DOCKER_CERT_PATH holds cert.pem and key.pem for it",
        )
    return short(error), f"is it a Docker engine that listens there? If not, {_elsewhere(endpoint)}"


def _of_ssh(endpoint: Endpoint, error: Exception) -> tuple[str, str]:
    """What ssh itself says, since a connection that it carries only ends."""
    try:
        command = ssh_command(endpoint.host)
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SSH_SECONDS,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        return "the command `ssh` is not here", "install an ssh client (openssh-client)"
    except (ValueError, subprocess.TimeoutExpired):
        return short(error), "for instance ssh://USER@HOST"
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    where = " ".join(command[command.index("--") + 1 :][:1])
    hint = (
        f"does `ssh {where} docker version` work? ssh needs a key or an agent, and docker has to be"
        " on that PATH"
    )
    return (said[-1][:300] if said else short(error)), hint


def short(error: Exception) -> str:
    """One clause instead of a dump of a connection pool."""
    text = str(getattr(error, "explanation", None) or error)
    inner = re.findall(r"[A-Za-z]+Error\((?:\d+, )?['\"]([^'\"]+)['\"]", text)
    return (inner[-1] if inner else text.splitlines()[0] if text.strip() else type(error).__name__)[
        :300
    ]
