"""What was asked stands in every rendering of a proof: one line, and the list."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from report_examples import optimize_result

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


RAN = "tests: `pytest tests`: exit code 1, 3 passed; fails in the original too: test_a[<b>]"
OFFER = 'tests/test_a.py asks a service: `tests = "pytest tests"` under [smoke] runs such tests'


@pytest.mark.parametrize("line", [RAN, OFFER])
@pytest.mark.parametrize("result", [PROOF, optimize_result()], ids=["proof", "optimize"])
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_the_projects_own_tests_stand_in_one_line(
    form: str, result: ProofResult | OptimizeResult, line: str
) -> None:
    asked = Asked(line="asked: 1 GET", **{"tests" if line is RAN else "tests_offer": line})
    shown = render(replace(result, asked=asked), form)
    words = "3 passed" if line is RAN else "asks a service"
    assert [row for row in shown.splitlines() if words in row]
    assert form == "text" or "<b>]" not in shown


def test_a_pull_request_says_that_the_tests_were_run() -> None:
    shown = render(replace(optimize_result(), asked=Asked(line="asked: 1 GET", tests=RAN)), "pr")
    (line,) = [row for row in shown.splitlines() if "3 passed" in row]
    assert line.startswith("- Asked: 1 GET; the project's own tests: ")


def test_older_results_have_no_tests() -> None:
    old = json.loads(to_json(PROOF))
    assert [old["asked"].pop(name) for name in ("tests", "tests_offer")] == ["", ""]
    loaded = from_json(json.dumps(old), ProofResult)
    assert (loaded.asked.tests, loaded.asked.tests_offer) == ("", "")
