"""Real servers for the tests: a registry, and an engine with the containerd image store, each in its own folder."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgopt.image.daemon import connect

TOOLS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imgopt-tests"
ENGINE_DATA = Path(os.environ.get("IMGOPT_ENGINE_DATA", "/var/lib/imgopt-engine"))


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    found = connect()
    yield found
    found.close()


def lacking(what: str) -> None:
    if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of distribution's registry on loopback."""
    program = shutil.which("registry") or shutil.which("docker-registry") or fetched_registry()
    if program is None:
        lacking("no registry server: apt-get install docker-registry")
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
        server = subprocess.Popen([str(program), "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        wait_for_port(port)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def fetched_registry() -> str | None:
    """Debian's docker-registry, unpacked into the cache and not installed."""
    program = TOOLS / "docker-registry" / "usr" / "bin" / "docker-registry"
    if not program.exists() and shutil.which("apt-get") and shutil.which("dpkg"):
        TOOLS.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "docker-registry"], cwd=TOOLS, check=False, capture_output=True)
        for package in TOOLS.glob("docker-registry_*.deb"):
            subprocess.run(["dpkg", "-x", package, TOOLS / "docker-registry"], check=False)
    return str(program) if program.exists() else None


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
    import docker

    program = shutil.which("dockerd") or str(ENGINE_DATA / "packages/root/usr/sbin/dockerd")
    if not Path(program).exists() or os.geteuid() != 0:
        lacking("a second engine needs dockerd and root")
    folder = tmp_path_factory.mktemp("containerd-engine")
    (folder / "daemon.json").write_text('{"features": {"containerd-snapshotter": true}}')
    paths = (Path(program).parent, ENGINE_DATA / "packages/root/usr/bin", os.environ["PATH"])
    environment = {**os.environ, "PATH": ":".join(str(path) for path in paths)}
    # a network of its own: an engine with --bridge=none deletes the docker0 of its neighbour
    options = {"config-file": "daemon.json", "data-root": "data", "exec-root": "x", "pidfile": "pid"}
    command = ["unshare", "--net", program, "--bridge=none", "--iptables=false", f"--host=unix://{folder}/sock"]
    command += [f"--{name}={folder / place}" for name, place in options.items()]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                found = docker.DockerClient(base_url=f"unix://{folder}/sock", timeout=None)
                found.ping()
                break
            except docker.errors.DockerException:
                if time.monotonic() > deadline or server.poll() is not None:
                    lacking(f"the second engine does not start: {(folder / 'log').read_text()[-500:]}")
                time.sleep(0.2)
        found.imgopt_host = f"unix://{folder}/sock"
        yield found
        found.close()
    finally:
        server.terminate()
        server.wait()
