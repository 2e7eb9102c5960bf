"""Real engines beside the one that answers, each in a folder of its own, and gates in front of them
that count."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imgopt-tests"
ENGINE_DATA = Path(os.environ.get("IMGOPT_ENGINE_DATA", "/var/lib/imgopt-engine"))


def lacking(what: str) -> None:
    """Skips; fails where IMGOPT_REQUIRE_ENGINE says that everything has to be here."""
    if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
        pytest.fail(what)
    pytest.skip(what)


def unpacked(package: str, program: str) -> str:
    """A program of a Debian package, unpacked into the cache and not installed."""
    found = TOOLS / package / program
    if not found.exists() and shutil.which("apt-get") and shutil.which("dpkg"):
        TOOLS.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["apt-get", "download", package], cwd=TOOLS, check=False, capture_output=True
        )
        for file in TOOLS.glob(f"{package}_*.deb"):
            subprocess.run(["dpkg", "-x", file, TOOLS / package], check=False)
    if not found.exists():
        lacking(f"no {program}: apt-get install {package}")
    return str(found)


def program(name: str) -> str:
    """One that `tests/endpoint/prepare` installs."""
    search = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    found = shutil.which(name, path=search)
    if found is None:
        subprocess.run(
            [Path(__file__).parent / "endpoint" / "prepare"], check=False, capture_output=True
        )
        found = shutil.which(name, path=search)
    if found is None:
        lacking(f"no {name}: tests/endpoint/prepare installs it on Debian and Ubuntu, as root")
    return str(found)


@contextmanager
def dockerd(folder: Path, *options: str, config: str = "{}") -> Iterator[Any]:
    """A client of an engine of its own; `imgopt_host` is its socket's address, `imgopt_process` its
    number."""
    import docker

    engine = shutil.which("dockerd") or str(ENGINE_DATA / "packages/root/usr/sbin/dockerd")
    if not Path(engine).exists() or os.geteuid() != 0:
        lacking("a second engine needs dockerd and root")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "daemon.json").write_text(config)
    paths = (Path(engine).parent, ENGINE_DATA / "packages/root/usr/bin", os.environ["PATH"])
    environment = {**os.environ, "PATH": ":".join(str(path) for path in paths)}
    # a network of its own: an engine with --bridge=none deletes the docker0 of its neighbour
    places = {"config-file": "daemon.json", "data-root": "data", "exec-root": "x", "pidfile": "pid"}
    command = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$0" "$@"', engine]
    command += ["--bridge=none", "--iptables=false", f"--host=unix://{folder}/sock"]
    command += [f"--{name}={folder / place}" for name, place in places.items()]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                client = docker.DockerClient(base_url=f"unix://{folder}/sock", timeout=None)
                client.ping()
                break
            except docker.errors.DockerException:
                if time.monotonic() > deadline or server.poll() is not None:
                    lacking(
                        f"the second engine does not start: {(folder / 'log').read_text()[-500:]}"
                    )
                time.sleep(0.2)
        client.imgopt_host, client.imgopt_process = f"unix://{folder}/sock", server.pid
        yield client
        client.close()
    finally:
        server.terminate()
        server.wait()


class Gate:
    """A socket in front of an engine's that counts who came."""

    def __init__(self, path: Path, behind: str) -> None:
        self.path, self._behind = path, behind
        self.connections = 0
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def host(self) -> str:
        return f"unix://{self.path}"

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._server.accept()
                self.connections += 1
                there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                there.connect(self._behind)
                for source, target in ((here, there), (there, here)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def at_default_socket(gate: Path, command: Sequence[str | Path]) -> list[str]:
    """`command` in a place of its own where the default socket is `gate`."""
    script = 'mount --bind "$0" "$(readlink -f /var/run)/docker.sock" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(gate), *map(str, command)]
