"""The loop at its edges: what cannot start, cannot build, must not be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .kit import PAGE_SERVICE, environment, imgopt, project, result_of, snapshot


def test_a_missing_dockerfile_is_a_wrong_input(tmp_path: Path) -> None:
    done = imgopt("optimize", str(tmp_path))
    assert done.returncode == 2
    assert "no such Dockerfile" in done.stderr


def test_an_empty_dockerfile_is_a_wrong_input(tmp_path: Path) -> None:
    done = imgopt("optimize", str(project(tmp_path, {"Dockerfile": "\n"})))
    assert done.returncode == 2
    assert "empty" in done.stderr


def test_a_dockerfile_that_buildkit_refuses_is_a_wrong_input_with_its_place(tmp_path: Path) -> None:
    done = imgopt("optimize", str(project(tmp_path, {"Dockerfile": "FROM a\nCOPY one\n"})))
    assert done.returncode == 2
    assert "Dockerfile:2" in done.stderr


def test_an_unknown_option_is_named_with_its_place(tmp_path: Path) -> None:
    folder = project(tmp_path, {"Dockerfile": "FROM a\n", "imgopt.toml": "[smoke]\nhttps = []\n"})
    done = imgopt("optimize", str(folder))
    assert done.returncode == 2
    assert "imgopt.toml:2" in done.stderr
    assert "did you mean `http`?" in done.stderr


def test_without_an_engine_it_says_what_to_do(tmp_path: Path) -> None:
    folder = project(tmp_path, {"Dockerfile": "FROM a\n"})
    done = imgopt("optimize", str(folder), env={"DOCKER_HOST": f"unix://{tmp_path}/no.sock"})
    assert done.returncode == 3
    assert "imgopt: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_an_original_that_does_not_start_leaves_it_unproven(tmp_path: Path) -> None:
    text = 'FROM python:3.11-slim\nRUN true\nCMD ["python3", "-c", "import os; os.environ[\'DATABASE_URL\']"]\n'
    done = imgopt("optimize", str(project(tmp_path, {"Dockerfile": text})), "--format", "json")
    result = result_of(done)
    assert done.returncode == 1
    assert result["verdict"] == "unproven"
    assert "KeyError: 'DATABASE_URL'" in result["message"]
    assert "--env DATABASE_URL" in result["message"]


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_an_original_that_does_not_build_names_the_step_its_line_and_its_output(
    tmp_path: Path,
) -> None:
    text = "FROM python:3.11-slim\nENV A=1\nRUN echo one sign of life && exit 7\n"
    done = imgopt("optimize", str(project(tmp_path, {"Dockerfile": text})))
    assert done.returncode == 1
    assert "Dockerfile:3" in done.stderr
    assert "one sign of life" in done.stderr


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_nothing_is_written_without_write_and_both_files_with_it(tmp_path: Path) -> None:
    folder = project(tmp_path, PAGE_SERVICE)
    before = snapshot(folder)
    done = imgopt("optimize", str(folder), "--variant", "slim", "--no-timings", "--format", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    assert snapshot(folder) == before
    found = result_of(done)
    planned = found["variants"][0]
    assert found["builds_by"] == {"original": 1, "slim": 1}
    assert found["builds"] == 2 <= found["most_builds"]
    assert found["steps_run"]["original"] <= 1, "the original has one RUN"
    assert found["steps_run"]["slim"] <= planned["dockerfile"].count("RUN "), (
        "each of its steps once at the most"
    )
    done = imgopt("optimize", str(folder), "--variant", "slim", "--no-timings", "--write")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "FROM python:3.11 AS builder" in (folder / "Dockerfile").read_text()
    assert (folder / "Dockerfile").read_text() == planned["dockerfile"], "two runs, two files"
    assert (folder / ".dockerignore").read_text() == planned["dockerignore"]
    assert "Dockerfile" in (folder / ".dockerignore").read_text()
    again = imgopt("optimize", str(folder), "--variant", "slim", "--no-timings", "--format", "json")
    assert result_of(again)["verdict"] == "good", again.stdout


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_every_proven_variant_is_timed_on_demand(tmp_path: Path) -> None:
    folder = project(tmp_path, PAGE_SERVICE)
    before = snapshot(folder)
    words = ["--variant", "safe", "--variant", "slim", "--time-all", "--format", "json"]
    result = result_of(imgopt("optimize", str(folder), *words))
    assert [variant["verdict"] for variant in result["variants"]] == ["proven", "proven"]
    for variant in result["variants"]:
        counts = {
            name: (len(found["before"]), len(found["after"]))
            for name, found in variant["timings"].items()
        }
        assert counts == {"cold": (1, 1), "edit-source": (3, 3)}, variant["name"]
        assert not all(step["cached"] for step in variant["steps"]), "the edit runs something again"
    assert snapshot(folder) == before


def _engine_things() -> tuple[set[str], set[str]]:
    words = ["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", "label=imgopt.session"]
    containers = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    words = ["docker", "images", "--quiet", "--no-trunc", "--filter", "label=imgopt.session"]
    images = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return set(containers), set(images)


MOMENTS = [
    "Building the original",
    "Running the original",
    "Building the slim",
    "Proving the slim",
    "Timing, 1 of",
]


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interruption_at_any_moment_leaves_nothing_behind(moment: str, tmp_path: Path) -> None:
    folder = project(tmp_path / "context", PAGE_SERVICE)
    before = snapshot(folder)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = [sys.executable, "-u", "-m", "imgopt", "optimize", str(folder), "--variant", "slim"]
    words += ["--no-lives"]
    process = subprocess.Popen(
        words, env={**environment(), "TMPDIR": str(temporary)}, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(moment):
            break
    else:
        pytest.fail(f"it never came to {moment!r}")
    time.sleep(0.3)
    sent = time.monotonic()
    os.kill(process.pid, signal.SIGTERM if "slim" in moment else signal.SIGINT)
    process.stderr.read()
    assert process.wait(60) == 130
    assert time.monotonic() - sent < 10
    containers, images = _engine_things()
    assert _of(process.pid, containers | images) == []
    assert list(temporary.iterdir()) == []
    assert snapshot(folder) == before


def _of(pid: int, things: set[str]) -> list[str]:
    """Those whose session label names the process."""
    found = []
    for thing in things:
        words = ["docker", "inspect", "--format", "{{json .Config.Labels}}", thing]
        text = subprocess.run(words, capture_output=True, text=True).stdout
        if f"-{pid}-" in text:
            found.append(thing)
    return found


LISTENER = """\
package main

import (
	"net"
	"os"
)

func main() {
	listener, _ := net.Listen("tcp", ":8000")
	for {
		connection, _ := listener.Accept()
		connection.Read(make([]byte, 4096))
		page, _ := os.ReadFile("page.txt")
		head := "HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 6\\r\\n\\r\\n"
		connection.Write([]byte(head + string(page)))
		connection.Close()
	}
}
"""


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_start_that_builds_is_resolved_and_needs_no_toolchain_any_more(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM golang:1.22\nWORKDIR /srv\nCOPY . .\nRUN go build -o /dev/null .\nCMD go run .\n",
        "go.mod": "module example.org/page\n\ngo 1.22\n",
        "main.go": LISTENER,
        "page.txt": "hello\n",
    }
    folder = project(tmp_path, files)
    result = result_of(
        imgopt(
            "optimize", str(folder), "--variant", "distroless", "--no-timings", "--format", "json"
        )
    )
    variant = result["variants"][0]
    assert variant["verdict"] == "proven", result
    assert 'CMD ["/usr/local/bin/page"]' in variant["dockerfile"]
    assert "COPY --from=builder /usr/local/bin/page /usr/local/bin/page" in variant["dockerfile"]
    assert "/srv/page.txt" in variant["dockerfile"]
    assert variant["sizes"]["wire"] * 30 < result["original"]["sizes"]["wire"]
