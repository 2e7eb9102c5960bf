"""The agreement that benchmarks/cache_samples.py recorded: every sample, as it is and as imgopt
rewrites it."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted(path.parent.name for path in ROOT.glob("samples/*/Dockerfile"))
RECORDED: list[dict[str, Any]] = json.loads(
    (ROOT / "benchmarks/results/cache-samples.json").read_text()
)["rows"]


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_proven_variant_was_measured(sample: str) -> None:
    result = json.loads(
        lzma.decompress((ROOT / f"benchmarks/results/samples/{sample}.json.xz").read_bytes())
    )
    proven = {one["name"] for one in result["variants"] if one["verdict"] == "proven"}
    assert {row["arm"] for row in RECORDED if row["sample"] == sample} >= {"original", *proven}


def test_what_was_decided_is_what_happened() -> None:
    for row in RECORDED:
        print(
            f"{row['sample']:<16} {row['arm']:<10} {row['right']} of {row['decided']}, {row['unknown']} unknown"
        )
        assert (row["wrong"], row["right"]) == (0, row["decided"]), row
    steps = sum(row["decided"] + row["unknown"] for row in RECORDED)
    assert sum(row["unknown_once_measured"] for row in RECORDED) <= 0.05 * steps
