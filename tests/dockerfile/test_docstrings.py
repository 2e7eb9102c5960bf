"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import imgopt.dockerfile

MODULES = [
    module.name for module in pkgutil.iter_modules(imgopt.dockerfile.__path__, "imgopt.dockerfile.")
]


def test_there_are_examples() -> None:
    assert sum(_examples(name) for name in ["imgopt.dockerfile", *MODULES]) >= 5


@pytest.mark.parametrize("name", ["imgopt.dockerfile", *MODULES])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def _examples(name: str) -> int:
    return doctest.testmod(importlib.import_module(name)).attempted
