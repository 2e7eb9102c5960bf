"""imgopt analyze: views, formats, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from image.crafting import config, docker_archive, f, hard, sym, tar, wh

from imgopt.cli.app import main
from imgopt.image import ledger, open_image
from imgopt.image.memory import Memory
from imgopt.report.formats import load, render
from imgopt.results.analysis import Analysis

HISTORY = [
    {"created_by": "COPY . . # buildkit"},
    {"created_by": "RUN /bin/sh -c rm -rf /app/cache # buildkit"},
]
DOCKERFILE = "FROM scratch\nCOPY . .\nRUN rm -rf /app/cache\n"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")
    layers = [
        tar(
            f("app/server", 4_000_000), hard("app/link", "app/server"), sym("bin", "app"), f("app/cache/x", 2_000_000),
            f("app/node_modules/express/package.json", b'{"name": "express", "version": "4.18.2"}'),
        ),
        tar(wh("app/cache")),
    ]  # fmt: skip
    return docker_archive(tmp_path / "image.tar", layers, config(layers, HISTORY, User="7"))


def output(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["analyze", *(str(each) for each in arguments)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_the_summary_fits_a_screen_and_says_the_largest_saving(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = output(capsys, archive)
    assert len(text.splitlines()) <= 40 and max(len(line) for line in text.splitlines()) <= 120
    for part in (
        "payload 6.0 MB",
        "live 4.0 MB",
        "2.0 MB deleted later with their folder",
        "same-layer-cleanup",
        "RUN rm -rf /app/cache",
    ):
        assert part in text


def test_lines_of_the_dockerfile_are_shown(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    result = json.loads(output(capsys, archive, "-f", tmp_path / "Dockerfile", "--format", "json"))
    assert [layer["line"] for layer in result["layers"]] == [2, 3]
    deleted = next(each for each in result["findings"] if each["id"] == "deleted-later")
    assert deleted["where"]["line"] == 2 and deleted["where"]["file"].endswith("Dockerfile")


@pytest.mark.parametrize(
    ("view", "part"),
    [
        ("--layers", "COPY . ."),
        ("--packages", "express"),
        ("--files", "/app/link"),
        ("--tree", "node_modules/"),
    ],
)
def test_views(view: str, part: str, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if view == "--tree":
        archive = docker_archive(
            archive.with_name("t.tar"), [tar(f("app/node_modules/x/y.js", 9_000_000))]
        )
    assert part in output(capsys, archive, view, "--top", "50")


def test_top_bounds_the_rows(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(output(capsys, archive, "--files", "--top", "1").splitlines()) == 2


def test_ncdu_has_the_whole_tree_and_its_bytes(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    major, minor, head, tree = json.loads(output(capsys, archive, "--ncdu"))
    assert (major, minor, head["progname"]) == (1, 2, "imgopt")
    sizes: dict[int, int] = {}

    def walk(node: Any) -> list[str]:
        record, children = (node[0], node[1:]) if isinstance(node, list) else (node, [])
        if "ino" in record:
            sizes[record["ino"]] = record["asize"]
        return [record["name"], *(name for child in children for name in walk(child))]

    assert walk(tree)[1:4] == ["app", "link", "node_modules"]
    assert sum(sizes.values()) == ledger(open_image(str(archive), memory=Memory(None))).live


def test_saved_results_render_as_the_command_does(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markdown = output(
        capsys, archive, "--format", "markdown", "--output", f"json:{tmp_path}/r.json"
    )
    saved = load(tmp_path / "r.json")
    assert isinstance(saved, Analysis) and render(saved, "markdown") == markdown
    assert "| 2.0 MB |" in markdown


def test_estimates_say_so_in_every_format(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "≈" in output(capsys, archive) and "≈" in output(capsys, archive, "--format", "markdown")
    assert (
        json.loads(output(capsys, archive, "--format", "json"))["sizes"]["wire_estimated"] is True
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.tar"], 3, "No such file"),
        (["image.tar", "--format", "pdf"], 2, "no format 'pdf'"),
        (["image.tar", "--output", "json"], 2, "is not FORMAT:PATH"),
        (["image.tar", "-f", "nowhere"], 2, "cannot be read"),
        (["image.tar", "--platform", "linux/s390x"], 3, "no image for linux/s390x"),
        (["some/image:1"], 3, "no Docker engine answers"),
    ],
)
def test_what_goes_wrong_says_what_and_ends_with_its_code(
    arguments: list[str], code: int, message: str, archive: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(archive.parent)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{archive.parent}/no-engine.sock")
    assert main(["analyze", *arguments]) == code
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == "" and "Traceback" not in captured.err
