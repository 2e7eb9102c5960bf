from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from imgopt.endpoint import Endpoint, is_local
from imgopt.engine import Engine, connect
from imgopt.engine.facts import gather
from imgopt.errors import EnvironmentFailure

VERSION = {
    "Version": "28.0",
    "ApiVersion": "1.51",
    "Os": "linux",
    "Arch": "amd64",
    "Components": [{"Name": "Engine"}],
}


@pytest.fixture
def pretend() -> Iterator[Callable[..., HTTPServer]]:
    """A server at DOCKER_HOST that says what an engine says of itself."""
    servers: list[HTTPServer] = []

    def start(**version: object) -> HTTPServer:
        class Service(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(
                    {**VERSION, **version} if self.path.endswith("/version") else {}
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Service))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.server_close()


def test_no_engine_is_exit_code_3_with_the_address_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(EnvironmentFailure) as caught:
        connect()
    assert "unix:///nowhere/docker.sock" in str(caught.value)
    assert "make engine" in (caught.value.hint or "")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "ftp://x", "tcp://127.0.0.1:1"])
def test_an_address_that_means_nothing_is_exit_code_3_too(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(EnvironmentFailure):
        connect()


def test_podman_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, pretend: Callable[..., HTTPServer]
) -> None:
    server = pretend(Components=[{"Name": "Podman Engine"}])
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_address[1]}")
    with pytest.raises(EnvironmentFailure, match="Podman"):
        connect()


def test_an_engine_that_goes_away_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, pretend: Callable[..., HTTPServer]
) -> None:
    monkeypatch.setattr("imgopt.engine.client._buildx", lambda: (("docker", "buildx"), "0.29.1"))
    server = pretend()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_address[1]}")
    engine = connect()
    assert (engine.facts.version, engine.facts.local) == ("28.0", False)
    server.shutdown()
    server.server_close()
    with pytest.raises(EnvironmentFailure, match="does not answer any more"):
        engine.client.api.containers()


@pytest.mark.parametrize(
    ("installed", "message"), [("", "not installed"), ("echo buildx v0.12.1", "rawjson")]
)
def test_a_missing_or_old_buildx_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: str, message: str
) -> None:
    from imgopt.engine import client

    command = tmp_path / "docker"
    command.write_text(f"#!/bin/sh\n{installed or 'exit 1'}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(client, "_PLUGIN_FOLDERS", ())
    with pytest.raises(EnvironmentFailure, match=message) as caught:
        client._buildx.__wrapped__()
    assert "docker-buildx" in (caught.value.hint or "")


def test_a_virtual_machine_behind_a_local_socket_is_not_this_machine() -> None:
    info = {"KernelVersion": "6.6.0-linuxkit", "Name": "docker-desktop"}
    assert not is_local("unix:///var/run/docker.sock", info)
    facts = gather(Endpoint("unix:///var/run/docker.sock", "the default"), VERSION, info, "0.29")
    assert facts.trace_reason == "the engine is not on this machine"


@pytest.mark.engine
def test_the_facts_of_a_real_engine(engine: Engine) -> None:
    facts = engine.facts
    assert facts.version
    assert facts.api_version
    assert facts.platform.startswith("linux/")
    assert facts.store
    assert facts.cgroup_version in ("1", "2")
    assert facts.containerd_store == (facts.store == "overlayfs")
