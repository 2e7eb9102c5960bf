"""Debian's real Podman behind its own socket: what works with it, and what needs BuildKit says
so."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engines import lacking, program

from .conftest import IMGOPT, Ended, load

pytestmark = pytest.mark.engine
SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@dataclass
class Podman:
    """The service, and `imgopt` at its socket."""

    host: str
    folder: Path
    client: Any

    def imgopt(self, *words: str | Path) -> Ended:
        variables = {
            **os.environ,
            "DOCKER_HOST": self.host,
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        return subprocess.run(
            [*IMGOPT, *words], env=variables, cwd=self.folder, capture_output=True, text=True
        )


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    import docker

    command = program("podman")
    if os.geteuid() != 0:
        lacking("Podman's service with a folder of its own needs root")
    folder = Path(
        tempfile.mkdtemp(prefix="podman-", dir="/tmp")
    )  # a runroot may have 50 characters
    (folder / "containers.conf").write_text(SETTINGS)
    places = [f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=overlay"]
    host = f"unix://{folder}/sock"
    variables = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
    with (folder / "log").open("wb") as log:
        words = [command, *places, "system", "service", "--time=0", host]
        server = subprocess.Popen(words, env=variables, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not (folder / "sock").exists():
            if time.monotonic() > deadline or server.poll() is not None:
                lacking(f"Podman does not start: {(folder / 'log').read_text()[-500:]}")
            time.sleep(0.1)
        yield Podman(host, folder, docker.DockerClient(base_url=host, timeout=None))
    finally:
        server.terminate()
        server.wait()
        subprocess.run(["umount", f"{folder}/root/overlay"], check=False, capture_output=True)


@pytest.fixture(scope="module")
def images(podman: Podman, crafted: Callable[..., Path]) -> tuple[str, str, str]:
    """A program that ends, the same with another answer, and a service."""
    load(podman.client, crafted("says:1", b"hello\n"))
    load(podman.client, crafted("says:2", b"hello!\n"))
    serve = {"Cmd": ["httpd", "-f", "-p", "8000", "-h", "/srv"], "ExposedPorts": {"8000/tcp": {}}}
    load(podman.client, crafted("serves:1", b"hello\n", **serve, StopSignal="SIGKILL"))
    return "says:1", "says:2", "serves:1"


def test_analyze(podman: Podman, images: tuple[str, ...]) -> None:
    done = podman.imgopt("analyze", images[0], "--format", "json")
    assert done.returncode == 0, done.stderr
    assert [layer["sizes"]["payload"] for layer in json.loads(done.stdout)["layers"]][1] == len(
        b"hello\n"
    )


def test_analyze_names_what_is_like_an_image_that_is_not_there(
    podman: Podman, images: tuple[str, ...]
) -> None:
    done = podman.imgopt("analyze", f"{images[0]}9")
    assert (done.returncode, "says:1" in done.stderr) == (3, True), done.stderr


def test_diff(podman: Podman, images: tuple[str, ...]) -> None:
    done = podman.imgopt("diff", images[0], images[1], "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "+1 B" in podman.imgopt("diff", images[0], images[1]).stdout


def test_ci(podman: Podman, images: tuple[str, ...]) -> None:
    assert podman.imgopt("ci", "baseline", f"app={images[0]}").returncode == 0
    done = podman.imgopt("ci", "check", f"app={images[1]}", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["status"] in ("passed", "warned")


def test_prove_of_two_images(podman: Podman, images: tuple[str, ...]) -> None:
    same = podman.imgopt("prove", images[2], "--with", images[2], "--format", "json")
    assert same.returncode == 0, same.stdout + same.stderr
    checks = {check["name"]: check["verdict"] for check in json.loads(same.stdout)["checks"]}
    assert (checks["smoke"], checks["opened files"]) == ("passed", "passed")
    other = podman.imgopt("prove", images[0], "--with", images[1], "--format", "json")
    assert (other.returncode, json.loads(other.stdout)["verdict"]) == (1, "refuted")
    assert podman.client.containers.list(all=True) == []


@pytest.mark.parametrize(
    "command",
    [
        "optimize .",
        "bench .",
        "cache . --measure",
        "prove . --with Dockerfile",
        "ci check app=x:1 --build",
    ],
)
def test_what_needs_buildkit_says_so_before_it_does_anything(podman: Podman, command: str) -> None:
    (podman.folder / "Dockerfile").write_text("FROM scratch\nCOPY log /\n")
    done = podman.imgopt(*command.split())
    assert done.returncode == 3, done.stdout + done.stderr
    assert "is Podman, which builds without BuildKit" in done.stderr
    assert "prove IMAGE --with IMAGE" in done.stderr


def test_doctor_says_what_works(podman: Podman) -> None:
    done = podman.imgopt("doctor")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "engine Podman" in said
    assert "- builds with BuildKit no:" in said
    assert "- fast reading of images no: the storage driver overlay" in said
