"""A variant whose rebuilds are slower than the original's is not recommended, and it is said why."""

from __future__ import annotations

import msgspec
import pytest
from report_examples import optimize_result

from imgopt.loop.recommending import conclusion, rebuilds_slower, recommend, why_held_back
from imgopt.report import render
from imgopt.results.optimize import Sizes, Timing, Variant

BEFORE = Sizes(wire=900_000_000, tar=0, payload=0, live=0)


def timing(before: float, after: float) -> Timing:
    return Timing(before=[before], after=[after], ratio=before / after)


def variant(name: str, wire: int, timed: Timing | None) -> Variant:
    return Variant(
        name=name,
        verdict="proven",
        sizes=Sizes(wire=wire, tar=0, payload=0, live=0),
        timings={} if timed is None else {"edit-source": timed},
        held_back=why_held_back("proven", timed),
    )


@pytest.mark.parametrize(
    ("before", "after", "slower"),
    [
        (2.4, 10.0, True),
        (2.4, 2.95, True),
        (2.4, 2.85, False),  # by less than half a second
        (10.0, 11.5, False),  # by less than a fifth
        (1.0, 1.4, False),
        (10.0, 2.4, False),
    ],
)
def test_slower_is_a_fifth_and_half_a_second(before: float, after: float, slower: bool) -> None:
    assert rebuilds_slower(timing(before, after)) == slower


@pytest.mark.parametrize("timed", [None, Timing(), Timing(before=[1.0], after=[])])
def test_what_was_not_timed_is_not_slower(timed: Timing | None) -> None:
    assert not rebuilds_slower(timed)
    assert not why_held_back("proven", timed)


def test_the_next_smallest_is_recommended_instead() -> None:
    slow = variant("distroless", 90_000_000, timing(2.4, 10.0))
    quick = variant("slim", 120_000_000, timing(2.4, 1.0))
    found = recommend(BEFORE, [slow, quick])
    assert found is not None and found.name == "slim"


def test_where_there_is_none_it_is_said_why() -> None:
    slow = variant("slim", 90_000_000, timing(2.4, 10.0))
    assert recommend(BEFORE, [slow]) is None
    assert conclusion(None, [slow]) == (
        "good",
        "nothing to recommend: slim is proven and smaller, but its rebuild after an edit takes"
        " 10.0 s, the original's 2.4 s",
    )


def test_what_is_refuted_is_not_held_back_for_its_rebuilds() -> None:
    assert why_held_back("refuted", timing(2.4, 10.0)) == ""


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_the_result_shows_why_it_is_held_back(form: str) -> None:
    result = optimize_result()
    slow = variant("quick", 1_000_000, timing(2.4, 10.0))
    shown = render(msgspec.structs.replace(result, variants=[*result.variants, slow]), form)
    assert "its rebuild after an edit takes 10.0 s" in " ".join(shown.split())


@pytest.mark.parametrize("form", ["text", "markdown", "html", "pr"])
def test_the_bytes_that_an_edit_pushes_stand_beside_the_originals(form: str) -> None:
    shown = " ".join(render(optimize_result(), form).split())
    assert "181 MB" in shown or "181.0 MB" in shown
    assert "at most 1.2 MB" in shown
