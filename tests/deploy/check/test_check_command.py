"""`imgopt deploy check`: exit codes, --rules, and files that are not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgopt.cli.app import main
from imgopt.deploy.check.examples import SERVICE, deployment
from imgopt.deploy.check.rules import RULES


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setenv("COLUMNS", "400")


def test_findings_decide_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(deployment(more=SERVICE))
    assert main(["deploy", "check", str(path)]) == 1
    assert f"error D15 {path}:16 Deployment/web:" in capsys.readouterr().out
    assert main(["deploy", "check", str(path), "--fail-on", "never"]) == 0
    path.write_text(deployment())
    assert main(["deploy", "check", str(path)]) == 0
    assert main(["deploy", "check", str(path), "--fail-on", "note"]) == 1


def test_what_is_not_there_is_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "check", str(tmp_path / "absent.yaml")]) == 2
    assert "cannot be read: No such file or directory" in " ".join(capsys.readouterr().out.split())
    assert main(["deploy", "check"]) == 2
    assert main(["deploy", "check", "x.yaml", "--fail-on", "most"]) == 2


def test_an_image_that_was_named_and_is_not_here_is_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(deployment())
    assert main(["deploy", "check", str(path), "--image", "web=absent:1"]) == 3


def test_one_result_goes_to_several_files(tmp_path: Path) -> None:
    path, target = tmp_path / "web.yaml", tmp_path / "out.sarif"
    path.write_text(deployment(more=SERVICE))
    words = ["deploy", "check", str(path), "--format", "json"]
    assert main([*words, "--output", f"sarif:{target}"]) == 1
    assert json.loads(target.read_text())["runs"]


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "check", "--rules"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {rule.id} " in listed for rule in RULES)
    assert main(["deploy", "check", "--rules", "D5", "grace"]) == 0
    shown = capsys.readouterr().out
    assert "D5 read-only-root" in shown
    assert "D20 grace" in shown
    assert main(["deploy", "check", "--rules", "D999"]) == 2
