"""Installed from nothing, as a runner and pre-commit do it: needs the package registry, so it is an engine test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Project
from .test_ready_parts import ROOT, Runner

pytestmark = pytest.mark.engine


def test_the_action_installs_imgopt_and_runs_it(project: Project, tmp_path: Path) -> None:
    temp = tmp_path / "runner temp"
    temp.mkdir()
    runner = Runner(project, temp)
    installed = runner.step("Install imgopt")
    assert installed.returncode == 0, installed.stderr
    project.imgopt("baseline", f"app={project.archive}")
    done = runner.step("Check image sizes", images=f"app={project.archive}")
    assert done.returncode == 0, done.stderr
    assert runner.outputs()["status"] == "passed"


def test_pre_commit_installs_the_hook_and_runs_it(project: Project, tmp_path: Path) -> None:
    project.write("Dockerfile", "FROM debian\nRUN apt-get update && apt-get install -y curl\n")
    project.git("add", "--all")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}
    tool = Path(sys.executable).parent / "pre-commit"
    command = [tool, "try-repo", ROOT, "imgopt-lint", "--ref", "HEAD", "--all-files"]
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True)
    assert "Dockerfile:2: warning: apt keeps what it downloaded" in done.stdout, done.stdout + done.stderr
