"""Saved results are read as they are kept: compressed, too."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from report_examples import optimize_result

from imgopt.cli.app import main
from imgopt.errors import InputError
from imgopt.report import load, packed
from imgopt.results import to_json

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "xz": lzma.compress,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "zst": zstandard.ZstdCompressor().compress,
}
DATA = to_json(optimize_result()).encode()


@pytest.mark.parametrize("ending", PACKERS)
def test_a_compressed_result_is_read(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"result.json.{ending}"
    path.write_bytes(PACKERS[ending](DATA))
    assert load(path) == optimize_result()
    assert main(["report", str(path), "--format", "json"]) == 0
    assert capsys.readouterr().out.encode() == DATA


def test_the_bytes_decide_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(lzma.compress(DATA[:1000]) + lzma.compress(DATA[1000:]))
    assert load(path) == optimize_result()
    path = tmp_path / "result.json.xz"
    path.write_bytes(DATA)
    assert load(path) == optimize_result()


@pytest.mark.parametrize("ending", ["xz", "gz", "bz2"])
def test_half_of_a_file_says_so(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"result.json.{ending}"
    whole = PACKERS[ending](DATA)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cannot be unpacked|not valid JSON") as caught:
        load(path)
    assert "complete" in (caught.value.hint or "")


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LIMIT", 1000)
    path = tmp_path / "result.json.gz"
    path.write_bytes(gzip.compress(DATA))
    with pytest.raises(InputError, match="more than a result may have"):
        load(path)
