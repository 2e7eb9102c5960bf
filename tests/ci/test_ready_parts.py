"""The ready parts, held against their schemas and run as their runners run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from image.crafting import f
from ruamel.yaml import YAML

from imgopt.results import to_json

from .conftest import Project
from .kit import typical

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TEMPLATES = ROOT / "ci-templates"


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", "action.yml"),
        ("vendor.github-workflows", "ci-templates/github/image-size.yml"),
        ("vendor.github-workflows", "ci-templates/github/image-size-comment.yml"),
        ("vendor.gitlab-ci", "ci-templates/gitlab.yml"),
    ],
)
def test_the_published_schema_accepts_the_file(schema: str, file: str) -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", schema, ROOT / file],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pre_commit_accepts_the_hooks() -> None:
    done = subprocess.run(
        [BIN / "pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_script_of_the_action_holds_an_expression() -> None:
    """What stands in `${{ }}` inside a script is pasted into it: a branch name could run
    commands."""
    scripts = [step.get("run", "") for step in _yaml(ROOT / "action.yml")["runs"]["steps"]]
    for file in (TEMPLATES / "github").glob("*.yml"):
        scripts += [
            step.get("run", "") for job in _yaml(file)["jobs"].values() for step in job["steps"]
        ]
    assert scripts and not any("${{" in script for script in scripts)


def test_the_second_workflow_takes_nothing_from_the_pull_request_but_its_result() -> None:
    workflow = _yaml(TEMPLATES / "github" / "image-size-comment.yml")
    steps = workflow["jobs"]["comment"]["steps"]
    assert not any("checkout" in step.get("uses", "") for step in steps)
    assert "pull_request_target" not in (TEMPLATES / "github" / "image-size.yml").read_text()
    assert _yaml(TEMPLATES / "github" / "image-size.yml")["permissions"] == {"contents": "read"}


class Runner:
    """Runs the steps of a composite action as GitHub's runner does: its shell, its files, its
    expressions."""

    def __init__(self, project: Project, temp: Path) -> None:
        self.project, self.temp = project, temp
        self.action = _yaml(ROOT / "action.yml")
        self.output, self.summary = temp / "output", temp / "summary"
        for file in (self.output, self.summary):
            file.write_text("")

    def step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        step = next(step for step in self.action["runs"]["steps"] if step["name"] == name)
        values = {
            key: item.get("default", "") for key, item in self.action["inputs"].items()
        } | inputs
        script = self.temp / "step.sh"
        script.write_text(step["run"])
        environment = {key: self._expand(text, values) for key, text in step.get("env", {}).items()}
        assert step["shell"] == "bash"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.project.folder,
            env={**os.environ, **self._runner(), **environment},
            capture_output=True,
            text=True,
        )

    def outputs(self) -> dict[str, str]:
        found: dict[str, str] = {}
        lines = iter(self.output.read_text().splitlines())
        for line in lines:
            name, _, delimiter = line.partition("<<")
            if delimiter and "=" not in name:
                found[name] = "\n".join(iter(lambda: next(lines), delimiter))
            else:
                found[line.partition("=")[0]] = line.partition("=")[2]
        return found

    def _expand(self, text: str, values: dict[str, str]) -> str:
        text = text.replace("${{ github.action_path }}", str(ROOT))
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match[1]], text)

    def _runner(self) -> dict[str, str]:
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.temp),
        }

    def installed(self) -> None:
        """In place of the first step: the imgopt of this environment."""
        folder = self.temp / "imgopt-venv" / "bin"
        folder.mkdir(parents=True)
        (folder / "imgopt").symlink_to(BIN / "imgopt")


@pytest.fixture
def runner(project: Project, tmp_path: Path) -> Runner:
    temp = tmp_path / "runner temp"
    temp.mkdir()
    return Runner(project, temp)


def test_the_action_turns_red_with_annotations_summary_and_outputs(runner: Runner) -> None:
    runner.installed()
    project = runner.project
    images = f"app={project.archive}\n"
    assert runner.step("Check image sizes", images=images).returncode == 0
    assert runner.outputs()["status"] == "no-baseline"
    project.imgopt("baseline", f"app={project.archive}")
    project.image(source=[f("app/dump.tar.gz", 20_000_000)])
    runner.output.write_text("")
    done = runner.step("Check image sizes", images=images)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=Dockerfile,line=7,title=imgopt%3A Own growth::")
    assert "dump.tar.gz" in runner.summary.read_text()
    outputs = runner.outputs()
    assert (
        outputs["status"] == "failed"
        and int(outputs["delta"]) > 19_000_000
        and outputs["errors"] == "1"
    )
    declared = runner.action["outputs"]
    assert set(declared) == set(outputs)
    assert all(
        item["value"] == f"${{{{ steps.check.outputs.{name} }}}}" for name, item in declared.items()
    )
    assert json.loads(Path(outputs["result"]).read_text())["schema"] == "imgopt/ci/1"
    assert Path(outputs["comment"]).read_text().startswith("<!-- imgopt:ci:")
    assert json.loads(Path(outputs["sarif"]).read_text())["version"] == "2.1.0"


def test_inputs_of_the_action_cannot_run_commands(runner: Runner) -> None:
    runner.installed()
    attack = f"app={runner.project.archive}; touch owned $(touch owned) `touch owned`"
    done = runner.step("Check image sizes", images=attack, arguments="--no-fix;touch${IFS}owned")
    assert done.returncode == 2
    assert not (runner.project.folder / "owned").exists()


def test_names_cannot_command_the_runner_through_the_text(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is text for a person: commands are off around it."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    name = "app/" + "x" * 40 + "\n::error::owned"
    project.imgopt("baseline", f"app={project.archive}")
    project.image(source=[f(name, 20_000_000)])
    done = subprocess.run(
        [BIN / "imgopt", "ci", "check", f"app={project.archive}"],
        capture_output=True,
        text=True,
        cwd=project.folder,
    )
    lines = done.stdout.splitlines()
    token = re.fullmatch(r"::stop-commands::(imgopt-[0-9a-f]{32})", lines[0])
    assert token is not None and lines[-1] == f"::{token[1]}::"
    assert done.stdout.count(token[1]) == 2


def test_the_gitlab_job_runs_and_writes_its_reports(project: Project) -> None:
    job = _yaml(TEMPLATES / "gitlab.yml")["imgopt"]
    project.imgopt("baseline", f"app={project.archive}")
    project.commit("baseline")
    project.image(source=[f("app/dump.tar.gz", 20_000_000)])
    script = "set -eo pipefail\n" + "\n".join([*job["before_script"], *job["script"]])
    variables = {**job["variables"], "IMGOPT_IMAGES": f"app={project.archive}"}
    for branch, code in (("", 1), ("main", 1)):
        if branch:
            project.git("update-ref", "refs/remotes/origin/main", "main")
            variables["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = branch
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=project.folder,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
    for report in job["artifacts"]["reports"].values():
        assert (project.folder / report).stat().st_size
    issues = json.loads((project.folder / job["artifacts"]["reports"]["codequality"]).read_text())
    assert issues[0]["location"] == {"path": "Dockerfile", "lines": {"begin": 7}}


GH = """#!{python}
import json, os, sys
with open(os.environ["GH_LOG"], "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
path = next(word for word in sys.argv[1:] if word.startswith("repos/"))
if path.endswith("/pulls"):
    print(json.dumps([{{"number": 7, "head": {{"sha": "abc"}}}}]))
elif "comments?" in path:
    print(os.environ["GH_COMMENTS"])
"""


@pytest.mark.parametrize("known", [False, True], ids=["first run", "second run"])
def test_the_second_workflow_writes_one_comment_and_updates_it(tmp_path: Path, known: bool) -> None:
    steps = _yaml(TEMPLATES / "github" / "image-size-comment.yml")["jobs"]["comment"]["steps"]
    script = next(step["run"] for step in steps if step["name"] == "Comment")
    tools = tmp_path / "imgopt" / "bin"
    tools.mkdir(parents=True)
    (tools / "imgopt").symlink_to(BIN / "imgopt")
    (tools / "gh").write_text(GH.format(python=sys.executable))
    (tools / "gh").chmod(0o755)
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "result.json").write_text(to_json(typical()))
    from imgopt.report import render

    marker = render(typical(), "markdown").splitlines()[0]
    others = [
        {"id": 1, "user": {"type": "User"}, "body": marker},
        {"id": 2, "user": {"type": "Bot"}, "body": "other"},
    ]
    ours = [{"id": 3, "user": {"type": "Bot"}, "body": f"{marker}\nold"}] if known else []
    environment = {
        **os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "RUNNER_TEMP": str(tmp_path),
        "GITHUB_REPOSITORY": "acme/app", "HEAD": "fork:branch", "HEAD_SHA": "abc", "GH_LOG": str(tmp_path / "log"),
        "GH_COMMENTS": json.dumps([others, ours]),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    last = json.loads((tmp_path / "log").read_text().splitlines()[-1])
    wanted = (
        ["PATCH", "repos/acme/app/issues/comments/3"]
        if known
        else ["POST", "repos/acme/app/issues/7/comments"]
    )
    assert last[2:4] == wanted and "body=@comment.md" in last
    assert (tmp_path / "comment.md").read_text().startswith(marker)


def _hooks(project: Project, hook: str) -> None:
    """A repository that uses our hooks file; the hook's environment is this one instead of a new
    one."""
    hooks = project.folder.parent / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=hooks, check=True)
    commit = [
        "git",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "commit",
        "--quiet",
        "--message",
        "hooks",
    ]
    subprocess.run(commit, cwd=hooks, check=True)
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=hooks, capture_output=True, text=True
    ).stdout.strip()
    project.write(
        ".pre-commit-config.yaml",
        f"repos:\n  - repo: {hooks}\n    rev: {revision}\n    hooks:\n      - id: {hook}\n        language: system\n",
    )


def _pre_commit(project: Project) -> subprocess.CompletedProcess[str]:
    project.git("add", "--all")
    home = project.folder.parent / "pre-commit"
    return subprocess.run(
        [BIN / "pre-commit", "run"],
        cwd=project.folder,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(home)},
        capture_output=True,
        text=True,
    )


def test_the_hook_runs_through_pre_commit_and_names_the_line(project: Project) -> None:
    _hooks(project, "imgopt-lint")
    project.write("Dockerfile", "FROM debian\nRUN apt-get update && apt-get install -y curl\n")
    project.write("notes.txt", "no Dockerfile")
    done = _pre_commit(project)
    assert done.returncode == 1
    assert "Dockerfile:2: warning:" in done.stdout and "notes.txt" not in done.stdout
    project.write("Dockerfile", "FROM debian\nRUN true\n")
    assert _pre_commit(project).returncode == 0
    project.write("Dockerfile", "FROM debian\nCOPPY . .\n")
    assert "Dockerfile:2: error:" in _pre_commit(project).stdout


def test_the_hook_loads_no_library_that_reading_a_dockerfile_does_not_need(
    project: Project,
) -> None:
    """A hook runs at each commit; what it takes is measured by benchmarks/rewrite.py."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "imgopt", "ci", "lint", "Dockerfile"],
        cwd=project.folder,
        capture_output=True,
        text=True,
    )
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert {"imgopt", "typer"} <= loaded
    assert not loaded & {
        "docker",
        "elftools",
        "jinja2",
        "oras",
        "requests",
        "rich",
        "tree_sitter",
        "zstandard",
    }


def test_the_rewriting_hook_changes_the_file_once(project: Project) -> None:
    _hooks(project, "imgopt-rewrite")
    project.write(
        "service.Dockerfile", "FROM debian\nRUN apt-get update && apt-get install -y curl\n"
    )
    project.write("Dockerfile", "FROM debian\nRUN true\n")
    assert _pre_commit(project).returncode == 1
    text = (project.folder / "service.Dockerfile").read_text()
    assert text != "FROM debian\nRUN apt-get update && apt-get install -y curl\n"
    assert _pre_commit(project).returncode == 0
    assert (project.folder / "service.Dockerfile").read_text() == text


def test_the_entry_point_of_the_fixture_is_declared() -> None:
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "pytest11"
    ]
    assert declared == {"imgopt": "imgopt.ci.pytest_plugin"}


def test_the_fixture_fails_a_test_suite_that_breaks_its_budget(project: Project) -> None:
    project.write(
        "test_budget.py",
        f"def test_small(image_budget):\n    image_budget('app={project.archive}', max='100 MB')\n"
        f"def test_large(image_budget):\n    image_budget('app={project.archive}', max='1 MB')\n"
        f"def test_growth(image_budget):\n    image_budget('app={project.archive}', max_growth='1 MB')\n"
        "def test_missing(image_budget):\n    image_budget('./none.tar', max='1 MB')\n",
    )
    # by name: whether this environment knows the entry point does not matter
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--rootdir",
        ".",
        "-p",
        "imgopt.ci.pytest_plugin",
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True
    )
    assert "1 passed" in done.stdout and "3 failed" in done.stdout
    assert (
        "1.0 MB allowed" in done.stdout
        and "no baseline" in done.stdout
        and "none.tar" in done.stdout
    )
    assert "Traceback" not in done.stdout
