"""Steps that the builder does besides the author's own run as root, wherever the author's USER
stands."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import parse
from imgopt.rewrite.final.as_root import as_root

STEP = "RUN rm -r /x\n"
CASES = {
    "no user": ("FROM a\nRUN b\n", STEP),
    "a user before": ("FROM a\nUSER app\nRUN b\n", f"USER root\n{STEP}USER app\n"),
    "the last line is a user": (
        "FROM a\nRUN b\nUSER app:app\n",
        f"USER root\n{STEP}USER app:app\n",
    ),
    "root again": ("FROM a\nUSER app\nRUN b\nUSER 0\n", STEP),
    "root and its group": ("FROM a\nUSER root:root\nRUN b\n", STEP),
    "of the stage below": (
        "FROM a AS b\nUSER app\nFROM b\nRUN c\n",
        f"USER root\n{STEP}USER app\n",
    ),
    "from a variable": ("FROM a\nARG U=app\nUSER $U\nRUN b\n", f"USER root\n{STEP}USER app\n"),
    "of a stage beside": ("FROM a AS b\nUSER app\nFROM a\nRUN c\n", STEP),
}


@pytest.mark.parametrize(("text", "wanted"), CASES.values(), ids=CASES)
def test_a_step_is_roots(text: str, wanted: str) -> None:
    dockerfile = parse(text)
    last = dockerfile.target(None).instructions[-1]
    assert as_root(STEP, dockerfile, last, None) == wanted


def test_no_step_needs_no_user() -> None:
    dockerfile = parse("FROM a\nUSER app\n")
    assert as_root("", dockerfile, dockerfile.target(None).instructions[-1], None) == ""
