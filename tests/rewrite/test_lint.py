"""A rewrite brings no warning that the original did not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from .lint import hadolint, new

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(
    folder.name for folder in GOLDEN.iterdir() if (folder / "expected.Dockerfile").is_file()
)


def read(path: Path) -> str:
    return path.read_bytes().decode(errors="surrogateescape")


@pytest.mark.parametrize("case", CASES)
def test_hadolint_says_nothing_new_of_a_static_rewrite(case: str) -> None:
    before, after = read(GOLDEN / case / "Dockerfile"), read(GOLDEN / case / "expected.Dockerfile")
    assert new(hadolint(before), hadolint(after)) == {}


def test_a_worse_file_is_seen() -> None:
    before = hadolint("FROM python:3.11\nWORKDIR /a\nRUN true\n")
    after = hadolint("FROM python\nWORKDIR a/b\nRUN cd x || exit\n")
    assert new(before, after) == {"DL3000": 1, "DL3003": 1, "DL3006": 1}
