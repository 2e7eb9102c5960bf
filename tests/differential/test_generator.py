"""The generator and the table of what may differ, without an engine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from differential.generate import generate
from differential.oracle import ALLOWED
from differential.rewriting import NAMES, Rewrite, rewrite, twice


def test_a_number_always_makes_the_same_file() -> None:
    assert generate(7, NAMES) == generate(7, NAMES)
    assert len({generate(seed, NAMES).dockerfile for seed in range(50)}) > 45


def test_every_text_strategy_says_what_it_may_change() -> None:
    assert set(NAMES) == ALLOWED.keys()


def test_generated_files_give_every_text_strategy_work_and_are_rewritten_once(
    tmp_path: Path,
) -> None:
    found: Counter[str] = Counter()
    for seed in range(40):
        folder = tmp_path / str(seed)
        folder.mkdir()
        case = generate(seed, NAMES)
        case.write(folder)
        once = rewrite(case, folder)
        found.update(once.changed)
        assert twice(case, folder, once) == Rewrite(once.text, once.ignore), case
    assert min(found[name] for name in NAMES) >= 8, found
