"""Compose files on the real engine: up, healthy, stopped in time, gone (`make compose`)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.deploy.prove.compose import prove_compose
from imgopt.results.deploy import DeployProof

pytestmark = pytest.mark.engine

SERVER = """\
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.HTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
CHECK = ["CMD", "python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/')"]


@pytest.fixture(scope="module", autouse=True)
def plugin() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
            raise AssertionError("no Compose plugin: make compose")
        pytest.skip("no Compose plugin: make compose")


@pytest.fixture
def tried(base: Callable[[str], str], tmp_path: Path) -> Callable[..., DeployProof]:
    def prove(server: str = SERVER, check: list[str] = CHECK) -> DeployProof:
        service = {
            "image": base("python:3.11-slim"),
            "command": ["python3", "-c", server],
            "container_name": "imgopt-test-of-a-name",
            "ports": ["8000:8000"],
            "stop_grace_period": "2s",
            "healthcheck": {
                "test": check,
                "interval": "2s",
                "retries": 2,
                "start_period": "3s",
                "start_interval": "300ms",
            },
        }
        path = tmp_path / "compose.yaml"
        path.write_text(json.dumps({"services": {"web": service}}))
        return prove_compose([path])

    return prove


def left() -> str:
    command = ["docker", "ps", "-a", "--filter", "name=imgopt-t", "--format", "{{.Names}}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_healthy_service_that_stops_in_time_passes_and_is_gone(
    tried: Callable[..., DeployProof],
) -> None:
    result = tried()
    assert result.verdict == "passed", result
    assert [case.name for case in result.cases] == ["up", "stop"]
    assert "imgopt-trial" not in left() and "imgopt-test-of-a-name" not in left()


def test_a_check_whose_program_is_not_in_the_image_never_becomes_healthy(
    tried: Callable[..., DeployProof],
) -> None:
    result = tried(check=["CMD", "curl", "-f", "http://127.0.0.1:8000/"])
    assert [(case.name, case.verdict) for case in result.cases] == [("up", "failed")]
    assert "unhealthy" in result.cases[0].detail
    assert "imgopt-trial" not in left()


def test_who_does_not_hear_the_signal_is_killed_and_said(tried: Callable[..., DeployProof]) -> None:
    result = tried(server=SERVER.replace("sys.exit(0)", "None"))
    assert result.cases[1].detail == "killed when its grace was over: web"
