"""What is said where no variant is recommended."""

from __future__ import annotations

import pytest

from imgopt.loop.recommending import conclusion
from imgopt.results.optimize import Check, Variant


def variant(name: str, verdict: str, reason: str = "") -> Variant:
    return Variant(name=name, verdict=verdict, reason=reason, dockerfile="")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("variants", "verdict"),
    [
        ([("safe", "unproven"), ("slim", "unproven")], "good"),
        ([("safe", "proven"), ("slim", "proven")], "good"),
        ([("safe", "proven"), ("slim", "unproven"), ("distroless", "refuted")], "good"),
        ([("safe", "proven"), ("slim", "refuted")], "unproven"),
        ([("safe", "unproven"), ("slim", "unproven"), ("distroless", "refuted")], "unproven"),
    ],
)
def test_a_file_is_good_where_nothing_is_gained_and_nothing_failed(
    variants: list[tuple[str, str]], verdict: str
) -> None:
    assert conclusion(None, [variant(*item) for item in variants])[0] == verdict


def test_what_failed_is_named_beside_what_gains_nothing() -> None:
    message = conclusion(
        None, [variant("safe", "proven"), variant("slim", "refuted", "smoke: GET /")]
    )[1]
    assert message == "what could be proven gains nothing; slim: smoke: GET /"


def test_what_was_run_and_could_not_be_judged_is_no_good_file() -> None:
    looked = variant("slim", "unproven", "smoke: not measured")
    looked.checks.append(Check(name="smoke", verdict="not measured", detail=""))
    assert conclusion(None, [looked])[0] == "unproven"
