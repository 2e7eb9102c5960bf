"""Deployment files and their proof in every format; the rolling update as a picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deploy_facts import HOSTILE, hostile, run_facts, web
from msgspec.structs import replace
from page_sums import Tables
from report_examples import optimize_result

from imgopt.cli.app import main
from imgopt.deploy.compose.files import compose_files
from imgopt.deploy.kubernetes.files import kubernetes_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.report import render
from imgopt.report.answers_chart import drawn, marks, told
from imgopt.report.view import Answers
from imgopt.results import to_json
from imgopt.results.deploy import Case, DeployFinding, DeployProof, Second, Tier


def proof(name: str = "new") -> DeployProof:
    seconds = [
        Second(second=0, answers={"old": 90}),
        Second(second=1, answers={"old": 50, name: 39}, failed=1),
        Second(second=2, answers={name: 90}),
    ]
    case = Case(
        name="rolling update",
        verdict="failed",
        requests=270,
        failed=1,
        detail="1 of 270 requests failed",
        seconds=12.0,
        by_second=seconds,
        marks={"update begins": 0.5},
    )
    return DeployProof(
        verdict="failed",
        message="1 of 270 requests failed",
        tiers=[Tier(number=3, name="node", verdict="failed", detail=name)],
        cases=[case],
        findings=[DeployFinding(id="x", level="error", message=name, file="a.yaml", line=3)],
    )


def test_the_page_says_what_is_set_and_why_before_the_files() -> None:
    page = render(kubernetes_files(plan_of(web(), Options()), {}), "html")
    assert "peak 212 MiB x 1.15, 60 s of load" in page
    assert page.index("What was set and why") < page.index("base/deployment.yaml")
    for label in ("memory limit", "stop may take", "drain before it", "a gateway waits"):
        assert label in page


@pytest.mark.parametrize("format", ["html", "markdown", "text"])
def test_no_name_of_an_image_becomes_anything_else(format: str) -> None:
    wild = f"<script>alert(1)</script>{HOSTILE}"
    plan = plan_of(hostile(), Options(environment={"A": wild}))
    for result in (kubernetes_files(plan, {}), compose_files(plan, {}), proof(wild)):
        shown = render(result, format)
        assert "\x1b" not in shown
        if format != "text":  # to a terminal it is no more than what it says
            assert "<script>alert(1)" not in shown
        if format == "html":
            assert [tag for tag, _ in Tables(shown).tags].count("script") == 1


def test_the_picture_has_a_bar_for_each_version_and_second_and_marks_what_failed() -> None:
    page = render(proof(), "html")
    picture = page[page.index('<svg class="answers"') :]
    picture = picture[: picture.index("</svg>")]
    titles = re.findall(r"<title>(.*?)</title>", picture)
    assert titles == [
        "second 0: 90 by old",
        "second 1: 50 by old",
        "second 1: 39 by new",
        "second 1: 1 failed",
        "second 2: 90 by new",
        "0.5 s: update begins",
    ]
    assert picture.count('class="fill-bad"') == 1
    assert "answers in 3 seconds: 140 by old, 129 by new; 1 failed" in page


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [([0, 0], 0)],
        [([5, 0], 0), ([0, 5], 9999)],
        [([10**6, 1], 1)] * 50,
        [([1, 2], 3)] * 600,
    ],
)
def test_every_bar_is_inside_of_the_picture(rows: list[tuple[list[int], int]]) -> None:
    block = Answers("x", ("old", "new"), rows, [(0.0, "a"), (9e9, "b")])
    numbers = [
        float(value.removesuffix("%"))
        for bar in drawn(block)
        for value in (bar.x, bar.y, bar.width, bar.height)
    ]
    assert all(0 <= number <= 100 for number in numbers)
    for bar in drawn(block):
        assert float(bar.y[:-1]) + float(bar.height[:-1]) <= 100.1
    assert all(float(x[:-1]) < 100 for x, _ in marks(block))
    assert told(block).startswith("answers in")


def test_one_failed_request_among_thousands_is_seen() -> None:
    block = Answers("x", ("old",), [([9999], 1)])
    (failed,) = [bar for bar in drawn(block) if bar.kind == "bad"]
    assert float(failed.height[:-1]) >= 5


def test_warnings_are_ranked_and_files_are_named_in_text() -> None:
    plan = plan_of(web(reference="x"), Options())
    text = render(kubernetes_files(plan, {}), "text")
    assert "warning: x names whatever is newest" in text
    assert "new       base/deployment.yaml" in text
    assert text.rstrip().endswith("next: imgopt deploy prove DIR")


def test_facts_that_a_result_of_optimize_has_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "optimize.json"
    path.write_text(to_json(replace(optimize_result(), run_facts=run_facts(web()))))
    words = ["deploy", "compose", "--facts", str(path)]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    path.write_text(to_json(optimize_result()))
    assert main([*words, "--out", str(tmp_path / "other")]) == 2
    assert not (tmp_path / "other").exists()
