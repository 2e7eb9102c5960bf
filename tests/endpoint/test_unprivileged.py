"""A user without root, for real: what is refused, which command helps, and what a proof does
without."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engines import Gate, at_default_socket

from imgopt.engine import Engine

from .conftest import IMGOPT, Ended, load

NAME = "imgopt-unprivileged:1"
NOBODY = 65534
OPENED = """\
for folder in $0; do
    mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work
    mount -t overlay none -o "lowerdir=$folder,upperdir=/mnt/upper,workdir=/mnt/work" "$folder" && chmod o+x "$folder"
done
exec "$@"
"""
"""Lets anybody pass through folders of root, in the mount namespace of this one command."""


def closed_folders() -> list[str]:
    """Those above our interpreter and packages that only root may pass."""
    import imgopt

    places = [Path(sys.executable), Path(sys.executable).resolve(), Path(imgopt.__file__)]
    above = {
        folder
        for place in places
        for folder in place.parents
        if not folder.stat().st_mode & stat.S_IXOTH
    }
    return sorted(map(str, above))[:1]


@pytest.fixture
def gate(engine: Engine) -> Iterator[Gate]:
    folder = Path("/run/imgopt-test-gate")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    made = Gate(folder / "docker.sock", str(engine.endpoint.socket))
    yield made
    made.close()
    shutil.rmtree(folder)


def as_nobody(gate: Gate, *words: str, groups: str = "") -> Ended:
    member = ["--groups", groups] if groups else ["--clear-groups"]
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", *member, *IMGOPT, *words]
    opened = ["sh", "-c", OPENED, " ".join(closed_folders()), *user]
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("DOCKER_", "XDG_"))
    }
    kept |= {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": "/tmp"}
    command = at_default_socket(gate.path, opened)
    return subprocess.run(command, env=kept, cwd="/", capture_output=True, text=True)


@pytest.mark.engine
@pytest.mark.parametrize(
    "command", ["doctor", "analyze x:1", "diff x:1 x:2", "ci check x:1", "prove x:1 --with x:2"]
)
def test_a_user_outside_the_group_is_told_the_command_that_helps(gate: Gate, command: str) -> None:
    gate.path.chmod(0o660)
    os.chown(gate.path, 0, 100)
    done = as_nobody(gate, *command.split())
    said = done.stdout + done.stderr
    assert done.returncode == 3, said
    assert "nobody may not use this socket" in said
    assert "`sudo usermod -aG users nobody`" in said and "log in again" in said
    assert gate.connections == 0


@pytest.mark.engine
def test_a_socket_of_root_alone_is_told_with_sudo_and_how_to_make_the_group(gate: Gate) -> None:
    gate.path.chmod(0o600)
    said = as_nobody(gate, "analyze", "x:1").stderr
    assert "run this with sudo" in said
    assert "sudo usermod -aG docker nobody" in said


@pytest.mark.engine
def test_a_member_of_the_group_proves_without_root_and_is_told_once_what_that_costs(
    gate: Gate, engine: Engine, crafted: Callable[..., Path]
) -> None:
    load(engine.client, crafted(NAME, b"hello\n"))
    gate.path.chmod(0o660)
    os.chown(gate.path, 0, 100)
    try:
        done = as_nobody(gate, "prove", NAME, "--with", NAME, "--format", "json", groups="100")
        assert done.returncode == 0, done.stdout + done.stderr
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        assert checks["smoke"]["verdict"] == "passed"
        assert checks["opened files"]["verdict"] == "not measured"
        assert (
            done.stderr.count(
                "opened files are not measured: watching a container's files needs root"
            )
            == 1
        )
        assert done.stderr.count("images are read by the engine's API") == 1
        doctor = " ".join(as_nobody(gate, "doctor", groups="100").stdout.split())
        assert "- opened files no: watching a container's files needs root" in doctor
        assert "cannot be read by this user" in doctor
    finally:
        engine.client.images.remove(NAME, force=True)


def trouble(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str) -> str:
    from imgopt.cli.app import main

    monkeypatch.setenv("DOCKER_HOST", host)
    assert main(["analyze", "x:1"]) == 3
    return capsys.readouterr().err


def test_a_socket_that_nobody_listens_at_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "dead.sock"))
    said = trouble(monkeypatch, capsys, f"unix://{tmp_path}/dead.sock")
    assert "nobody listens at it" in said and "systemctl start docker" in said


def test_a_file_that_is_no_socket_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    said = trouble(monkeypatch, capsys, f"unix://{tmp_path}/file")
    assert "nobody listens at it" in said
    assert "HTTPConnectionPool" not in said


def test_a_server_that_is_no_engine_is_told_without_a_dump(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import socket
    import threading

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "odd.sock"))
        server.listen()

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(b"SSH-2.0-odd\r\n")
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        said = trouble(monkeypatch, capsys, f"unix://{tmp_path}/odd.sock")
    assert "is it a Docker engine that listens there?" in said, said
    assert "object at" not in said
