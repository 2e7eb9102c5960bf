"""What was asked stands in every rendering of a proof: one line, and the list."""

from __future__ import annotations

import pytest

from imgopt.report import render
from imgopt.results import from_json, to_json
from imgopt.results.asked import Asked, AskedRequest
from imgopt.results.optimize import OptimizeResult, Original
from imgopt.results.proof import Compared, ProofResult

ASKED = Asked(
    line="asked: 2 GET, 1 POST",
    requests=[
        AskedRequest(name="GET :8000/", source="found", status=200),
        AskedRequest(name="POST :8000/notes", source="found", status=201),
        AskedRequest(name="GET :8000/ (again)", source="found", status=200),
    ],
    reached="reached: 1 of 3 source files",
    unread=["/app/night.py", "/app/export.py"],
    unasked=["gRPC \x1b[31m is not asked"],
)
PROOF = ProofResult(
    original=Compared(image="a"), candidate=Compared(image="b"), verdict="proven", asked=ASKED
)
OPTIMIZED = OptimizeResult(
    context="shop",
    dockerfile="Dockerfile",
    verdict="good",
    original=Original(image="a"),
    asked=ASKED,
)


@pytest.mark.parametrize("result", [PROOF, OPTIMIZED], ids=["proof", "optimize"])
def test_what_was_asked_is_said_in_a_line_with_what_may_change_something(
    result: ProofResult | OptimizeResult,
) -> None:
    text = render(result, "text", width=100)
    assert "asked: 2 GET, 1 POST\n" in text
    assert "POST :8000/notes (201)" in text
    assert "is not asked" in text
    assert "reached: 1 of 3 source files; not read: /app/night.py, /app/export.py" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("result", [PROOF, OPTIMIZED], ids=["proof", "optimize"])
def test_the_page_lists_everything_that_was_asked(result: ProofResult | OptimizeResult) -> None:
    page = " ".join(render(result, "html").split())
    assert "Asked: 2 GET, 1 POST" in page
    assert all(request.name in page for request in ASKED.requests)
    assert "Reached: 1 of 3 source files" in page
    assert "/app/night.py" in page


def test_markdown_folds_the_list() -> None:
    text = render(PROOF, "markdown")
    assert "<details><summary>asked: 2 GET, 1 POST</summary>" in text
    assert "POST :8000/notes (201)" in text


def test_an_older_result_says_nothing_of_it() -> None:
    older = from_json(to_json(PROOF).replace('"asked"', '"later"'), ProofResult)
    assert older.asked == Asked()
    assert "asked:" not in render(older, "text")
