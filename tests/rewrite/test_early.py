"""What can be done before the source is copied: only what no later COPY may write to."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import parse
from imgopt.rewrite.final.before_copy import last_run, made_early


@pytest.mark.parametrize(
    ("rest", "early"),
    [
        ("WORKDIR /app\nCOPY . .\n", True),
        ("COPY . /usr/\n", False),
        ("COPY tool /usr/lib/a/b\n", False),
        ("WORKDIR /usr\nCOPY x lib/a\n", False),
        ("COPY . $WHERE\n", False),
        ("COPY . /app\nRUN make\n", False),
        ("COPY . .\n", False),
        ("", False),
    ],
)
def test_a_path_is_there_early_when_only_copies_to_other_places_follow(
    rest: str, early: bool
) -> None:
    dockerfile = parse(f"FROM x\nCOPY a /a\nRUN install\n{rest}")
    assert made_early(dockerfile, dockerfile.target(None))("/usr/lib/a") is early


def test_nothing_is_gained_where_no_copy_follows_the_last_run() -> None:
    dockerfile = parse("FROM x\nCOPY . /app\nRUN install\nENV A=1\n")
    assert last_run(dockerfile.target(None)) is None


def test_a_stage_that_goes_on_from_another_begins_early() -> None:
    dockerfile = parse("FROM x AS packages\nWORKDIR /app\nRUN install\nFROM packages\nCOPY . .\n")
    stage = dockerfile.target(None)
    assert last_run(stage) is stage.start
    assert made_early(dockerfile, stage)("/usr/lib/a")
    assert last_run(parse("FROM x\nCOPY . .\n").target(None)) is None
