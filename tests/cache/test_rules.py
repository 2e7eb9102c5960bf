"""Every rule of BuildKit's cache that was ever measured, measured again: the engine's answer and
ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.cache.predict import predict

from .kit import Bench, Judged
from .rows import ROWS, Row

BATCH = 24


@pytest.fixture(scope="module")
def judged(bench: Bench) -> dict[str, Judged]:
    cases = [row.case for row in ROWS]
    count = -(
        -len(cases) // BATCH
    )  # as even as can be: one case alone would be a file of one stage, named otherwise
    batches = [cases[first::count] for first in range(count)]
    return {one.case.name: one for batch in batches for one in bench.judge(batch)}


@pytest.mark.engine
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rule(row: Row, judged: dict[str, Judged]) -> None:
    one = judged[row.name]
    measured = "".join("?" if answer is None else answer[0].upper() for answer in one.measured)
    assert measured == row.expect, f"the engine does otherwise: {one.prediction.steps}"
    assert not one.wrong


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_names_are_unique(row: Row) -> None:
    assert [other.name for other in ROWS].count(row.name) == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_prediction_without_an_engine(row: Row, tmp_path: Path) -> None:
    bench = Bench(tmp_path, "scratch")
    before = bench.prepare(row.name, row.case.before, "x")
    after = bench.prepare(row.name, row.case.after, "x")
    said = "".join(step.verdict[0].upper() for step in predict(before, after).steps)
    assert all(one in (real, "U") for one, real in zip(said, row.expect, strict=True)), said
