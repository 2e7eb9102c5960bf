"""Engines that are reached by TLS and by ssh, as the docker CLI reaches them; real ones at the
other end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engines import program

from .conftest import IMGOPT, Ended, load

pytestmark = pytest.mark.engine
NAME = "imgopt-remote:1"


@pytest.fixture(scope="module", autouse=True)
def image(second_engine: Any, crafted: Callable[..., Path]) -> Iterator[None]:
    load(second_engine, crafted(NAME, b"far away\n"))
    yield
    second_engine.images.remove(NAME, force=True)


@dataclass
class Far:
    """Commands in the second engine's network, where it listens by TLS."""

    process: int
    variables: dict[str, str]

    def run(self, command: Sequence[str | Path], **variables: str) -> Ended:
        words = ["nsenter", f"--target={self.process}", "--net", "--", *map(str, command)]
        return subprocess.run(
            words, env={**self.variables, **variables}, capture_output=True, text=True
        )

    def imgopt(self, *words: str, **variables: str) -> Ended:
        return self.run([*IMGOPT, *words], **variables)


@pytest.fixture
def far(second_engine: Any, tmp_path: Path) -> Far:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    return Far(second_engine.imgopt_process, {**kept, "DOCKER_CONFIG": str(tmp_path / "config")})


def payload(done: Ended) -> int:
    assert done.returncode == 0, done.stdout + done.stderr
    return int(json.loads(done.stdout)["layers"][1]["sizes"]["payload"])


def test_tls_by_variables(far: Far, certificates: Path) -> None:
    tls = {
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(certificates),
        "DOCKER_HOST": "tcp://localhost:2376",
    }
    assert payload(far.imgopt("analyze", NAME, "--format", "json", **tls)) == len(b"far away\n")
    assert far.run(["docker", "version"], **tls).returncode == 0
    bundle = far.imgopt(
        "analyze", NAME, "--format", "json", REQUESTS_CA_BUNDLE="/etc/hostname", **tls
    )
    assert payload(bundle) == len(b"far away\n")


def test_the_tls_files_of_a_context(far: Far, certificates: Path) -> None:
    files = ",".join(f"{name}={certificates / name}.pem" for name in ("ca", "cert", "key"))
    create = [
        "docker",
        "context",
        "create",
        "far",
        "--docker",
        f"host=tcp://127.0.0.1:2376,{files}",
    ]
    assert far.run(create).returncode == 0
    done = far.imgopt("--docker-context", "far", "analyze", NAME, "--format", "json")
    assert payload(done) == len(b"far away\n")
    said = far.imgopt("-c", "far", "doctor").stdout
    assert 'the docker context "far"' in said
    assert "no: the engine is not on this machine" in said


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "no TLS": ({}, "it speaks TLS", "DOCKER_TLS_VERIFY=1"),
    "another authority": ({"DOCKER_TLS_VERIFY": "1"}, "is not vouched for", "ca.pem"),
    "no certificate of ours": ({"DOCKER_TLS": "1"}, "refuses our certificate", "cert.pem"),
    "a closed port": (
        {"DOCKER_HOST": "tcp://localhost:2377"},
        "nobody listens there",
        "--host tcp://",
    ),
    "no such host": ({"DOCKER_HOST": "tcp://nowhere.invalid:1"}, "no such host", "DOCKER_HOST"),
}


@pytest.mark.parametrize("way", WRONG)
def test_what_is_wrong_with_a_tls_endpoint_is_said_in_a_line(far: Far, way: str) -> None:
    variables, reason, hint = WRONG[way]
    done = far.imgopt("analyze", NAME, **{"DOCKER_HOST": "tcp://localhost:2376", **variables})
    assert done.returncode == 3
    assert reason in done.stderr, done.stderr
    assert hint in done.stderr
    assert "Pool" not in done.stderr and "object at" not in done.stderr


def test_tls_to_a_port_that_does_not_speak_it_is_said(far: Far, certificates: Path) -> None:
    import http.server
    import threading

    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = {"DOCKER_HOST": f"tcp://127.0.0.1:{server.server_port}", "DOCKER_TLS_VERIFY": "1"}
        environment = {**far.variables, **here, "DOCKER_CERT_PATH": str(certificates)}
        done = subprocess.run(
            [*IMGOPT, "analyze", NAME], env=environment, capture_output=True, text=True
        )
        server.shutdown()
    assert "it does not speak TLS" in done.stderr, done.stderr


@dataclass
class Ssh:
    """A real ssh server on loopback, and the variables that let `ssh` reach it without a
    question."""

    port: int
    variables: dict[str, str]

    def imgopt(self, *words: str, **variables: str) -> Ended:
        environment = {**self.variables, **variables}
        return subprocess.run([*IMGOPT, *words], env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory, second_engine: Any) -> Iterator[Ssh]:
    folder = tmp_path_factory.mktemp("ssh")
    for key in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run([program(command[0]), *command[1:]], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "server").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        f"StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile {folder}/pid\n"
        f"SetEnv DOCKER_HOST={second_engine.imgopt_host} PATH={os.environ['PATH']}\n"
    )
    (folder / "client").write_text(
        f"IdentityFile {folder}/user\nIdentitiesOnly yes\nBatchMode yes\nStrictHostKeyChecking no\n"
        "UserKnownHostsFile /dev/null\n"
    )
    (folder / "bin").mkdir()
    (folder / "bin" / "ssh").write_text(
        f'#!/bin/sh\nexec {program("ssh")} -F {folder}/client "$@"\n'
    )
    (folder / "bin" / "ssh").chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(
        [program("sshd"), "-D", "-e", "-f", folder / "server"], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)) and time.monotonic() < deadline:
            time.sleep(0.1)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    kept |= {"PATH": f"{folder}/bin:{kept['PATH']}", "DOCKER_CONFIG": str(folder / "config")}
    yield Ssh(port, kept)
    server.terminate()
    server.wait()


def test_an_engine_behind_ssh(ssh: Ssh) -> None:
    far = {"DOCKER_HOST": f"ssh://root@127.0.0.1:{ssh.port}"}
    done = ssh.imgopt("analyze", NAME, "--format", "json", **far)
    assert payload(done) == len(b"far away\n")
    assert (
        json.loads(done.stdout)["source"] == "engine"
    )  # its store is another machine's, whatever it is called


def test_an_engine_behind_ssh_at_another_socket(ssh: Ssh, second_engine: Any) -> None:
    path = second_engine.imgopt_host.removeprefix("unix://")
    done = ssh.imgopt(
        "-H", f"ssh://root@127.0.0.1:{ssh.port}{path}", "analyze", NAME, "--format", "json"
    )
    assert payload(done) == len(b"far away\n")


def test_two_images_behind_ssh_are_proven_by_what_can_be_seen(ssh: Ssh) -> None:
    done = ssh.imgopt(
        "-H", f"ssh://root@127.0.0.1:{ssh.port}", "prove", NAME, "--with", NAME, "--format", "json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["smoke"]["verdict"] == "passed"
    assert "not on this machine" in checks["opened files"]["detail"]
    assert done.stderr.count("ports are not asked: the engine is not on this machine") == 1


def test_a_build_goes_behind_ssh_too(ssh: Ssh, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        f'FROM {NAME}\nCOPY note /srv/\nCMD ["cat", "/srv/note"]\n'
    )
    (tmp_path / "note").write_text("built far away\n")
    words = ["prove", str(tmp_path), "--with", "Dockerfile"]
    done = ssh.imgopt("-H", f"ssh://root@127.0.0.1:{ssh.port}", *words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_ssh_says_is_said(ssh: Ssh) -> None:
    done = ssh.imgopt("-H", f"ssh://nobody-here@127.0.0.1:{ssh.port}", "analyze", NAME)
    assert done.returncode == 3
    assert "Permission denied" in done.stderr, done.stderr
    closed = ssh.imgopt("-H", "ssh://root@127.0.0.1:1", "analyze", NAME)
    assert "Connection refused" in closed.stderr, closed.stderr
