"""What a variant leaves out, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.loop.static import rewrite_static
from imgopt.rewrite.strategy import Safety, Strategy
from imgopt.strategies.registry import all_strategies
from imgopt.strategies.variants import VARIANTS, choose_variants, strategies_of


@pytest.mark.parametrize(
    "text",
    [
        'FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\nCMD ["curl"]\n',
        'FROM python:3.12\nRUN pip install flask\nCMD ["python"]\n',
        'FROM debian:12\nRUN curl -o /a.tgz https://x/a.tgz\nRUN rm /a.tgz\nCMD ["sh"]\n',
        'FROM node:20\nCOPY . /app\nRUN chown -R node:node /app\nCMD ["sh"]\n',
    ],
)
def test_by_text_alone_no_variant_does_less_than_safe(text: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("")
    result = rewrite_static(
        tmp_path, tmp_path / "Dockerfile", Config(), ("safe", "slim", "distroless")
    )
    safe, *others = (variant.dockerfile for variant in result.variants)
    assert safe != text
    assert others == [safe, safe]


def test_where_a_stage_is_carved_the_builder_keeps_its_lines() -> None:
    (slim,) = choose_variants(["slim"])
    tidy = {strategy.name for strategy in all_strategies() if strategy.tidies_layers}
    assert tidy
    assert tidy.isdisjoint(strategy.name for strategy in strategies_of(slim, (), ()))
    assert {strategy.name for strategy in strategies_of(slim, (), (), carves=False)} >= tidy


@pytest.mark.parametrize(
    ("safety", "parts"),
    [
        ("text", ["safe", "slim", "distroless"]),
        ("suggestion", ["safe", "slim", "distroless"]),
        ("evidence", ["slim", "distroless"]),
    ],
)
def test_a_strategy_that_says_nothing_is_part_of_what_its_safety_allows(
    safety: Safety, parts: list[str]
) -> None:
    """One of another package, of which we know no more: evidence of a run has no place in what
    changes text alone."""
    other = Strategy("theirs", "", "", safety, (), lambda _: ())
    assert [kind.name for kind in VARIANTS if other.is_part_of(kind.name, carves=True)] == parts


def test_a_variant_needs_what_makes_it_what_its_name_says() -> None:
    needed = {kind.name: set(kind.needed) for kind in VARIANTS}
    assert needed["safe"] == set()
    assert needed["distroless"] == {"distroless-base"}
    assert "multi-stage" in needed["slim"]
    assert "distroless-base" not in needed["slim"]


def test_strategies_of_another_base_are_no_part_of_a_variant_of_the_first() -> None:
    slim, distroless = choose_variants(["slim", "distroless"])
    assert "distroless-base" in slim.leaves_out()
    assert "slim-base" in distroless.leaves_out()
    assert not {"slim-base", "multi-stage", "non-root"} & slim.leaves_out()


def test_what_says_nothing_of_itself_is_the_first_suspect() -> None:
    other = Strategy("theirs", "", "", "text", (), lambda _: ())
    assert max(strategy.doubt for strategy in all_strategies()) < other.doubt
