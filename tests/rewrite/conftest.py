"""`--update` writes the golden files of the static rewrite anew; the diff is then reviewed as
code."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the golden files of tests/rewrite/golden anew"
    )
