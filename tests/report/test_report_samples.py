"""The report of every sample: its tables, bars and waterfalls sum to their totals, read back from
the page."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from page_sums import check_sums

from imgopt.report import load, render

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.parent.name for path in ROOT.glob("samples/*/Dockerfile"))
FEWEST = {"good": 0, "proven": 6}
"""Sums in a report by its verdict: a file that is left as it is has nothing to compare."""


@pytest.mark.parametrize("sample", SAMPLES)
def test_sums_of_the_report(sample: str, tmp_path: Path) -> None:
    packed = ROOT / "benchmarks" / "results" / "samples" / f"{sample}.json.xz"
    assert packed.is_file(), f"no kept result: make samples, or python samples/run.py {sample}"
    (tmp_path / "optimize.json").write_bytes(lzma.decompress(packed.read_bytes()))
    result = load(tmp_path / "optimize.json")
    assert check_sums(render(result, "html")) >= FEWEST[result.verdict]  # type: ignore[attr-defined]
