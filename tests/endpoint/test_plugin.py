"""`docker imgopt ...`: the plugin's file, and the real docker CLI that runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgopt.cli.app import main
from imgopt.cli.plugin import choose, split
from imgopt.engine import Engine
from imgopt.errors import InputError

from .conftest import Ended, load

NAME, SLEEPS = "imgopt-plugin:1", "imgopt-plugin:2"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return tmp_path / "docker" / "cli-plugins" / "docker-imgopt"


def test_it_is_written_as_a_program_and_removed_again(place: Path) -> None:
    assert main(["docker-plugin", "install"]) == 0
    assert place.stat().st_mode & 0o777 == 0o755
    answer = subprocess.run(
        [place, "docker-cli-plugin-metadata"], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(answer)["SchemaVersion"] == "0.1.0"
    assert main(["docker-plugin", "install"]) == 0  # again, as after an upgrade
    assert main(["docker-plugin", "remove"]) == 0
    assert list(place.parent.iterdir()) == []
    assert main(["docker-plugin", "remove"]) == 0


def test_without_docker_config_it_goes_to_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["docker-plugin", "install"]) == 0
    assert (tmp_path / ".docker" / "cli-plugins" / "docker-imgopt").is_file()


@pytest.mark.parametrize("action", ["install", "remove"])
def test_a_file_of_others_is_left_alone(
    place: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    place.parent.mkdir(parents=True)
    place.write_text("#!/bin/sh\necho somebody's\n")
    assert main(["docker-plugin", action]) == 2
    assert "left alone" in capsys.readouterr().err
    assert "somebody's" in place.read_text()


def test_a_link_of_others_is_left_alone_even_to_nowhere(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.parent.mkdir(parents=True)
    place.symlink_to("/nowhere/docker-imgopt")
    assert main(["docker-plugin", "install"]) != 0
    assert place.is_symlink(), capsys.readouterr().err


def test_a_folder_that_may_not_be_written_is_an_error_in_a_line(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.parent.parent.write_text("a file where the folder would be")
    assert main(["docker-plugin", "install"]) == 3
    assert capsys.readouterr().err.count("\n") <= 2


def test_the_folder_of_the_caller_is_no_place_of_modules(place: Path, tmp_path: Path) -> None:
    main(["docker-plugin", "install"])
    (tmp_path / "typer.py").write_text("raise SystemExit('taken from the folder')\n")
    done = subprocess.run(
        [place, "imgopt", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.startswith("imgopt ")) == (0, True), done.stderr


def test_an_interpreter_that_is_gone_is_told(place: Path, tmp_path: Path) -> None:
    from imgopt.cli.docker_plugin import script

    (tmp_path / "plugin").write_text(script(tmp_path / "it's gone" / "python"))
    done = subprocess.run(["sh", tmp_path / "plugin", "imgopt"], capture_output=True, text=True)
    assert (done.returncode, "docker-plugin install" in done.stderr) == (3, True), done.stderr
    assert not place.exists()


SPLIT: dict[str, tuple[dict[str, str], list[str]]] = {
    "imgopt analyze -H x": ({}, ["analyze", "-H", "x"]),
    "--context far imgopt doctor": ({"context": "far"}, ["doctor"]),
    "-c far -D imgopt doctor": ({"context": "far"}, ["doctor"]),
    "--host=ssh://a imgopt": ({"host": "ssh://a"}, []),
    "-Hunix:///x imgopt": ({"host": "unix:///x"}, []),
    "--config imgopt imgopt --context": ({"config": "imgopt"}, ["--context"]),
    "help imgopt": ({}, ["--help"]),
    "--tlsverify --tlscacert /c/ca.pem imgopt": (
        {"--tlsverify": "true", "ca.pem": "/c/ca.pem"},
        [],
    ),
}


@pytest.mark.parametrize("line", SPLIT)
def test_the_docker_clis_own_options_are_told_from_ours(line: str) -> None:
    assert split(line.split()) == SPLIT[line]


def test_an_option_that_docker_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="--nonsense"):
        split(["--nonsense", "imgopt"])


def test_tls_files_of_other_names_are_refused_and_not_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_CERT_PATH", "")
    with pytest.raises(InputError, match="one folder"):
        choose({"ca.pem": "/c/authority.pem"})
    choose({"ca.pem": "/c/ca.pem", "key.pem": "/c/key.pem"})
    assert os.environ["DOCKER_CERT_PATH"] == "/c"


@dataclass
class Docker:
    """The real docker CLI with the plugin, and a home of its own."""

    variables: dict[str, str]

    def __call__(self, *words: str, **variables: str) -> Ended:
        environment = {**self.variables, **variables}
        return subprocess.run(["docker", *words], env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def docker(
    engine: Engine, crafted: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Docker]:
    if shutil.which("docker") is None:
        pytest.skip("the docker CLI is not here")
    load(engine.client, crafted(NAME, b"hello\n"))
    load(engine.client, crafted(SLEEPS, b"", Cmd=["sleep", "600"]))
    folder = tmp_path_factory.mktemp("docker")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    variables = {**kept, "DOCKER_CONFIG": str(folder)}
    install = [sys.executable, "-m", "imgopt", "docker-plugin", "install"]
    subprocess.run(install, env=variables, check=True, capture_output=True)
    called = Docker(variables)
    assert (
        called("context", "create", "here", "--docker", f"host={engine.endpoint.host}").returncode
        == 0
    )
    assert (
        called("context", "create", "dead", "--docker", "host=unix:///nowhere.sock").returncode == 0
    )
    yield called
    for name in (NAME, SLEEPS):
        engine.client.images.remove(name, force=True)


@pytest.mark.engine
@pytest.mark.parametrize(
    "words", ["imgopt --help", "imgopt -h", "help imgopt", "--context here imgopt --help"]
)
def test_docker_imgopt_helps(docker: Docker, words: str) -> None:
    done = docker(*words.split())
    assert done.returncode == 0, done.stderr
    assert "Usage: docker imgopt [OPTIONS] COMMAND" in done.stdout


@pytest.mark.engine
def test_docker_lists_it_among_its_commands(docker: Docker) -> None:
    assert "imgopt*" in docker("--help").stdout
    assert "imgopt*" in docker().stdout + docker().stderr


@pytest.mark.engine
def test_docker_imgopt_works_and_ends_as_imgopt_does(docker: Docker) -> None:
    assert "payload" in docker("imgopt", "analyze", NAME).stdout
    refused = docker("imgopt", "analyze", "no/such:image")
    assert (refused.returncode, "has no image" in refused.stderr) == (3, True)
    assert docker("imgopt", "nonsense").returncode == 2


@pytest.mark.engine
def test_the_engine_that_docker_was_told_is_the_one_that_is_asked(docker: Docker) -> None:
    assert 'the docker context "here"' in docker("--context", "here", "imgopt", "doctor").stdout
    dead = docker("--context", "dead", "imgopt", "analyze", NAME)
    assert (dead.returncode, "unix:///nowhere.sock" in dead.stderr) == (3, True), dead.stderr
    assert (
        docker("-c", "dead", "imgopt", "doctor", DOCKER_HOST="unix:///other.sock").returncode == 3
    )
    assert docker("-H", "unix:///nowhere.sock", "imgopt", "doctor").returncode == 3
    assert docker("imgopt", "doctor", DOCKER_CONTEXT="dead").returncode == 3


@pytest.mark.engine
def test_docker_completes_it(docker: Docker) -> None:
    assert docker("__complete", "imgopt", "ana").stdout.startswith("analyze\t")
    assert (
        docker("__complete", "imgopt", "analyze", "--la")
        .stdout.splitlines()[0]
        .startswith("--layers")
    )


@pytest.mark.engine
def test_a_signal_to_docker_ends_imgopt_too_and_leaves_nothing(
    docker: Docker, engine: Engine
) -> None:
    """Without a terminal, as under a CI runner that cancels a job."""
    words = ["docker", "imgopt", "prove", SLEEPS, "--with", SLEEPS]
    running = subprocess.Popen(
        words, env=docker.variables, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stderr is not None
    while "Running the original" not in running.stderr.readline():
        assert running.poll() is None
    running.terminate()
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130, said
    left = engine.client.containers.list(
        all=True, filters={"label": "imgopt.session", "ancestor": SLEEPS}
    )
    assert left == []
