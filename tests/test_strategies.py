"""Every strategy's own examples hold: what must change does, what must not stays byte for byte, and
twice is once."""

from __future__ import annotations

import dataclasses
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from imgopt.report.strategies import listing, page
from imgopt.rewrite.strategy import EvidenceExample, Example, Strategy
from imgopt.strategies.kit import check_example, check_words
from imgopt.strategies.registry import all_strategies, find_strategy

CASES = [(strategy, example) for strategy in all_strategies() for example in strategy.all_examples]


@pytest.mark.parametrize(
    ("strategy", "example"), CASES, ids=[f"{s.name}: {e.name}" for s, e in CASES]
)
def test_example(strategy: Strategy, example: Example | EvidenceExample, tmp_path: Path) -> None:
    folder = tmp_path / "example"
    folder.mkdir()
    check_example(strategy, example, folder)


@pytest.mark.parametrize("strategy", all_strategies(), ids=lambda strategy: strategy.name)
def test_every_strategy_says_what_it_does_and_has_examples_of_both_kinds(
    strategy: Strategy,
) -> None:
    check_words(strategy)


@pytest.mark.parametrize("width", [80, 200])
def test_the_list_has_one_line_for_each_strategy(width: int) -> None:
    lines = _shown(listing(all_strategies()), width)
    for strategy in all_strategies():
        line = next(line for line in lines if line.split()[:1] == [strategy.name])
        assert line.rstrip().endswith(strategy.does)


def test_the_list_says_what_it_takes_and_which_variants_have_it() -> None:
    shown = "\n".join(_shown(listing(all_strategies()), 80))
    assert shown.index("Right from the text alone; in every variant") < shown.index(
        "  layer-order "
    )
    assert shown.index("Needs measured facts and the proof; in slim\n") < shown.index(
        "  slim-base "
    )
    assert "Only with --allow NAME; in every variant" in shown


def test_a_page_shows_the_table_of_what_may_be_done() -> None:
    rows = (
        ("an installation past a COPY", "may, where it names no file"),
        ("past USER", "may not: another user"),
    )
    shown = "\n".join(
        _shown(page(dataclasses.replace(find_strategy("layer-order"), table=rows)), 80)
    )
    for what, may in rows:
        assert next(line for line in shown.splitlines() if what in line).rstrip().endswith(may)
    assert "What it may do" not in "\n".join(_shown(page(find_strategy("pin-digest")), 80))


def _shown(what: RenderableType, width: int) -> list[str]:
    target = StringIO()
    Console(file=target, width=width, color_system=None).print(what)
    return target.getvalue().splitlines()
