"""`imgopt fleet cost` of repositories: their tags are their releases, and no layer is fetched."""

from __future__ import annotations

import doctest
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from registry_server import Content, Layer, Server, layer

from imgopt.cli.app import main
from imgopt.fleet.cost import repositories


def blob(name: str, size: int, codec: str = "gzip") -> Layer:
    return layer({f"/{name}": random.Random(name).randbytes(size)}, codec)


BASE, DEPENDENCIES = blob("base", 40_000), blob("dependencies", 30_000)
CODE = [blob(f"code {number}", 2_000) for number in range(5)]


def push(content: Content, name: str, releases: Sequence[Sequence[Layer]]) -> None:
    """A tag a day."""
    steps = ("RUN base", "RUN pip install -r requirements.txt # buildkit", "COPY . . # buildkit")
    for number, layers in enumerate(releases):
        made = list(zip(steps, layers, strict=False))
        created = f"2026-01-{number + 1:02}T00:00:00Z"
        content.push(name, f"1.{number}", made, created=created)


def cost(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(["fleet", "cost", *words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out) if code == 0 else None


def test_tags_are_releases_and_no_layer_is_fetched(
    server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    other = blob("other dependencies", 30_000)
    push(
        content,
        "team/app",
        [(BASE, DEPENDENCIES, CODE[0]), (BASE, DEPENDENCIES, CODE[1]), (BASE, other, CODE[2])],
    )
    (one,) = cost(capsys, f"{server.host}/team/app")["subjects"]
    assert (one["name"], one["history"], one["releases"]) == (f"{server.host}/team/app", "tags", 3)
    assert one["releases_per_month"] == pytest.approx(30.0)
    moved = [len(CODE[1].data), len(other.data) + len(CODE[2].data)]
    assert one["bytes_per_node_month"] == round(sum(moved) / 2 * 30)
    assert one["cold"]["wire"] == sum(len(each.data) for each in (BASE, other, CODE[2]))
    assert one["update"]["wire"] == moved[0]
    assert one["estimated"]
    rows = {each["label"]: each["changes_per_month"] for each in one["layers"]}
    assert rows == {"RUN base": 0, "RUN pip install -r requirements.txt": 15, "COPY . .": 30}
    assert content.fetched() == {}


def test_a_tag_that_is_pushed_again_unchanged_moves_nothing(
    server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    push(content, "app", [(BASE, CODE[0])])
    content.tag("app", "again", content.tags["app"]["1.0"])
    (one,) = cost(capsys, f"registry:{server.host}/app")["subjects"]
    assert one["history"] == "assumed" and one["releases"] == 1


def test_nodes_that_keep_more_releases_fetch_less_for_a_rollback(
    server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    push(content, "app", [(BASE, CODE[0]), (BASE, CODE[1]), (BASE, CODE[0], CODE[2])])
    word = f"{server.host}/app"
    (one,) = cost(capsys, word)["subjects"]
    (two,) = cost(capsys, word, "--set", "kept_releases=2")["subjects"]
    saved = (one["bytes_per_node_month"] - two["bytes_per_node_month"]) / 30 * 2
    assert saved == pytest.approx(len(CODE[0].data), abs=1)


def test_repositories_are_ranked_by_what_they_move(
    server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    push(content, "small", [(BASE, CODE[0]), (BASE, CODE[1])])
    push(content, "large", [(BASE, DEPENDENCIES), (blob("b", 40_000), DEPENDENCIES)])
    found = cost(capsys, f"{server.host}/small", f"{server.host}/large")["subjects"]
    assert [one["name"].rpartition("/")[2] for one in found] == ["large", "small"]


def test_zstd_layers_are_unpacked_as_such(
    server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    for codec in ("gzip", "zstd"):
        push(content, codec, [(blob("x", 3_000_000, codec),)])
    words = [f"{server.host}/{codec}" for codec in ("gzip", "zstd")]
    found = {one["name"][-4:]: one for one in cost(capsys, *words)["subjects"]}
    assert found["zstd"]["cold"]["unpack_seconds"] < found["gzip"]["cold"]["unpack_seconds"]
    assert "zstd" not in {lever["name"] for lever in found["zstd"]["levers"]}
    assert "zstd" in {lever["name"] for lever in found["gzip"]["levers"]}


def test_a_damaged_tag_is_left_out_and_said(
    server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    push(content, "app", [(BASE, CODE[0]), (BASE, CODE[1])])
    content.tag("app", "broken", content.push_document({"schemaVersion": 2, "layers": 7}))
    result = cost(capsys, f"{server.host}/app")
    assert result["subjects"][0]["releases"] == 2
    assert len(result["skipped"]) == 1 and "app" in result["skipped"][0]


def test_times_that_do_not_tell_a_pace_give_way_to_the_table(
    server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        layers = [("COPY . .", CODE[number])]
        content.push("app", str(number), layers, created="0001-01-01T00:00:00Z")
    (one,) = cost(capsys, f"{server.host}/app", "--releases", "7")["subjects"]
    assert (one["history"], one["releases_per_month"]) == ("tags", 7)


@pytest.mark.parametrize("name", ("none", "chart"))
def test_a_repository_without_an_image_is_an_error_and_no_traceback(
    name: str, server: Server, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    chart = {"schemaVersion": 2, "artifactType": "a/b", "config": {"digest": "x"}, "layers": []}
    content.tag("chart", "1", content.push_document(chart))
    cost(capsys, f"{server.host}/{name}", code=3)


def test_the_folder_of_a_layout_is_a_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = Content()
    push(content, "app", [(BASE, CODE[0]), (BASE, CODE[1])])
    blobs = tmp_path / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for digest, data in {
        **content.blobs,
        **{d: m for d, (_, m) in content.manifests.items()},
    }.items():
        (blobs / digest.removeprefix("sha256:")).write_bytes(data)
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    manifests = [
        {
            "mediaType": content.manifests[digest][0],
            "digest": digest,
            "size": len(content.manifests[digest][1]),
            "annotations": {"org.opencontainers.image.ref.name": tag},
        }
        for tag, digest in content.tags["app"].items()
    ]
    (tmp_path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))
    subjects = cost(capsys, str(tmp_path))["subjects"]
    assert sum(one["releases"] for one in subjects) == 2


def test_words_are_told_apart() -> None:
    assert doctest.testmod(repositories).failed == 0
