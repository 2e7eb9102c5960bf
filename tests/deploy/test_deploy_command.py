"""`imgopt deploy compose|kubernetes`: from saved facts to files, all of them or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from deploy_facts import hostile, run_facts, web
from msgspec.structs import replace

from imgopt.cli.app import main
from imgopt.results import to_json

COMMANDS = ["compose", "kubernetes", "kubernetes --helm"]


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.json"
    path.write_text(to_json(run_facts(web(name="original", reference="old:1"), web())))
    return path


def files_in(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run(command: str, facts: Path, *more: str) -> int:
    return main(["deploy", *command.split(), "--facts", str(facts), *more])


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_folder_the_files_are_shown_and_none_is_written(
    command: str, facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(command, facts) == 0
    shown = capsys.readouterr().out
    assert "peak 212 MiB x 1.15, 60 s of load" in " ".join(shown.split())
    assert "next: imgopt deploy prove" in shown
    assert set(files_in(tmp_path)) == {"facts.json"}


@pytest.mark.parametrize("command", COMMANDS)
def test_twice_into_a_folder_writes_it_once(command: str, facts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(command, facts, "--out", str(out)) == 0
    first = files_in(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert run(command, facts, "--out", str(out)) == 0
    assert files_in(out) == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times


@pytest.mark.parametrize("command", COMMANDS)
def test_diff_shows_and_writes_nothing(
    command: str, facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(command, facts, "--out", str(out), "--diff") == 0
    assert not out.exists()
    assert "not written" in capsys.readouterr().out


def test_the_result_names_files_figures_and_what_was_not_written(
    facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("kubernetes", facts, "--out", str(out), "--format", "json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["schema"] == "imgopt/deploy/1"
    assert result["folder"] == str(out)
    assert {file["path"] for file in result["files"]} == set(files_in(out))
    assert all(figure["origin"] for figure in result["figures"])


def test_the_image_of_the_facts_can_be_chosen_and_renamed(facts: Path, tmp_path: Path) -> None:
    assert run("compose", facts, "--of", "original", "--out", str(tmp_path / "a")) == 0
    assert "image: old:1" in (tmp_path / "a" / "compose.yaml").read_text()
    assert run("compose", facts, "--image", "r.example/x:9", "--out", str(tmp_path / "b")) == 0
    assert "image: r.example/x:9" in (tmp_path / "b" / "compose.yaml").read_text()


def test_a_broken_file_in_the_folder_is_named_and_nothing_is_written(
    facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "k8s"
    (out / "old").mkdir(parents=True)
    (out / "old" / "web.yaml").write_text(
        "kind: Deployment\nspec: {{ toYaml .Values.x }}\n  a: [\n"
    )
    before = files_in(out)
    assert run("kubernetes", facts, "--out", str(out)) == 2
    said = capsys.readouterr().err
    assert "old/web.yaml:" in said
    assert "helm template" in said
    assert files_in(out) == before


def test_where_one_file_cannot_be_written_the_others_are_put_back(
    facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("compose", facts, "--out", str(out)) == 0
    (out / "compose.yaml").write_text(
        (out / "compose.yaml").read_text().replace("stop_grace_period: 7s", "stop_grace_period: 3s")
    )
    (out / "compose.production.yaml").unlink()
    (out / "compose.production.yaml").symlink_to("/proc/nowhere/compose.yaml")
    before = (out / "compose.yaml").read_text()
    assert run("compose", facts, "--out", str(out)) == 3
    assert (out / "compose.yaml").read_text() == before
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("compose", 2, "of which run?"),
        ("compose --facts nothing.json", 2, "nothing.json"),
        ("compose . --facts facts.json", 2, "which of the two?"),
        ("kubernetes --facts bench.json", 2, "is not known|run facts are needed|results of kind"),
        ("kubernetes --facts facts.json --of thin", 2, "there are: original, image"),
        (
            "kubernetes --facts facts.json --scale magic",
            2,
            "none, cpu, requests, queue, prometheus",
        ),
        ("compose --facts facts.json --image sha256:0", 2, "--image"),
        ("compose --facts facts.json --out facts.json", 2, "is no folder"),
        ("compose --facts facts.json --format sarif", 2, "text, json, markdown"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    words: str, code: int, said: str, facts: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(facts.parent)
    (facts.parent / "bench.json").write_text('{"schema": "imgopt/bench/1"}')
    assert main(["deploy", *words.split()]) == code
    error = capsys.readouterr().err
    assert any(part in error for part in said.split("|")) or "missing required" in error


def test_an_image_that_was_built_to_be_measured_is_named_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "facts.json"
    path.write_text(to_json(replace(run_facts(web()), context=str(tmp_path))))
    assert run("compose", path) == 0
    assert "was built to be measured" in " ".join(capsys.readouterr().out.split())
    assert run("compose", path, "--image", "r.example/a:1") == 0
    assert "was built to be measured" not in " ".join(capsys.readouterr().out.split())


def test_a_hostile_image_writes_nothing_outside_of_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(to_json(run_facts(hostile())))
    for command in COMMANDS:
        assert run(command, path, "--out", str(tmp_path / "out" / command.replace(" ", ""))) == 0
    assert {one.name for one in tmp_path.iterdir()} == {"facts.json", "out"}


SHOP = """\
services:
  chat:
    build: .
    environment:
      STORE_URL: postgresql://chat:hunter2@store/chat
      MEMORY_URL: redis://memory:6379
      UNUSED: never
  memory:
    image: redis:7
"""


def test_values_of_the_measured_project_come_from_its_compose_file(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    (project / "compose.yaml").write_text(SHOP)
    (project / "Dockerfile").write_text("FROM scratch\n")
    path = tmp_path / "facts.json"
    names = ["STORE_URL", "MEMORY_URL", "OTHER"]
    facts = replace(run_facts(web(given_environment=names)), context=str(project))
    path.write_text(to_json(facts))
    assert run("kubernetes", path, "--out", str(tmp_path / "out"), "--env", "OTHER=mine") == 0
    base = (tmp_path / "out/base/kustomization.yaml").read_text()
    assert "MEMORY_URL=redis://memory:6379" in base
    assert "OTHER=mine" in base
    assert "UNUSED" not in base
    every = "".join(files_in(tmp_path / "out").values())
    assert "hunter2" not in every
    assert "key: STORE_URL" in every


@pytest.mark.parametrize("text", [None, "services: [", "services: {web: {image: x}}"])
def test_a_project_that_cannot_be_read_any_more_gives_no_values(
    text: str | None, tmp_path: Path
) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    if text is not None:
        (project / "compose.yaml").write_text(text)
    path = tmp_path / "facts.json"
    facts = replace(run_facts(web(given_environment=["MODE"])), context=str(project))
    path.write_text(to_json(facts))
    assert run("kubernetes", path, "--out", str(tmp_path / "out")) == 0
    assert "also given MODE" in (tmp_path / "out/base/kustomization.yaml").read_text()
