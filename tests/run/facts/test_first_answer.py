from __future__ import annotations

import pytest

from imgopt.run.facts.first_answer import Sign, began, lasted, sign_of
from imgopt.run.listening import Listener
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.probes import Answer, Probe


def seen(*answers: Answer, listens: tuple[int, ...] = (8000,), ends: bool = False) -> Observation:
    plan = RunPlan(listens, listens, (), ends, 1.0)
    listening = tuple(Listener(port, False) for port in listens)
    return Observation("shop", True, "", plan, answers, listening=listening)


def answered(path: str, status: int | None, source: str = "found", port: int = 8000) -> Answer:
    return Answer(Probe("http", source, port, path), status)


def test_the_users_own_question_tells_that_it_has_started() -> None:
    sign = sign_of(seen(answered("/", 200), answered("/ready", 200, "user")))
    assert (sign.by, sign.is_good(404), sign.is_good(204)) == ("GET :8000/ready", False, True)


def test_a_question_of_the_users_that_fails_tells_nothing() -> None:
    assert sign_of(seen(answered("/", 200), answered("/ready", 503, "user"))).by == "GET :8000/"


def test_the_front_page_goes_before_others_that_are_answered() -> None:
    assert sign_of(seen(answered("/docs", 200), answered("/", 200))).path == "/"


def test_a_page_that_is_there_goes_before_an_unknown_front_page() -> None:
    assert sign_of(seen(answered("/", 404), answered("/health", 200))).path == "/health"


def test_an_api_without_a_front_page_answers_too() -> None:
    sign = sign_of(seen(answered("/", 404)))
    assert sign.by == "GET :8000/" and sign.is_good(404) and not sign.is_good(503)


@pytest.mark.parametrize("status", [None, 500, 503])
def test_errors_are_no_answer_but_the_port_is_open(status: int | None) -> None:
    assert sign_of(seen(answered("/", status))).by == "listens on 8000/tcp"


def test_a_program_that_ends_is_told_by_its_end() -> None:
    assert sign_of(seen(listens=(), ends=True)).kind == "end"


def test_a_worker_shows_nothing() -> None:
    assert sign_of(seen(listens=())) == Sign()


def test_the_engines_times_have_nanoseconds() -> None:
    state = {
        "StartedAt": "2026-11-30T21:40:01.123456789Z",
        "FinishedAt": "2026-11-30T21:40:03.623456789Z",
    }
    assert lasted(state) == pytest.approx(2.5)
    assert began({"StartedAt": "2026-11-30T21:40:01Z"}) == pytest.approx(began(state) - 0.123456)


def test_what_never_started_has_no_time() -> None:
    assert began({"StartedAt": ""}) == 0.0
