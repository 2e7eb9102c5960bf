"""What is proposed is proven, and saves enough bytes on the wire or enough of a rebuild's time."""

from __future__ import annotations

import pytest

from imgopt.loop.recommending import recommend
from imgopt.results.optimize import Sizes, Timing, Variant

BEFORE = 1_000_000_000
SMALL = 100_000_000


def sizes(wire: int | None, tar: int = 0) -> Sizes:
    return Sizes(wire=wire, tar=tar, payload=0, live=0)


def variant(
    wire: int | None,
    name: str = "slim",
    verdict: str = "proven",
    ratio: float | None = None,
    tar: int = 0,
) -> Variant:
    timings = (
        {"edit-source": Timing(before=[ratio], after=[1.0], ratio=ratio)}
        if ratio is not None
        else {}
    )
    return Variant(
        name=name,
        verdict=verdict,  # type: ignore[arg-type]
        reason="",
        dockerfile="",
        sizes=sizes(wire, tar),
        timings=timings,
    )


@pytest.mark.parametrize(
    ("before", "saved", "proposed"),
    [
        (BEFORE, 10_000_000, True),  # 1 %, and 10 MB
        (BEFORE, 9_999_999, False),
        (SMALL, 5_000_000, True),  # 5 %, and less than 10 MB
        (SMALL, 4_999_999, False),
        (SMALL, -20_000_000, False),
    ],
)
def test_bytes_decide_by_their_number_or_by_their_share(
    before: int, saved: int, proposed: bool
) -> None:
    found = recommend(sizes(before), [variant(before - saved)])
    assert (found is not None) == proposed


@pytest.mark.parametrize(("ratio", "proposed"), [(1.25, True), (1.24, False), (None, False)])
def test_a_rebuild_that_is_a_quarter_faster_is_worth_it_alone(
    ratio: float | None, proposed: bool
) -> None:
    found = recommend(sizes(BEFORE), [variant(BEFORE, ratio=ratio)])
    assert (found is not None) == proposed


@pytest.mark.parametrize("verdict", ["refuted", "unproven"])
def test_what_is_not_proven_is_not_proposed(verdict: str) -> None:
    assert recommend(sizes(BEFORE), [variant(1, verdict=verdict)]) is None


def test_the_smallest_on_the_wire_is_proposed_and_where_that_is_not_known_the_smallest_archive() -> (
    None
):
    found = recommend(sizes(BEFORE), [variant(SMALL + 1, "safe"), variant(SMALL, "slim")])
    assert found is not None and found.name == "slim"
    found = recommend(
        sizes(None, BEFORE),
        [variant(None, "safe", tar=SMALL), variant(None, "slim", tar=SMALL + 1)],
    )
    assert found is not None and found.name == "safe"
