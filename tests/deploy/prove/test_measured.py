"""How a trial is judged by the load around it."""

from __future__ import annotations

from imgopt.deploy.prove.loaded import Loaded
from imgopt.deploy.prove.stage import Measured


def measured(failed: int = 0, marks: dict[str, float] | None = None) -> Measured:
    return Measured(
        Loaded(began=0.0, seconds=30.0, requests=2000, failed=failed), {}, marks or {}, 31.0
    )


def test_no_failed_request_and_nothing_wrong_passes() -> None:
    case = measured(marks={"rolled out": 27.0}).case("rolling update", "", "")
    assert (case.verdict, case.detail) == ("passed", "0 of 2,000 requests failed")


def test_a_failed_request_fails_what_may_lose_none_and_is_counted_elsewhere() -> None:
    assert measured(failed=1).case("rolling update", "", "").verdict == "failed"
    assert measured(failed=1).judged_by("killed node", "", "").verdict == "passed"


def test_what_outlasts_its_load_does_not_pass() -> None:
    case = measured(marks={"rolled out": 112.0}).case("rolling update", "", "")
    assert case.verdict == "failed"
    assert case.detail.startswith("it took longer than the load")
