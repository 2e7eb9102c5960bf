"""Two images: every table sums to its delta."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image.crafting import config, docker_archive, f, hard, tar, wh

from imgopt.analysis import compare
from imgopt.analysis.pathdiff import changed_paths
from imgopt.cli.app import main
from imgopt.errors import InputError
from imgopt.image import Image, open_image
from imgopt.image.memory import Memory
from imgopt.results.diff import Diff

BASE = tar(f("bin/sh", 100), f("usr/lib/libc", 500))


def image(path: Path, layers: list[bytes], steps: list[str], platform: bytes = b"amd64") -> Image:
    history = [{"created_by": step, "empty_layer": step.startswith("CMD")} for step in steps]
    raw = config(layers, history).replace(b"amd64", platform)
    return open_image(str(docker_archive(path, layers, raw)), memory=Memory(None))


def check_sums(diff: Diff) -> None:
    payload = diff.after.sizes.payload - diff.before.sizes.payload
    live = diff.after.sizes.live - diff.before.sizes.live
    assert sum(row.after - row.before for row in diff.classes) == payload
    assert sum(row.after - row.before for row in diff.instructions) == payload
    assert diff.base.delta + diff.own.delta == payload
    assert sum(row.after - row.before for row in diff.packages) == live
    assert sum(row.after - row.before for row in diff.paths) == live


def test_what_grew_by_instruction_package_path_and_origin(tmp_path: Path) -> None:
    steps = ["ADD base /", "CMD bash", "COPY . .", "RUN make"]
    wheel = "usr/lib/python3/site-packages"
    one = image(tmp_path / "a.tar", [BASE, tar(f("app/x", 1000)), tar(f("out/y", 2000))], steps)
    newer = tar(f("bin/sh", 100), f("usr/lib/libc", 900))
    pip = tar(
        f(f"{wheel}/six-1.dist-info/METADATA", b"Name: six\nVersion: 1\n"),
        f(f"{wheel}/six-1.dist-info/RECORD", b"six.py,,\n"),
        f(f"{wheel}/six.py", 300), hard("six-link", f"{wheel}/six.py"),
    )  # fmt: skip
    other = image(
        tmp_path / "b.tar", [newer, tar(f("app/x", 1000), f("app/z", 50)), pip, tar(f("out/y", 2000), wh("app/z"))],
        ["ADD base /", "CMD bash", "COPY . .", "RUN pip install six", "RUN make"],
    )  # fmt: skip
    diff = compare(one, other)
    check_sums(diff)
    assert [(row.instruction, row.kind, row.after - row.before, row.base) for row in diff.instructions] == [
        ("ADD base /", "changed", 400, True), ("COPY . .", "changed", 50, False),
        ("RUN pip install six", "added", 300 + 21 + 9, False), ("RUN make", "changed", 0, False),
    ]  # fmt: skip
    assert (diff.base.delta, diff.own.delta) == (400, 380)
    assert [
        (row.name, row.version_before, row.version_after)
        for row in diff.packages
        if row.ecosystem == "python"
    ] == [("six", "", "1")]
    assert {row.path for row in diff.paths} >= {"/usr/lib/libc"}


def test_the_same_image_has_no_difference(tmp_path: Path) -> None:
    layers, steps = [BASE, tar(f("a", 5))], ["ADD base /", "COPY a /"]
    diff = compare(
        image(tmp_path / "a.tar", layers, steps), image(tmp_path / "b.tar", layers, steps)
    )
    check_sums(diff)
    assert diff.paths == diff.packages == [] and {row.kind for row in diff.instructions} == {"same"}


def test_platforms_are_not_compared(tmp_path: Path) -> None:
    one = image(tmp_path / "a.tar", [BASE], ["ADD base /"])
    other = image(tmp_path / "b.tar", [BASE], ["ADD base /"], b"arm64")
    with pytest.raises(InputError, match=r"for linux/amd64, .* for linux/arm64"):
        compare(one, other)


NAMES = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4).map("/".join)
FILES = st.dictionaries(NAMES, st.integers(0, 5000), max_size=60)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(FILES, FILES)
def test_path_rows_sum_for_any_two_trees(
    tmp_path: Path, one: dict[str, int], other: dict[str, int]
) -> None:
    trees = []
    for number, files in enumerate((one, other)):
        layer = tar(*(f(name, size) for name, size in files.items()))
        trees.append(image(tmp_path / f"{number}.tar", [layer], ["COPY / /"]).tree())
    rows = changed_paths(*trees)
    live = [sum(node.size for node in tree.files()) for tree in trees]
    assert sum(row.after - row.before for row in rows) == live[1] - live[0]
    assert len(rows) <= 60


def test_equal_images_show_no_empty_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = [tar(f("a", 5_000_000))]
    path = docker_archive(tmp_path / "a.tar", layers)
    assert main(["diff", str(path), str(path)]) == 0
    text = capsys.readouterr().out
    assert "no file differs" in text and "instruction" not in text and "version" not in text


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_what_is_not_shown_is_summed_up_and_estimates_say_so(
    format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    before = docker_archive(tmp_path / "a.tar", [tar(f("x", 1000))])
    packages = [
        f(
            f"app/node_modules/p{number}/package.json",
            b'{"name": "p%d", "version": "1"}' % number + b" " * 10_000,
        )
        for number in range(40)
    ]
    after = docker_archive(tmp_path / "b.tar", [tar(f("x", 1000)), tar(*packages)])
    assert main(["diff", str(before), str(after), "--format", format]) == 0
    text = capsys.readouterr().out
    shown = 10 if format == "text" else 30
    rest = (
        sum(10_000 + len(b'{"name": "p%d", "version": "1"}' % number) for number in range(40))
        * (40 - shown)
        / 40
    )
    assert f"({40 - shown} more)" in text and f"+{rest / 1000:.1f} kB" in text
    assert "≈ +" in text and "files: in use +401.2 kB" in text


def test_the_command_renders_every_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image(tmp_path / "a.tar", [BASE], ["ADD base /"])
    image(tmp_path / "b.tar", [BASE, tar(f("new", 5_000_000))], ["ADD base /", "RUN \x1b[31mmake"])
    arguments = ["diff", str(tmp_path / "a.tar"), str(tmp_path / "b.tar")]
    assert main(arguments) == 0
    assert "+5.0 MB" in capsys.readouterr().out
    assert main([*arguments, "--format", "json", "--output", f"markdown:{tmp_path}/out.md"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out)["schema"] == "imgopt/diff/1"
    markdown = (tmp_path / "out.md").read_text()
    assert "+5.0 MB" in markdown and "\x1b" not in markdown + out
