"""Small images with a real program in them, and a second engine with a docker context that points
to it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from engines import Gate, at_default_socket, dockerd, program, unpacked
from image.crafting import config, docker_archive, f, sym, tar

from imgopt.engine import Engine

IMGOPT = [sys.executable, "-m", "imgopt"]
Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session", autouse=True)
def wide() -> Iterator[None]:
    """Addresses of sockets are long: what is said of them is compared unwrapped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "400")
        yield


@pytest.fixture(scope="session")
def busybox() -> bytes:
    return Path(unpacked("busybox-static", "bin/busybox")).read_bytes()


@pytest.fixture(scope="session")
def crafted(busybox: bytes, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """An archive, as `docker save` writes it, of an image with a shell, a web server and one file
    more."""
    folder = tmp_path_factory.mktemp("crafted")

    def craft(name: str, contents: bytes, **run: Any) -> Path:
        programs = [
            sym(f"bin/{applet}", "busybox") for applet in ("sh", "cat", "ls", "httpd", "sleep")
        ]
        layers = [
            tar(
                f("bin/busybox", busybox, mode=0o755),
                *programs,
                f("etc/passwd", b"root:x:0:0::/:/bin/sh\n"),
            ),
            tar(f("srv/greeting", contents)),
        ]
        run = {"Env": ["PATH=/bin"], "Cmd": ["cat", "/srv/greeting"], **run}
        archive = folder / f"{secrets.token_hex(4)}.tar"
        return docker_archive(archive, layers, config(layers, **run), name=name)

    return craft


@dataclass
class Two:
    """Two engines that have another image each under the same name, with a gate in front of
    either."""

    first: Gate
    second: Gate
    name: str
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def imgopt(self, *words: str | Path, **variables: str) -> Ended:
        command = at_default_socket(self.first.path, [*IMGOPT, *words])
        environment = {**self.variables, **variables}
        return subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True
        )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, cert.pem and key.pem, which serve both sides, as docker's documentation makes
    them."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem"
    request = "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request"
    sign = "x509 -req -days 2 -in request -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile for -out cert.pem"
    (folder / "for").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n"
    )
    for words in (authority, request, sign):
        subprocess.run(
            [program("openssl"), *words.split()], cwd=folder, check=True, capture_output=True
        )
    return folder


@pytest.fixture(scope="session")
def second_engine(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Any]:
    """It listens at a socket and, in its own network, by TLS at 127.0.0.1:2376."""
    tls = [f"--tls{name}={certificates / file}" for name, file in
           (("cacert", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem"))]  # fmt: skip
    folder = tmp_path_factory.mktemp("second-engine")
    with dockerd(folder, "--host=tcp://127.0.0.1:2376", "--tlsverify", *tls) as client:
        yield client


@pytest.fixture(scope="module")
def two(
    engine: Engine,
    second_engine: Any,
    crafted: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    name = f"imgopt-two-{secrets.token_hex(4)}:1"
    load(engine.client, crafted(name, b"first" * 1000))
    load(second_engine, crafted(name, b"second\n"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    variables = {
        **kept,
        "DOCKER_CONFIG": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    (folder / "config").mkdir()
    plugins = Path.home() / ".docker" / "cli-plugins"
    if plugins.is_dir():
        (folder / "config" / "cli-plugins").symlink_to(plugins)
    found = Two(
        Gate(folder / "first.sock", str(engine.endpoint.socket)),
        Gate(folder / "second.sock", second_engine.imgopt_host.removeprefix("unix://")),
        name,
        folder,
        variables,
    )
    try:
        yield found
    finally:
        for gate in (found.first, found.second):
            gate.close()
        engine.client.images.remove(name, force=True)
        second_engine.images.remove(name, force=True)


def load(client: Any, archive: Path) -> None:
    with archive.open("rb") as file:
        client.images.load(file)
