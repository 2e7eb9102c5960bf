"""The worked example of the model, and hand-counted replays."""

from __future__ import annotations

import pytest

from imgopt.fleet.layout.expected import Group, Placed, changes, expected, replayed

MB = 1_000_000
BASE = Group("base", 43 * MB, 2)
HEAVY = Group("heavy", 257 * MB, 1)
LIGHT = Group("light", 69_300_000, 6)
CODE = Group("code", MB, 30)
A = (Placed("base", (BASE,)), Placed("all", (HEAVY, LIGHT, CODE)))
B = (Placed("base", (BASE,)), Placed("deps", (HEAVY, LIGHT)), Placed("code", (CODE,)))
C = (Placed("base", (BASE,)), Placed("deps", (HEAVY, LIGHT), True), Placed("code", (CODE,), True))
D = (
    Placed("base", (BASE,)),
    Placed("heavy", (HEAVY,), True),
    Placed("light", (LIGHT,), True),
    Placed("code", (CODE,), True),
)


@pytest.mark.parametrize(("layers", "megabytes"), ((A, 9905), (B, 3053), (C, 2400), (D, 789)))
def test_the_worked_example(layers: tuple[Placed, ...], megabytes: int) -> None:
    assert round(expected(layers, 30) / MB) == megabytes


def test_a_layer_changes_with_what_lies_below_it() -> None:
    assert changes(B, 30) == [2, 9, 30]
    assert changes(C, 30) == [2, 7, 30]
    assert changes(A, 30) == [2, 30]


def test_a_month_has_no_more_issues_than_releases() -> None:
    assert changes((Placed("x", (Group("a", 1, 8), Group("b", 1, 9))),), 10) == [10]


def test_a_replay_counts_each_release() -> None:
    releases = [{"code"}, {"light", "code"}, {"heavy"}, {"base"}, set()]
    assert replayed(B, releases) == (
        CODE.size,
        HEAVY.size + LIGHT.size + CODE.size,
        HEAVY.size + LIGHT.size + CODE.size,
        BASE.size + HEAVY.size + LIGHT.size + CODE.size,
        0,
    )
    assert replayed(D, releases) == (
        CODE.size,
        LIGHT.size + CODE.size,
        HEAVY.size,
        BASE.size,
        0,
    )


def test_what_changes_together_counts_once() -> None:
    both = Placed("deps", (HEAVY, LIGHT), True)
    assert replayed((both,), [{"heavy", "light"}]) == (both.size,)
