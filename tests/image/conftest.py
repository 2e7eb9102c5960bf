"""Real servers for the tests: a registry, and an engine with the containerd image store, each in
its own folder."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from engines import dockerd, unpacked

from imgopt.image.daemon import connect


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    found = connect()
    yield found
    found.close()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of distribution's registry on loopback."""
    program = shutil.which("registry") or shutil.which("docker-registry")
    program = program or unpacked("docker-registry", "usr/bin/docker-registry")
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (folder / "config.yml").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(program), "serve", str(folder / "config.yml")], stdout=log, stderr=log
        )
    try:
        wait_for_port(port)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@pytest.fixture(scope="session")
def containerd_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a second engine, which keeps its images in containerd."""
    folder = tmp_path_factory.mktemp("containerd-engine")
    with dockerd(folder, config='{"features": {"containerd-snapshotter": true}}') as client:
        yield client
