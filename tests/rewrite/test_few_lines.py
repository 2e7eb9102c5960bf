"""The file grows by what it needs: variables of one kind on one line, no setting that no step reads,
the shared libraries in a few lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import Files, Recipe

from imgopt.image import Image
from imgopt.rewrite.final.settings import LONGEST_LINE, joined

from .unasked import Service

SITE = "usr/local/lib/python3.11/site-packages"
PACKAGES = ("RUN make", {f"{SITE}/a/__init__.py": "x\n" * 9})
MADE: tuple[str, Files] = ("RUN python -m compileall .", {"app/made": "1\n"})
HEAD = "FROM python:3.11\nWORKDIR /app\nRUN make\n"
SOURCE = "COPY . /app\nRUN python -m compileall .\n"


@pytest.fixture
def service(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Service:
    return Service(image_of, tmp_path)


def builder_of(service: Service, text: str) -> str:
    found = service.plan({"main.py": "import a\n"}, (PACKAGES, MADE), text=text)
    assert "ENV A=1" in found.final
    return found.text.removesuffix(found.final)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}ENV A=1\n{SOURCE}",  # a step behind it may read it
        f"{HEAD.replace('3.11', '3.11 AS work')}{SOURCE}ENV A=1\n",  # a stage that the author named
        f"{HEAD}{SOURCE}ENV A=1\nWORKDIR /app/$A\n",
    ],
)
def test_a_setting_that_may_be_read_stays_in_the_builder(service: Service, text: str) -> None:
    assert "ENV A=1" in builder_of(service, text)


def test_one_behind_all_steps_moves_to_the_final_stage_with_its_comment(service: Service) -> None:
    text = f"{HEAD}{SOURCE}\n# for the service\nENV A=1\nENV B=2\nEXPOSE 80\n"
    builder = builder_of(service, text)
    assert "ENV" not in builder
    assert "# for the service" not in builder


def test_plain_values_share_a_line() -> None:
    assert joined(["ENV A=1", 'ENV B="a b"', "ENV C=3"]) == ['ENV A=1 B="a b" C=3']
    long = "x" * 100
    assert joined([f"ENV A={long}", f"ENV B={long}", "ENV C=3"]) == [
        f"ENV A={long} C=3",
        f"ENV B={long}",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["ENV A=1", "ENV B=$A"],  # within one line $A is the value from above
        ["ENV PATH=/x:$PATH", "ENV HOME=/x"],
        ["ENV A=1", f"ENV B={'b' * LONGEST_LINE}"],
        ["# why", "ENV A=1"],
    ],
)
def test_others_keep_their_own(lines: list[str]) -> None:
    assert joined(lines) == lines
