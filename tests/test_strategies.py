"""Every strategy's own examples hold: what must change does, what must not stays byte for byte, and twice is once."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.registry import all_strategies
from imgopt.rewrite.strategy import ContextFiles, Example, Project, Strategy

CASES = [(strategy, example) for strategy in all_strategies() for example in strategy.examples]


def check_strategy(strategy: Strategy, example: Example, folder: Path) -> None:
    """The conformance kit of a strategy: runs one example in a folder of its own."""
    for name, text in example.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    files = ContextFiles(folder, {name: len(text) for name, text in example.files.items()}, example.ignore)
    project = Project(files, builtin_ecosystems(), allow=frozenset([strategy.name]))
    once = run_strategy(new_draft(example.before, example.ignore), strategy, project)
    assert once.text == (example.before if example.after is None else example.after)
    assert once.ignore == example.ignore_after
    if example.refused:
        assert example.refused in " ".join(skip.reason for skip in once.skips)
    assert bool(once.changes) == (example.after is not None)
    twice = run_strategy(new_draft(once.text, once.ignore), strategy, project)
    assert (twice.text, twice.ignore) == (once.text, once.ignore)


@pytest.mark.parametrize(("strategy", "example"), CASES, ids=[f"{s.name}: {e.name}" for s, e in CASES])
def test_example(strategy: Strategy, example: Example, tmp_path: Path) -> None:
    check_strategy(strategy, example, tmp_path)
