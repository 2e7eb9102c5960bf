"""What the machine's faults say, word for word, and what only sounds like them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from imgopt.engine.build import BuildFailure, BuildRequest, failure
from imgopt.engine.client import _unless_full
from imgopt.engine.faults import full_disk, gone, no_network, no_resolver
from imgopt.engine.rawjson import Progress
from imgopt.errors import EnvironmentFailure

FULL = [
    "npm ERR! nospc ENOSPC: no space left on device, write",
    "npm error code ENOSPC",
    "E: You don't have enough free space in /var/cache/apt/archives/.",
    "OSError: [Errno 28] No space left on device: '/usr/local/lib/python3.11/site-packages/torch'",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    "error: failed to write `/app/target/debug/x`: No space left on device (os error 28)",
    "cp: error writing '/app/x': No space left on device",
    "java.io.IOException: No space left on device",
    "go: writing go.sum: write /tmp/x: no space left on device",
    "collect2: fatal error: ld: final link failed: No space left on device",
    "tar: package.tar: Cannot write: No space left on device",
    "MSB4018: There is not enough space on the disk. : '/tmp/x'",
    "  At least 123MB more space needed on the / filesystem.",
    "write /var/lib/docker/tmp/x: disk quota exceeded",
    "failed to copy: failed to write blob: write /var/lib/containerd/x: no space left on device: unknown",
]


@pytest.mark.parametrize("line", FULL)
def test_a_full_disk_is_known_by_what_tools_say_of_it(line: str) -> None:
    assert full_disk(["Step 3", line, "The command returned 1"]) == line


@pytest.mark.parametrize(
    "line",
    [
        "Error: ENOSPC: System limit for number of file watchers reached, watch '/app/src'",
        "OSError: [Errno 28] No space left on device: '/dev/shm/x'",
        "inotify_add_watch: No space left on device",
        "psycopg2.errors.DiskFullish: nothing",
        "spaces left on the line: 28",
    ],
)
def test_another_table_of_the_kernel_is_no_disk(line: str) -> None:
    assert full_disk([line]) == ""


def test_memory_that_a_step_brings_for_itself_is_no_disk() -> None:
    step = "RUN --mount=type=tmpfs,target=/work,size=1m make"
    assert full_disk(["cp: error writing '/work/x': No space left on device"], step) == ""


def test_a_disk_that_was_full_long_before_the_end_is_no_reason() -> None:
    assert full_disk([FULL[0], *["compiling"] * 100]) == ""


@pytest.mark.parametrize(
    "line",
    [
        "W: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'",
        "npm error request to https://registry.npmjs.org/x failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org",
        "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
        "dial tcp: lookup proxy.golang.org on 10.0.0.1:53: server misbehaving",
    ],
)
def test_no_resolver_is_known(line: str) -> None:
    assert no_resolver([line]) == no_network([line]) == line


@pytest.mark.parametrize(
    "line",
    [
        "curl: (6) Could not resolve host: registry.npmjs.org",
        "fatal: unable to access 'https://x/': Could not resolve host: github.com",
        "dial tcp: lookup registry-1.docker.io: no such host",
        "java.net.UnknownHostException: repo.maven.apache.org: Name or service not known",
        "wget: bad address 'example.com'",
    ],
)
def test_a_name_that_is_not_found_may_be_the_name_s_fault(line: str) -> None:
    assert no_network([line]) == line
    assert no_resolver([line]) == ""


def test_an_engine_that_is_gone_is_known() -> None:
    assert gone("ERROR: error reading from server: EOF")
    assert gone(
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    )
    assert not gone("dial tcp 10.0.0.1:5432: connect: connection refused")


def told(log: str, error: str, name: str = "[2/2] RUN npm ci", message: str = "") -> Progress:
    progress = Progress()
    vertex = {"digest": "d", "name": name, "started": "2026-01-01T00:00:00Z"}
    progress.feed(json.dumps({"vertexes": [vertex]}))
    progress.feed(
        json.dumps({"logs": [{"vertex": "d", "data": base64.b64encode(log.encode()).decode()}]})
    )
    progress.feed(
        json.dumps({"vertexes": [{**vertex, "completed": "2026-01-01T00:00:01Z", "error": error}]})
    )
    progress.feed(f"ERROR: failed to build: failed to solve: {message or error}")
    return progress


def test_a_step_that_fills_the_disk_is_the_machine_s_fault_with_what_frees_it(
    tmp_path: Path,
) -> None:
    progress = told(
        "npm ERR! ENOSPC: no space left on device\nnpm ERR! A log is in /root\n", "exit code: 228"
    )
    found = failure(BuildRequest(context=tmp_path), progress, "FROM a\nRUN npm ci\n")
    assert isinstance(found, EnvironmentFailure)
    assert found.exit_code == 3
    assert "disk is full (in RUN npm ci)" in found.message
    assert "docker builder prune" in (found.hint or "") and "docker system df" in (found.hint or "")


def test_a_step_that_fails_by_itself_is_not(tmp_path: Path) -> None:
    found = failure(
        BuildRequest(context=tmp_path),
        told("error TS2304\n", "exit code: 2"),
        "FROM a\nRUN npm ci\n",
    )
    assert isinstance(found, BuildFailure)


def test_a_base_that_cannot_be_pulled_is_told_with_the_option_to_paste(tmp_path: Path) -> None:
    message = "python:3.99: failed to resolve source metadata for docker.io/library/python:3.99: not found "
    progress = told("", message, "[internal] load metadata for docker.io/library/python:3.99")
    found = failure(BuildRequest(context=tmp_path), progress, "FROM python:3.99\n")
    assert isinstance(found, BuildFailure) and found.exit_code == 3
    assert found.hint == (
        "say which image this engine has for it: --base python:3.99=IMAGE, or in imgopt.toml under [bases]: "
        '"python:3.99" = "IMAGE"'
    )


class Answer:
    def __init__(self, status: int, text: str) -> None:
        self.status_code, self.text = status, text


def test_an_engine_that_says_that_its_disk_is_full_is_told_as_such() -> None:
    with pytest.raises(EnvironmentFailure, match="disk is full"):
        _unless_full(Answer(500, '{"message":"mkdir /var/lib/docker/x: no space left on device"}'))
    other = Answer(404, "no space left on device")
    assert _unless_full(other) is other
