"""What a variant leaves out, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.rewrite.static import rewrite_static
from imgopt.rewrite.variants import OF_THE_LAST_STAGE, choose_variants, strategies_of


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
    result = rewrite_static(tmp_path, tmp_path / "Dockerfile", Config(), ("safe", "slim", "distroless"))
    safe, *others = (variant.dockerfile for variant in result.variants)
    assert safe != text
    assert others == [safe, safe]


def test_where_a_stage_is_carved_the_builder_keeps_its_lines() -> None:
    (slim,) = choose_variants(["slim"])
    assert OF_THE_LAST_STAGE.isdisjoint(strategy.name for strategy in strategies_of(slim, (), ()))
    assert {strategy.name for strategy in strategies_of(slim, (), (), carves=False)} >= OF_THE_LAST_STAGE
