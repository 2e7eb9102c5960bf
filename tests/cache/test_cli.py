"""`imgopt cache` as a user meets it: exit codes, formats, and a context that stays as it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgopt.cli.app import main

from .kit import Project, write

FILES = {
    "app/main.py": "print(1)\n",
    "req.txt": "x\n",
    "README.md": "hi\n",
    "tests/test_a.py": "1\n",
    "docs/a.md": "1\n",
}


def imgopt(*arguments: str | Path, cache: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imgopt", "cache", *map(str, arguments)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "COLUMNS": "140"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    write(
        Project(
            "FROM python:3.11\nWORKDIR /app\nCOPY req.txt .\nRUN cat req.txt\nCOPY . .\nRUN ls\n",
            FILES,
        ),
        folder,
    )
    return folder


def everything(folder: Path) -> dict[str, tuple[int, ...]]:
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        about = path.lstat()
        found[str(path)] = (
            about.st_ino,
            about.st_mode,
            about.st_mtime_ns,
            about.st_ctime_ns,
            about.st_size,
        )
    return found


def test_json_is_the_contract(context: Path, tmp_path: Path) -> None:
    done = imgopt(context, "--format", "json", cache=tmp_path)
    result = json.loads(done.stdout)
    assert (done.returncode, result["schema"]) == (0, "imgopt/cache/1")
    assert result["steps"][1] == {"stage": "", "line": 3, "instruction": "COPY req.txt ."}
    source = next(one for one in result["scenarios"] if one["name"] == "edit-source")
    assert source["edit"] == "app/main.py: one line added"
    assert [step["predicted"] for step in source["steps"]] == ["hit", "hit", "hit", "miss", "miss"]
    assert source["steps"][3]["reason"] == "COPY . .: app/main.py changed"
    assert source["steps"][3]["measured"] is None and source["steps"][3]["reason_not_measured"]
    assert result["agreement"] is None


def test_text_and_markdown(context: Path, tmp_path: Path) -> None:
    shown = imgopt(context, cache=tmp_path).stdout
    assert (
        "edit-source" in shown
        and "line 5: app/main.py changed" in shown
        and "not tried: edit-lock" in shown
    )
    assert "| edit-source |" in imgopt(
        context, "--format", "markdown", cache=tmp_path
    ).stdout.replace("&#45;", "-")


def test_nothing_in_the_context_changes(context: Path, tmp_path: Path) -> None:
    before = everything(context)
    (tmp_path / "other").mkdir()
    imgopt(context, cache=tmp_path)
    imgopt(context, "--explain", "3", "--against", tmp_path / "other", cache=tmp_path)
    imgopt(context, "--replay", "3", cache=tmp_path)
    assert everything(context) == before


def test_replay_without_git_is_exit_2_and_scenarios_work(context: Path, tmp_path: Path) -> None:
    done = imgopt(context, "--replay", "10", cache=tmp_path)
    assert done.returncode == 2
    assert "nothing to replay: the directory is not in a git repository" in done.stderr
    assert imgopt(context, cache=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--explain", "3"], "--explain compares with one other state"),
        (["--explain", "1", "--against", "."], "no cacheable step"),
        (["--explain", "-1", "--since", "HEAD"], "lines count from 1"),
        (["--with", "x"], "--with needs --replay"),
        (["--scenario", "no-such"], "no scenario 'no-such'"),
        (["--format", "sarif"], "no format 'sarif'"),
        (["--since", "HEAD"], "not in a git repository"),
        (["--file", "missing"], "no such Dockerfile"),
    ],
)
def test_what_cannot_be_is_exit_2_with_words(
    context: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    other = tmp_path / "other"
    write(Project("FROM python:3.11\nRUN ls\n"), other)
    given = [str(other) if one == "." else one for one in arguments]
    done = imgopt(context, *given, cache=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert said in done.stderr


def test_a_refused_dockerfile_is_exit_2_with_its_line(context: Path, tmp_path: Path) -> None:
    (context / "Dockerfile").write_text("FROM x\nRUNN y\n")
    done = imgopt(context, cache=tmp_path)
    assert done.returncode == 2 and "Dockerfile:2" in done.stderr


def test_the_users_own_scenario_from_the_configuration(context: Path, tmp_path: Path) -> None:
    (context / "imgopt.toml").write_text(
        '[[cache.scenario]]\nname = "mine"\ncommand = "echo 2 >> req.txt"\n'
    )
    done = imgopt(context, "--scenario", "mine", "--format", "json", cache=tmp_path)
    (scenario,) = json.loads(done.stdout)["scenarios"]
    assert (scenario["name"], scenario["edit"]) == ("mine", "req.txt changed")
    assert [step["predicted"] for step in scenario["steps"]] == [
        "hit",
        "miss",
        "miss",
        "miss",
        "miss",
    ]
    assert (context / "req.txt").read_text() == "x\n"


@pytest.mark.engine
def test_a_measurement_agrees_and_is_remembered(
    context: Path, tmp_path: Path, base_image: str
) -> None:
    before = everything(context)
    base = f"python:3.11={base_image}"
    out = tmp_path / "out.json"
    done = imgopt(context, "--measure", "--base", base, "--output", f"json:{out}", cache=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    ran = [one for one in result["scenarios"] if not one["failure"]]
    assert len(ran) >= 12
    assert result["agreement"] == {
        "decided": 5 * len(ran),
        "right": 5 * len(ran),
        "wrong": 0,
        "unknown": 0,
    }
    assert all(step["seconds"] is not None for one in ran for step in one["steps"])
    assert "predicted right: " in done.stdout
    again = json.loads(
        imgopt(context, "--format", "json", "--scenario", "edit-source", cache=tmp_path).stdout
    )
    assert all(step["seconds"] is not None for step in again["scenarios"][0]["steps"])
    assert everything(context) == before


STAGES = """\
FROM python:3.11 AS made
COPY . /src
RUN mkdir /out && cp /src/app/main.py /out
FROM python:3.11
COPY --from=made /out /out
RUN ls /out
"""


@pytest.mark.engine
def test_what_the_first_measurement_left_open_the_second_predicts(
    tmp_path: Path, base_image: str
) -> None:
    context = tmp_path / "context"
    write(Project(STAGES, FILES), context)
    wanted = ("--scenario", "edit-source", "--scenario", "edit-docs")
    measured = []
    for _ in range(2):
        done = imgopt(
            context,
            "--measure",
            *wanted,
            "--base",
            f"python:3.11={base_image}",
            "--format",
            "json",
            cache=tmp_path,
        )
        measured.append(json.loads(done.stdout))
    predicted = [
        [[step["predicted"] for step in one["steps"][2:]] for one in each["scenarios"]]
        for each in measured
    ]
    assert predicted == [[["unknown"] * 2] * 2, [["miss"] * 2, ["hit"] * 2]]
    assert [each["agreement"]["wrong"] for each in measured] == [0, 0]
    assert [each["agreement"]["unknown"] for each in measured] == [4, 0]


@pytest.mark.engine
def test_a_kill_in_the_middle_of_a_measurement_leaves_the_context(
    context: Path, tmp_path: Path, base_image: str
) -> None:
    before = everything(context)
    command = [
        sys.executable,
        "-m",
        "imgopt",
        "cache",
        str(context),
        "--measure",
        "--base",
        f"python:3.11={base_image}",
    ]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "edit-source" in line:
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert everything(context) == before
    # and the next measurement finds its way as if nothing had been
    done = imgopt(
        context,
        "--measure",
        "--scenario",
        "edit-source",
        "--base",
        f"python:3.11={base_image}",
        cache=tmp_path,
    )
    assert done.returncode == 0 and "predicted right: 5 of 5" in done.stdout
    assert everything(context) == before


@pytest.mark.engine
def test_an_interrupt_ends_it_in_order(context: Path, tmp_path: Path, base_image: str) -> None:
    work = tmp_path / "work"
    work.mkdir()
    command = [
        sys.executable,
        "-m",
        "imgopt",
        "cache",
        str(context),
        "--measure",
        "--base",
        f"python:3.11={base_image}",
    ]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(work)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "no-change" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert list(work.iterdir()) == []


@pytest.mark.engine
def test_a_project_that_does_not_build_is_exit_1_with_the_step(
    context: Path, tmp_path: Path, base_image: str
) -> None:
    (context / "Dockerfile").write_text("FROM python:3.11\nCOPY . .\nRUN no-such-command\n")
    done = imgopt(context, "--measure", "--base", f"python:3.11={base_image}", cache=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no-such-command" in done.stderr and "before any change" in done.stderr


def test_a_dockerfile_is_found_from_the_context_as_the_other_commands_find_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "Dockerfile").write_text("FROM python:3.12\nCOPY . .\n")
    assert main(["cache", str(tmp_path), "-f", "docker/Dockerfile"]) == 0
    assert "COPY . ." in capsys.readouterr().out
