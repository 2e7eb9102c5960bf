"""The Docker SDK's client for an endpoint: one way to make it, for every command.

`ssh://` is spoken as the docker CLI speaks it (docker/cli `connhelper`): by the user's own `ssh`,
with its agent, keys and configuration, and `docker system dial-stdio` at the other end. The SDK's
own way needs paramiko, which knows none.
"""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from imgopt.endpoint import Endpoint
from imgopt.endpoint.trouble import failure

if TYPE_CHECKING:
    import docker
from imgopt.endpoint.ssh import ssh_command

_CONNECT_SECONDS = 10
_OLDEST_API = "1.24"
_NO_URL = "http+unix:///ssh"


def client_of(
    endpoint: Endpoint, seconds: float | None
) -> tuple[docker.DockerClient, dict[str, Any]]:
    """A client whose calls take `seconds` at most, and what the engine says of its version.

    Raises EnvironmentFailure (exit code 3), with the reason and what to do, where no engine
    answers.
    """
    from docker.errors import DockerException
    from requests import RequestException

    try:
        _reach(endpoint)
        client = _made(endpoint, seconds)
        version = dict(client.api.version(api_version=False))
        client.api._version = str(version["ApiVersion"])
    except (DockerException, RequestException, OSError, ValueError, KeyError, TypeError) as error:
        raise failure(endpoint, error) from None
    return client, version


def _reach(endpoint: Endpoint) -> None:
    """An address that swallows packets is known after seconds, not after the time that a call may
    take."""
    if endpoint.host.startswith("tcp://"):
        parts = urlsplit(endpoint.host)
        socket.create_connection((parts.hostname or "", parts.port or 0), _CONNECT_SECONDS).close()


def _made(endpoint: Endpoint, seconds: float | None) -> docker.DockerClient:
    """Its version is not asked for yet, since what the requests go through is set afterwards."""
    import docker

    if endpoint.host.startswith("ssh://"):
        client = docker.DockerClient(base_url=_NO_URL, timeout=seconds, version=_OLDEST_API)
        client.api.mount("http+docker://", _over_ssh(endpoint, seconds))
        return client
    tls = _tls(endpoint)
    client = docker.DockerClient(
        base_url=endpoint.host, timeout=seconds, version=_OLDEST_API, tls=tls
    )
    if tls:  # else REQUESTS_CA_BUNDLE would take the place of the endpoint's own authority
        from requests.utils import get_environ_proxies

        client.api.trust_env = False
        client.api.proxies = get_environ_proxies(client.api.base_url)
    return client


def _tls(endpoint: Endpoint) -> Any:
    import docker

    if endpoint.tls is None:
        return False
    tls = endpoint.tls
    pair = (tls.cert, tls.key) if tls.cert and tls.key else None
    return docker.tls.TLSConfig(client_cert=pair, ca_cert=tls.ca, verify=tls.verify)


def _over_ssh(endpoint: Endpoint, seconds: float | None) -> Any:
    """The SDK's adapter for sockets, whose connections are made by `dial`."""
    from docker.transport.unixconn import (
        UnixHTTPAdapter,
        UnixHTTPConnection,
        UnixHTTPConnectionPool,
    )

    def opened() -> Any:
        connection = UnixHTTPConnection(_NO_URL, "/ssh", seconds)

        def connect() -> None:
            connection.sock = dial(endpoint)
            connection.sock.settimeout(seconds)

        connection.connect = connect
        return connection

    adapter = UnixHTTPAdapter(_NO_URL, seconds)
    pool = UnixHTTPConnectionPool(_NO_URL, "/ssh", seconds)
    pool._new_conn = opened
    adapter.get_connection = lambda _url, _proxies=None: pool
    return adapter


def dial(endpoint: Endpoint) -> socket.socket:
    """A connection to an engine behind ssh. It ends with the process that carries it, and that with
    the connection."""
    ours, theirs = socket.socketpair()
    with theirs:
        end = theirs.fileno()
        command = ssh_command(endpoint.host)
        subprocess.Popen(
            command, stdin=end, stdout=end, stderr=subprocess.DEVNULL, start_new_session=True
        )
    return ours
