"""Installed from nothing, as a runner and pre-commit do it: needs the package registry, so it is an
engine test."""

from __future__ import annotations

import os
import shutil
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
    done = subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True
    )
    remark = (
        "Dockerfile:2: warning: this layer keeps what the installer downloaded: "
        "add && rm -rf /var/lib/apt/lists/* to this RUN [installer-caches]"
    )
    assert remark in done.stdout, done.stdout + done.stderr


ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
WORKFLOW = """\
on: push
jobs:
  size:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: size
        uses: ./
        with:
          images: app=app:ci
          {input}: origin/main
      - env:
          HEADLINE: ${{{{ steps.size.outputs.{output} }}}}
        run: echo "$HEADLINE"
"""


@pytest.fixture(scope="module")
def actionlint() -> str:
    """GitHub's workflows as their best-known checker reads them: the one on the PATH, or built by
    Go."""
    folder = ROOT / "build" / "bin"
    found = shutil.which("actionlint") or shutil.which("actionlint", path=folder)
    if found is None:
        if shutil.which("go") is None:
            pytest.skip("actionlint is not here, nor Go to build it")
        environment = {**os.environ, "GOBIN": str(folder)}
        subprocess.run(
            ["go", "install", ACTIONLINT], env=environment, check=True, capture_output=True
        )
        found = str(folder / "actionlint")
    return found


def test_actionlint_accepts_the_workflows(actionlint: str) -> None:
    files = sorted((ROOT / "ci-templates" / "github").glob("*.yml"))
    done = subprocess.run(
        [actionlint, "-no-color", *files], cwd=ROOT, capture_output=True, text=True
    )
    assert files and done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("names", "code"),
    [(("against", "headline"), 0), (("aganst", "headline"), 1), (("against", "headlin"), 1)],
    ids=["right", "no such input", "no such output"],
)
def test_actionlint_knows_the_inputs_and_outputs_of_the_action(
    project: Project, actionlint: str, names: tuple[str, str], code: int
) -> None:
    shutil.copy(ROOT / "action.yml", project.folder)
    workflow = project.folder / ".github" / "workflows" / "size.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(WORKFLOW.format(input=names[0], output=names[1]))
    done = subprocess.run(
        [actionlint, "-no-color"], cwd=project.folder, capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout + done.stderr
