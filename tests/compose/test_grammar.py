"""Our reader says what Compose says, and refuses what Compose refuses, where it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from grammar import ENVIRONMENT, GOLDEN, GOOD, REFUSED, told, written

EXPECTED = json.loads(GOLDEN.read_text())


@pytest.fixture(autouse=True)
def _caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOT_SET", "COMPOSE_FILE", "COMPOSE_PROFILES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_there_is_a_file_for_each_part_of_the_grammar() -> None:
    assert len(GOOD) >= 30
    assert {*GOOD, *REFUSED} == EXPECTED.keys()


@pytest.mark.parametrize("name", GOOD)
def test_our_reader_says_what_compose_says(name: str, tmp_path: Path) -> None:
    assert told(written(GOOD[name], tmp_path), own=True) == EXPECTED[name]


@pytest.mark.parametrize("name", REFUSED)
def test_our_reader_refuses_what_compose_refuses_at_the_same_line(
    name: str, tmp_path: Path
) -> None:
    said = told(written(REFUSED[name], tmp_path), own=True)
    assert said["line"] == EXPECTED[name]["line"] is not None


@pytest.mark.parametrize("name", [*GOOD, *REFUSED])
def test_with_compose_or_without_it_is_the_same(name: str, tmp_path: Path) -> None:
    """Where Compose is installed it reads the file, else our own reader does."""
    folder = written({**GOOD, **REFUSED}[name], tmp_path)
    said, own = told(folder, own=False), told(folder, own=True)
    if "refused" in said:
        assert said["line"] == own["line"]
    else:
        assert said == own
