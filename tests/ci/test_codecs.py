"""Another compression is no growth and no gain: the contents are held against each other, the
ratchet records nothing, and where the contents are not known nothing is compared."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from image.crafting import config, f, oci_files, tar, write_directory

from imgopt.analysis.compare import compare
from imgopt.ci.codecs import other_codecs
from imgopt.ci.entries import BaseRecord, Entry, LayerRecord, read_baseline
from imgopt.ci.facts import Facts, LayerFacts
from imgopt.cli.app import main
from imgopt.image import open_image
from imgopt.image.memory import Memory
from imgopt.results.ci import FourSizes

HISTORY = [{"created_by": "ADD rootfs"}, {"created_by": "COPY app /app # buildkit"}]


def layout(path: Path, size: int, compress: str) -> Path:
    """An image of a base and `size` bytes of text that both codecs make smaller."""
    text = " ".join(str(number * 7919 % 100_003) for number in range(size // 6)).encode()
    layers = [tar(f("bin/sh", 1000)), tar(f("app/a", text))]
    shutil.rmtree(path, ignore_errors=True)
    return write_directory(path, oci_files(layers, config(layers, HISTORY), compress=compress))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "imgopt.toml").write_text(
        '[ci]\nmetric = "wire"\n[ci.rules.own-layers]\nmax_growth = "100 kB"\n'
    )
    layout(folder / "image", 3_000_000, "gzip")
    assert main(["ci", "baseline", "app=image"]) == 0
    return folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["ci", "check", "app=image", *arguments])
    out, err = capsys.readouterr()
    return code, " ".join((out + err).split())


def test_the_baseline_says_how_layers_are_compressed(project: Path) -> None:
    entry = (read_baseline(project / "imgopt-baseline.json") or {})["app linux/amd64"]
    assert {layer.codec for layer in entry.layers} == {"gzip"}


@pytest.mark.parametrize("compress", ["zstd", "multi-zstd"])
def test_growth_of_the_contents_is_seen_behind_a_better_codec(
    compress: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout(project / "image", 4_500_000, compress)
    code, said = answer(capsys)
    assert code == 1
    assert "compressed otherwise (gzip -> zstd)" in said and "tar (+" in said
    assert "own-layers" in said or "adds to its base grew by" in said


def test_the_same_contents_by_another_codec_pass_and_are_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout(project / "image", 3_000_000, "zstd")
    code, said = answer(capsys)
    assert code == 0 and "compressed otherwise (gzip -> zstd)" in said
    assert "the same" in said and "--ratchet IMAGE records it" not in said


def test_the_ratchet_does_not_record_another_codec(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "imgopt-baseline.json").read_text()
    layout(project / "image", 3_000_000, "zstd")
    code, said = answer(capsys, "--ratchet")
    assert code == 0 and "kept app linux/amd64" in said
    assert main(["ci", "baseline", "--ratchet", "app=image"]) == 0
    assert "kept app linux/amd64" in capsys.readouterr().err
    assert (project / "imgopt-baseline.json").read_text() == before
    assert main(["ci", "baseline", "app=image"]) == 0
    assert answer(capsys)[0] == 0 and "compressed otherwise" not in answer(capsys)[1]


def test_back_to_the_weaker_codec_is_no_growth(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout(project / "image", 3_000_000, "zstd")
    assert main(["ci", "baseline", "app=image"]) == 0
    layout(project / "image", 3_000_000, "gzip")
    code, said = answer(capsys)
    assert code == 0 and "(zstd -> gzip)" in said


def test_a_limit_on_the_wire_size_stays_one(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "imgopt.toml").write_text(
        '[ci]\nmetric = "wire"\n[ci.rules.total]\nmax = "10 kB"\nlevel = "error"\n'
    )
    layout(project / "image", 3_000_000, "zstd")
    code, said = answer(capsys)
    assert code == 1 and "(wire); 10.0 kB allowed" in said


def test_a_metric_of_contents_needs_no_word(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "imgopt.toml").write_text('[ci]\nmetric = "tar"\n')
    layout(project / "image", 3_000_000, "zstd")
    assert answer(capsys)[0] == 0


def _facts(*codecs: str | None, base: int = 1) -> Facts:
    layers = [
        LayerFacts(diff=f"d{at}", sizes=FourSizes(wire=1), codec=codec)
        for at, codec in enumerate(codecs)
    ]
    return Facts(layers=layers, base_layers=base)


def _entry(base: list[str], *own: str | None) -> Entry:
    layers = [
        LayerRecord(key=f"k{at}", diff=f"d{at}", text="", codec=codec)
        for at, codec in enumerate(own, 1)
    ]
    return Entry(
        image="app", platform="linux/amd64", digest="d", source="layout", tool="1",
        sizes=FourSizes(), base=BaseRecord(codecs=base), layers=layers,
    )  # fmt: skip


def test_base_and_own_layers_are_told_apart() -> None:
    assert other_codecs(_entry(["gzip"], "zstd"), _facts("gzip", "zstd")) is None
    assert other_codecs(_entry(["gzip"], "zstd"), _facts("zstd", "gzip")) == "zstd -> gzip"
    assert other_codecs(_entry(["gzip"], "gzip"), _facts("zstd", "gzip")) == "gzip -> zstd"
    assert other_codecs(_entry(["gzip"], "gzip"), _facts("gzip", "gzip", "zstd")) == (
        "gzip -> gzip and zstd"
    )
    assert other_codecs(_entry(["gzip"], "gzip", "zstd"), _facts("gzip", "zstd", "gzip")) == (
        "gzip -> zstd"
    )


def test_what_does_not_say_is_not_taken_for_a_change() -> None:
    assert other_codecs(_entry([], None), _facts("gzip", "zstd")) is None
    assert other_codecs(_entry(["gzip"], "gzip"), _facts(None, None)) is None


def test_a_comparison_says_it(tmp_path: Path) -> None:
    one, other = (
        open_image(str(layout(tmp_path / name, 300_000, name)), memory=Memory(None))
        for name in ("gzip", "zstd")
    )
    assert "gzip -> zstd" in compare(one, other).notes[0]
    assert compare(one, one).notes == []


def test_an_unreadable_database_is_a_note(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = [tar(f("var/lib/rpm/Packages", 4096), f("app/a", 100))]
    shutil.rmtree(project / "image")
    write_directory(project / "image", oci_files(layers))
    assert "/var/lib/rpm/Packages is a package database" in answer(capsys)[1]
