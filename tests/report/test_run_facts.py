from __future__ import annotations

import msgspec
import pytest
from page_sums import Tables
from report_examples import HOSTILE, optimize_result
from run_facts_examples import ignoring_facts, job_facts, jvm_facts, web_facts

from imgopt.report import render
from imgopt.report.run_facts import next_command
from imgopt.report.run_facts_words import headline, missing
from imgopt.results import from_json, to_json
from imgopt.results.optimize import OptimizeResult
from imgopt.results.run_facts import Route, RunFacts, Samples, Setting, Start, User, Written


def shown(facts: RunFacts, format: str = "text") -> str:
    return " ".join(render(facts, format, width=2000).split())


def test_every_figure_says_how_often_or_how_long_was_looked() -> None:
    text = shown(web_facts())
    assert "11 runs, watched 1 min 36 s" in text
    assert "810 ms (3 starts, 790 ms to 840 ms)" in text
    assert "under load (watched 1 min 00 s)" in text
    assert "18,240 requests of / in 20.0 s by 8 connections: 0 failed" in text


def test_a_route_that_asks_a_companion_says_so() -> None:
    assert "/readyz 200, for readiness: it asks db" in shown(web_facts())


def test_what_is_the_same_in_both_images_is_said_once() -> None:
    assert render(web_facts(), "markdown").count("18,240 requests of /") == 1
    assert "the same" in render(web_facts(), "markdown")


def test_a_service_that_is_killed_says_so_first() -> None:
    assert headline(ignoring_facts().images[0]).endswith("is killed after 10.2 s")
    assert "USER names no number" in shown(ignoring_facts())


def test_who_is_started_as_root_and_gives_that_up_says_so() -> None:
    image = msgspec.structs.replace(
        web_facts().images[0], user=User(said="", uid=999, gid=999, name="cache")
    )
    text = shown(msgspec.structs.replace(web_facts(), images=[image]))
    assert "cache (999:999), started as root" in text
    assert "USER names no number" not in text


def test_a_program_that_ends_has_nothing_to_stop() -> None:
    text = shown(job_facts())
    assert "ends after 1.10 s" in text
    assert "not measured: stop: it ends by itself" in text


def test_proposals_stand_below_with_what_they_rest_on() -> None:
    assert "J1 error: JAVA_OPTS is read by nobody" in shown(jvm_facts())
    assert "JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=70" in shown(jvm_facts())


def test_the_next_command_takes_the_saved_facts_or_saves_them() -> None:
    facts = web_facts()
    assert next_command(facts).startswith("imgopt run-facts . --output=json:facts.json")
    kept = msgspec.structs.replace(facts, arguments=[".", "--output=json:out/f.json"])
    assert next_command(kept) == "imgopt deploy kubernetes --facts out/f.json"


def test_an_image_that_does_not_start_says_why_and_what_to_try() -> None:
    image = msgspec.structs.replace(
        job_facts().images[0],
        runs=1,
        start=Start(),
        not_measured={"start": "it does not start: it ended with exit code 1"},
    )
    facts = msgspec.structs.replace(job_facts(), images=[image])
    assert headline(image) == "it does not start: it ended with exit code 1"
    assert "--env NAME=VALUE" in next_command(facts)
    assert "does not start" in render(facts, "html")


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
def test_names_of_an_image_are_text(format: str) -> None:
    bad = " ".join(HOSTILE[:3])
    image = msgspec.structs.replace(
        web_facts().images[0],
        name=bad,
        reference=bad,
        command=[bad],
        routes=[Route(path=bad, port=1, is_health=True, reaches=[bad])],
        written=[Written(folder=bad, bytes=1, files=1, examples=[bad])],
        settings=[Setting(rule="X", level="error", message=bad, name=bad, value=bad)],
        not_measured={bad: bad},
    )
    page = render(msgspec.structs.replace(web_facts(), images=[image]), format)
    assert "\x1b" not in page
    if format == "html":
        assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
        assert [tag for tag, _ in Tables(page).tags].count("script") == 1
    if format == "markdown":
        assert "<script>" not in page


def test_a_page_has_a_picture_of_the_starts() -> None:
    page = render(web_facts(), "html")
    assert "Seconds to the first good answer" in page
    assert "original, warm" in page and "original, cold" in page


def test_nothing_timed_has_no_picture() -> None:
    image = msgspec.structs.replace(web_facts().images[0], start=Start(warm=Samples()), load=None)
    page = render(msgspec.structs.replace(web_facts(), images=[image]), "html")
    assert "Seconds to the first good answer" not in page


def test_what_was_not_measured_has_a_name_that_people_know() -> None:
    assert missing(job_facts().images[0]) == ["load: it ends by itself", "stop: it ends by itself"]


def test_a_result_of_optimize_shows_the_facts_that_it_has() -> None:
    plain = optimize_result()
    result = msgspec.structs.replace(plain, run_facts=web_facts())
    assert "slim starts in 810 ms" in shown_of(result)
    assert "slim starts in 810 ms" in render(result, "markdown")
    assert "Seconds to the first good answer" in render(result, "html")
    assert "starts in" not in render(plain, "text")
    assert from_json(to_json(result), OptimizeResult).run_facts == web_facts()


def shown_of(result: OptimizeResult) -> str:
    return " ".join(render(result, "text", width=2000).split())
