"""Random Dockerfiles with fake package managers: the rewrite's builds read and leave what the
original's do.

`IMGOPT_DIFFERENTIAL` says how many files (`make fuzz`: 5,000), `IMGOPT_DIFFERENTIAL_SEED` the first
one's number.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from differential.comparing import Outcome, compare
from differential.generate import generate
from differential.kept import KEPT
from differential.laboratory import Laboratory
from differential.rewriting import NAMES

FILES = int(os.environ.get("IMGOPT_DIFFERENTIAL", "510"))
FIRST = int(os.environ.get("IMGOPT_DIFFERENTIAL_SEED", "0"))
LEAST = 300 * FILES // 510
"""Files that each strategy has to change in a run."""
_BATCH = 8
"""Files: the engine keeps, for each build of a call, what it traced of all of them."""
_AT_ONCE = 3
"""Batches: while one is rewritten or has few steps left, the engine builds the others."""
_SHOWN = 12

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def outcomes(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    root = tmp_path_factory.mktemp("contexts")

    def batch(first: int) -> list[Outcome]:
        folder, seeds = root / str(first), range(first, min(first + _BATCH, FIRST + FILES))
        found = compare(laboratory, [generate(seed, NAMES) for seed in seeds], folder)
        shutil.rmtree(folder)
        return found

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [
            one for found in pool.map(batch, range(FIRST, FIRST + FILES, _BATCH)) for one in found
        ]


def test_files_that_went_wrong_once(laboratory: Laboratory, tmp_path: Path) -> None:
    found = compare(laboratory, KEPT, tmp_path)
    assert [one.case.name for one in found if one.rewrite.changed and not one.counts] == []
    _no_difference(found)


def test_generated_files(outcomes: list[Outcome]) -> None:
    _no_difference(outcomes)


@pytest.mark.parametrize("name", NAMES)
def test_each_strategy_was_at_work(outcomes: list[Outcome], name: str) -> None:
    assert (
        Counter(name for one in outcomes if one.counts for name in one.rewrite.changed)[name]
        >= LEAST
    )


def test_the_originals_build(outcomes: list[Outcome]) -> None:
    """A generator whose files fail tests nothing."""
    assert sum(1 for one in outcomes if one.rewrite.changed and not one.counts) < len(outcomes) / 10


def _no_difference(outcomes: list[Outcome]) -> None:
    different = [one for one in outcomes if one.different]
    shown = "\n\n".join(map(str, different[:_SHOWN]))
    assert not different, f"{len(different)} of {len(outcomes)} files, among them:\n{shown}"
