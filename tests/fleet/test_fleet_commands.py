"""`imgopt fleet cost` and `imgopt fleet layout` as they are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imgopt.cli.app import main
from imgopt.dockerfile import parse

from .conftest import DOCKERFILE, committed


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(["fleet", *words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["fleet", *words]) == code
    streams = capsys.readouterr()
    return streams.err if code else streams.out


def test_an_image_alone_is_an_upper_bound_and_says_so(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = told(capsys, "cost", str(image), "--releases", "10")["subjects"]
    own = sum(layer["wire"] for layer in one["layers"] if not layer["label"].startswith("base: "))
    base = one["wire"] - own
    assert one["history"] == "assumed"
    assert one["bytes_per_node_month"] == pytest.approx(own * 10 + base * 2, abs=10)
    assert one["cold"]["wire"] == one["wire"]
    assert one["update"]["wire"] == own
    assert "no history" in said(capsys, "cost", str(image))


def test_a_context_counts_what_its_commits_rebuild(
    image: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = told(capsys, "cost", str(project), "--image", str(image))["subjects"]
    assert one["history"] == "commits"
    by_line = {layer["label"].partition(":")[0]: layer for layer in one["layers"]}
    month = one["releases_per_month"]
    assert by_line["line 4"]["changes_per_month"] == pytest.approx(month * 4 / 9)
    assert by_line["line 5"]["changes_per_month"] == pytest.approx(month)
    assert by_line["line 2"]["bytes_per_node_month"] == 0
    assert one["bytes_per_node_month"] == pytest.approx(
        sum(layer["bytes_per_node_month"] for layer in one["layers"]), abs=5
    )


def test_the_fleet_pays_for_all_nodes_and_seeds_alone_for_a_part(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("cost", str(image), "--nodes", "50", "--price", "0.1")
    (one,) = told(capsys, *words)["subjects"]
    assert one["bytes_per_month"] == pytest.approx(50 * one["bytes_per_node_month"], abs=50)
    assert one["dollars_per_month"] == pytest.approx(one["bytes_per_month"] / 1e9 * 0.1, rel=1e-6)
    (few,) = told(capsys, *words, "--set", "seeds=5")["subjects"]
    assert few["bytes_per_month"] == pytest.approx(5 * one["bytes_per_node_month"], abs=50)


def test_a_start_that_takes_long_is_said_to_bind(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "less size changes the time to ready by under 5 %"
    assert sentence in said(capsys, "cost", str(image), "--app-seconds", "300")
    assert sentence not in said(
        capsys, "cost", str(image), "--app-seconds", "0.1", "--bandwidth", "0.1"
    )


def test_several_images_are_ranked_and_units_stand_beside_figures(
    image: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = said(capsys, "cost", str(image), str(project), "--image", str(image))
    rows = shown.splitlines()[1:]
    assert rows[0].startswith(str(image)) and rows[1].startswith(str(project))
    assert len(shown.splitlines()) <= 45
    assert all(word in shown for word in ("MB", "ms", "per node and month", "Next: imgopt fleet"))


def test_given_figures_are_said_first_with_their_units(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = told(capsys, "cost", str(image), "--set", "gzip_rate=100")["parameters"]
    assert figures[0]["name"] == "gzip_rate" and figures[0]["given"]
    assert all(one["unit"] and one["source"] for one in figures)


@pytest.mark.parametrize("format", ("markdown", "html"))
@pytest.mark.parametrize("command", ("cost", "layout"))
def test_pages_hold_what_the_result_says(
    command: str, format: str, image: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (command, str(project), "--image", str(image), "--format", format)
    page = said(capsys, *words)
    assert ("numpy" if command == "layout" else "pip install") in page
    assert "per node and month" in page


def test_the_layout_of_a_context_is_replayed_and_written_as_a_change(
    image: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "layout", str(project), "--image", str(image))
    groups = {one["name"]: one for one in found["groups"]}
    assert groups["heavy"]["members"] == ["numpy"] and groups["light"]["members"] == ["flask"]
    assert [groups[name]["changes_per_month"] for name in ("heavy", "light", "code")] == (
        pytest.approx([3.75, 7.5, 30.0])
    )
    ways = {one["name"]: one for one in found["options"]}
    heavy, light, code = (groups[name]["wire"] for name in ("heavy", "light", "code"))
    assert ways["heavy-light"]["proposed"]
    # 8 releases in 8 days: 3.75 months' worth of them; heavy once, then light on top of it
    assert ways["heavy-light"]["replayed_bytes_per_node_month"] == pytest.approx(
        (heavy + 3 * light + 8 * code) * 30 / 8, abs=5
    )
    assert ways["installed"]["replayed_bytes_per_node_month"] == pytest.approx(
        (3 * (heavy + light) + 8 * code) * 30 / 8, abs=5
    )
    assert found["change"]["skips"] == []
    assert "heavy-packages" in parse(found["change"]["dockerfile"]).stages.named
    assert found["next"].endswith("--allow heavy-light")


def test_the_layout_of_an_image_rests_on_assumptions_that_are_named(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "layout", str(image))
    assert found["change"] is None
    assert "assumed" in found["history"]
    assert {one["replayed_bytes_per_node_month"] for one in found["options"]} == {None}


def test_a_package_of_the_users_own_choice_lies_with_the_heavy_ones(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "layout", str(image), "--heavy", "Flask")
    groups = {one["name"]: one["members"] for one in found["groups"]}
    assert groups["heavy"] == ["numpy", "flask"] and "light" not in groups
    assert "nothing to lay apart" in " ".join(found["notes"])


def test_a_context_without_git_is_an_image_with_a_dockerfile(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (one,) = told(capsys, "cost", str(folder), "--image", str(image))["subjects"]
    assert one["history"] == "assumed"
    assert "nothing to replay" in one["notes"][0]
    found = told(capsys, "layout", str(folder), "--image", str(image))
    assert "not in a git repository" in found["history"]


def test_a_project_whose_commits_change_nothing_that_is_built_moves_nothing_but_its_base(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ignored = {
        "Dockerfile": DOCKERFILE,
        "requirements.txt": "a==1\n",
        ".dockerignore": "*.md\n.git\n",
    }
    folder = committed(tmp_path / "p", [ignored, {"x.md": "1"}, {"x.md": "2"}])
    (one,) = told(
        capsys, "cost", str(folder), "--image", str(image), "--set", "base_changes_per_month=0"
    )["subjects"]
    first = one["bytes_per_node_month"] * 3 / one["releases_per_month"]
    own = sum(layer["wire"] for layer in one["layers"] if layer["label"].startswith("line"))
    assert first <= own + 3


@pytest.mark.parametrize(
    ("words", "message"),
    (
        (("cost", "IMAGE", "--surge", "many"), "not a number of pods"),
        (("cost", "IMAGE", "--set", "speed=1"), "no parameter speed"),
        (("cost", "IMAGE", "--set", "gzip_rate=0"), "above 0"),
        (("cost", "IMAGE", "--set", "gzip_rate"), "not NAME=NUMBER"),
        (("cost", "IMAGE", "--image", "IMAGE"), "names the image of one build context"),
        (("layout", "IMAGE", "--image", "IMAGE"), "names the image of a build context"),
        (("cost", "IMAGE", "--bandwidth", "-1"), "above 0"),
        (("cost", "IMAGE", "--format", "csv"), "no format 'csv'"),
    ),
)
def test_wrong_words_are_answered(
    words: tuple[str, ...], message: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = [str(image) if word == "IMAGE" else word for word in words]
    assert message in said(capsys, *real, code=2)
