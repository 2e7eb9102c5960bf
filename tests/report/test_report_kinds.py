"""Pages of the kinds that are not in report_examples."""

from __future__ import annotations

import msgspec
import pytest
from page_sums import Tables, check_sums
from report_examples import optimize_result
from report_kinds import analysis, cache, diff, fleet_cost, fleet_layout, lives, proof

from imgopt.report import render
from imgopt.results import Result
from imgopt.results.optimize import ComposeNote
from imgopt.results.stack import Part, StackResult


@pytest.mark.parametrize(
    ("result", "sums"),
    [
        (analysis(), 5),
        (diff(), 6),
        (proof(), 0),
        (cache(), 0),
        (lives(), 0),
        (fleet_cost(), 0),
        (fleet_layout(), 0),
    ],
    ids=str,
)
def test_the_page_sums_and_every_text_of_it_is_text(result: Result, sums: int) -> None:
    page = render(result, "html")
    assert check_sums(page) >= sums
    tags = [tag for tag, _ in Tables(page).tags]
    assert tags.count("script") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page


def test_a_measured_state_wins_over_a_predicted_one() -> None:
    page = render(cache(), "html")
    cells = [
        values["class"]
        for tag, values in Tables(page).tags
        if tag == "td" and values.get("title") in ("hit", "miss")
    ]
    assert cells == ["hit", "miss", "hit"]
    assert "2 of 2 predictions were right" in page


def test_a_refuted_proof_says_why_first() -> None:
    page = render(proof(), "html")
    assert (
        page.index("refuted")
        < page.index("1 of 2 checks passed")
        < page.index("What failed: libraries")
    )


def test_a_stack_has_a_summary_and_the_page_of_each_build() -> None:
    note = ComposeNote(service="web", key="user", message="runs as app", instead="65532")
    result = optimize_result()
    variants = [
        msgspec.structs.replace(one, compose=[note] if one.name == result.recommended else [])
        for one in result.variants
    ]
    built = msgspec.structs.replace(result, variants=variants)
    stack = StackResult(
        project="shop",
        file="compose.yaml",
        parts=[Part(name="web", result=built), Part(name="queue", failure="it does not build")],
    )
    page = render(stack, "html")
    assert page.index("2 builds in compose.yaml") < page.index("it does not build")
    assert "What the Compose file has to say otherwise" in page
    assert "runs as app" in page
    assert "What the Compose file" not in render(result, "html")
