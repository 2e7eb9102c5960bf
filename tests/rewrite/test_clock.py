"""How long the timing may take, and how the result is kept before it begins."""

from __future__ import annotations

import time

from imgopt.loop.attempt import Attempt
from imgopt.loop.clock import Clock, seconds
from imgopt.loop.recommending import conclusion
from imgopt.loop.run import missing_bases
from imgopt.loop.timing import ArmTimes, Times
from imgopt.results.optimize import MissingBase, Variant
from imgopt.results.rewrite import Skip
from imgopt.rewrite.plan import Plan
from imgopt.strategies.variants import VARIANTS


def test_before_anything_is_known_the_bound_is_said_and_how_to_leave_it_out() -> None:
    said = Clock(100.0, ["cold", "cold", "warm"]).said("a build without cache of the original")
    assert said == (
        "Timing, 1 of 3: a build without cache of the original (at most 100 s left; --no-timings leaves it out)"
    ).replace("100 s", "1 min 40 s")


def test_how_to_leave_it_out_is_said_once_and_nothing_where_nothing_is_known() -> None:
    clock = Clock(None, ["cold", "cold", "warm"])
    assert clock.said("x") == "Timing, 1 of 3: x (--no-timings leaves it out)"
    clock.note(30.0)
    assert clock.said("x") == "Timing, 2 of 3: x"
    known = Clock(None, ["cold", "cold"], done=1, took={"cold": [30.0]})
    assert known.said("x") == "Timing, 2 of 2: x (about 30 s left)"


def test_what_is_left_is_guessed_from_builds_of_the_same_kind() -> None:
    clock = Clock(1000.0, ["cold", "cold", "warm", "warm"])
    for took in (30.0, 20.0, 4.0):
        clock.note(took)
    assert "4 of 4" in clock.said("x")
    assert "about 4 s left" in clock.said("x")


def test_a_round_that_would_not_end_in_time_is_not_begun() -> None:
    clock = Clock(10.0, ["warm"] * 4)
    assert clock.has_time_for(2)
    clock.note(6.0)
    assert not clock.has_time_for(2)
    assert Clock(None, ["warm"] * 4).has_time_for(4)


def test_a_bound_ends_at_a_time() -> None:
    before = time.monotonic()
    clock = Clock(5.0, ["cold"])
    assert clock.until is not None and clock.until >= before + 5.0
    assert Clock(None, ["cold"]).until is None


def test_seconds_are_said_as_people_do() -> None:
    assert [seconds(value) for value in (None, 0.2, 59.6, 89.0, 90.0, 3725.0)] == [
        "1 s", "1 s", "60 s", "89 s", "1 min 30 s", "62 min 5 s",
    ]  # fmt: skip


def test_a_build_that_was_timed_for_one_of_two_alone_compares_nothing() -> None:
    times = Times({"original": ArmTimes([3.0]), "slim": ArmTimes([])})
    assert times.timings("slim") == {}


def attempt(kind: int, *reasons: str) -> Attempt:
    skips = tuple(Skip(strategy="slim-base", line=1, reason=reason) for reason in reasons)
    return Attempt(VARIANTS[kind], Plan("", None, (), skips, None), None)


def test_a_missing_base_is_told_by_its_names_and_nothing_else_is_one() -> None:
    found = missing_bases(
        [attempt(1, "a:1 cannot be had here", "b:1 cannot be had here", "c:1: it is ubuntu 22.04")]
    )
    assert found == [MissingBase(variant="slim", strategy="slim-base", names=["a:1", "b:1"])]


def test_a_file_is_not_good_where_a_base_was_missing() -> None:
    nothing = [Variant(name="slim", verdict="unproven", dockerfile="")]
    slim, bare = (
        MissingBase(variant=name, strategy="x", names=["a:1"]) for name in ("slim", "distroless")
    )
    assert conclusion(None, nothing, [slim]) == (
        "unproven",
        "what a:1 would gain is not known: it cannot be pulled here",
    )
    assert conclusion(None, nothing, [bare])[0] == "good"


def test_a_base_that_several_kinds_would_take_is_named_once() -> None:
    found = missing_bases([attempt(1, "a:1 cannot be had here", "a:1 cannot be had here")])
    assert found[0].names == ["a:1"]
