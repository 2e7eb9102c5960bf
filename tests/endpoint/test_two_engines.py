"""Two real engines on one machine: whatever chooses the second one, nothing asks the first."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from engines import Gate, at_default_socket

from .conftest import Two, load

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", autouse=True)
def contexts(two: Two) -> None:
    """`docker context create` and `use`, by the real docker CLI."""
    for name, gate in (("one", two.first), ("two", two.second)):
        docker(two, "context", "create", name, "--docker", f"host={gate.host}")
    docker(two, "context", "use", "two")


def docker(two: Two, *words: str) -> str:
    command = ["docker", *words]
    return subprocess.run(
        command, env=two.variables, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def project(two: Two) -> Path:
    folder = two.folder / "project"
    folder.mkdir(exist_ok=True)
    (folder / "greeting").write_text("hello\n")
    (folder / "notes").write_text("nothing\n")
    (folder / "Dockerfile").write_text(
        f'FROM {two.name}\nCOPY greeting /srv/\nCMD ["cat", "/srv/greeting"]\n'
    )
    (folder / "Other").write_text(f'FROM {two.name}\nCOPY . /srv/\nCMD ["cat", "/srv/greeting"]\n')
    return folder


COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "analyze": lambda image: ["analyze", image],
    "analyze by the API": lambda image: ["analyze", f"engine:{image}"],
    "diff": lambda image: ["diff", image, image],
    "ci check": lambda image: ["ci", "check", f"app={image}", "-C", "project"],
    "ci baseline --build": lambda _: [
        "ci",
        "baseline",
        "app=nothing:1",
        "--build",
        "-C",
        "project",
    ],
    "prove images": lambda image: ["prove", image, "--with", image],
    "prove": lambda _: ["prove", "project", "--with", "Other"],
    "optimize": lambda _: ["optimize", "project", "--no-timings", "--no-lives"],
    "bench": lambda _: [
        "bench",
        "project",
        "--with",
        "Other",
        "--runs",
        "1",
        "--scenario",
        "edit-source",
    ],
    "cache": lambda _: ["cache", "project", "--measure", "--scenario", "edit-source"],
    "doctor": lambda _: ["doctor"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_asks_the_engine_of_the_current_context_alone(
    two: Two, project: Path, command: str
) -> None:
    assert project.is_dir()
    before = (two.first.connections, two.second.connections)
    done = two.imgopt(*COMMANDS[command](two.name))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "answers at" not in done.stderr
    assert two.second.connections > before[1], done.stdout + done.stderr
    assert two.first.connections == before[0]


WAYS: dict[str, Callable[[Two], tuple[list[str], dict[str, str]]]] = {
    "config.json": lambda _: ([], {}),
    "DOCKER_CONTEXT": lambda _: ([], {"DOCKER_CONTEXT": "two"}),
    "DOCKER_HOST": lambda two: ([], {"DOCKER_HOST": two.second.host, "DOCKER_CONTEXT": "one"}),
    "--host": lambda two: (["--host", two.second.host], {"DOCKER_HOST": two.first.host}),
    "--docker-context": lambda two: (["-c", "two"], {"DOCKER_HOST": two.first.host}),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_image_of_the_second_engine_is_reported_however_that_is_chosen(
    two: Two, way: str
) -> None:
    words, variables = WAYS[way](two)
    before = two.first.connections
    done = two.imgopt(*words, "analyze", two.name, "--format", "json", **variables)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [layer["sizes"]["payload"] for layer in result["layers"]][1] == len(b"second\n")
    assert two.first.connections == before


def test_the_first_engine_is_asked_where_nothing_else_is_said(two: Two) -> None:
    before = (two.first.connections, two.second.connections)
    done = two.imgopt("analyze", two.name, "--format", "json", DOCKER_CONTEXT="default")
    assert json.loads(done.stdout)["layers"][1]["sizes"]["payload"] == 5000
    assert two.first.connections > before[0]
    assert two.second.connections == before[1]


def test_an_image_that_only_the_first_engine_has_is_not_found(
    two: Two, engine: object, crafted: Callable[..., Path]
) -> None:
    from imgopt.engine import Engine

    assert isinstance(engine, Engine)
    only = two.name.replace("two", "only-first")
    load(engine.client, crafted(only, b"x"))
    try:
        done = two.imgopt("analyze", only)
        assert (done.returncode, f"has no image {only}" in done.stderr) == (3, True), done.stderr
        assert str(two.second.path) in done.stderr
    finally:
        engine.client.images.remove(only, force=True)


def test_doctor_says_which_engine_and_why(two: Two) -> None:
    said = two.imgopt("doctor").stdout
    assert str(two.second.path) in said
    assert 'the docker context "two"' in said
    assert "DOCKER_HOST" in two.imgopt("doctor", DOCKER_HOST=two.second.host).stdout


def test_a_gate_counts(two: Two, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate.sock", str(two.second.path))
    command = at_default_socket(gate.path, ["docker", "version", "--format", "{{.Server.Version}}"])
    environment = {**two.variables, "DOCKER_CONTEXT": "default"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert gate.connections > 0
    gate.close()
