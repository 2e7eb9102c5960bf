from __future__ import annotations

import pytest

from imgopt.results.run_facts import Route
from imgopt.run.facts.health_probe import best_route
from imgopt.run.facts.known import known
from imgopt.run.facts.routes import fits, is_metrics, others, says_how_it_is, tells_something
from imgopt.run.probes import UNKNOWN_PATH, Answer, Probe

JSON = (("content-type", "application/json"),)
HTML = (("content-type", "text/html; charset=utf-8"),)


def answer(
    status: int | None,
    body: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (),
    path: str = "/health",
) -> Answer:
    return Answer(Probe("http", "found", 8000, path), status, headers, body)


UNKNOWN = answer(404, b"no such page", HTML, UNKNOWN_PATH)
FRONT_PAGE = answer(200, b"<div id=root>", HTML, UNKNOWN_PATH)


@pytest.mark.parametrize(
    ("given", "unknown", "told"),
    [
        (answer(200, b"ok"), UNKNOWN, True),
        (answer(204), UNKNOWN, True),
        (answer(503, b"no database"), UNKNOWN, True),
        (answer(404), UNKNOWN, False),
        (answer(401), UNKNOWN, False),  # behind a log-in: nobody probes it
        (answer(500), UNKNOWN, False),
        (answer(302), UNKNOWN, False),
        (answer(None), UNKNOWN, False),
        (answer(200, b"<div id=root>", HTML), FRONT_PAGE, False),  # one page for every path
        (answer(200, b"<div id=root nonce=7>", HTML), FRONT_PAGE, False),
        (answer(200, b'{"status":"ok"}', JSON), FRONT_PAGE, True),
        (answer(200, b"same"), answer(200, b"same"), False),  # answers everything alike
    ],
)
def test_a_route_is_one_that_the_service_knows(given: Answer, unknown: Answer, told: bool) -> None:
    assert tells_something(given, unknown) is told


@pytest.mark.parametrize(
    ("path", "status", "reaches", "expected"),
    [
        ("/healthz", 200, [], "liveness"),
        ("/healthz", 200, ["db"], "readiness"),
        ("/livez", 200, ["api.example.org"], "readiness"),  # its name says otherwise
        ("/readyz", 200, [], "readiness"),
        ("/readyz/", 200, [], "readiness"),
        ("/healthz", 503, [], ""),
    ],
)
def test_what_asks_others_is_readiness_and_never_liveness(
    path: str, status: int, reaches: list[str], expected: str
) -> None:
    assert fits(path, status, reaches) == expected


def test_metrics_are_told_by_their_text() -> None:
    assert is_metrics(b"# HELP up Is it?\n# TYPE up gauge\nup 1\n")
    assert is_metrics(b'a_total{path="/"} 3\nb 4.5e-3\nc 1 1700000000\n')
    assert not is_metrics(b"visit 3")
    assert not is_metrics(b'{"requests": 3}')


def test_a_short_answer_that_says_a_state_is_health() -> None:
    assert says_how_it_is(answer(200, b'{"status":"UP","groups":[]}', JSON))
    assert says_how_it_is(answer(200, b"status: ok"))
    assert not says_how_it_is(answer(200, b'{"status":"shipped"}', JSON))
    assert not says_how_it_is(answer(200, b'status="ok"', HTML))
    assert not says_how_it_is(answer(200, b'{"status":"ok"}' + b" " * 9000, JSON))


def test_other_routes_are_those_that_were_answered_well_and_are_not_known_yet() -> None:
    found = others(
        [
            answer(200, path="/"),
            answer(200, path="/"),
            answer(404, path="/x"),
            answer(200, path=UNKNOWN_PATH),
            answer(200, path="/healthz"),
            answer(200, b'{"status":"ok"}', JSON, "/beat"),
        ],
        [(8000, "/healthz")],
    )
    assert [(one.path, one.is_health) for one in found] == [("/", False), ("/beat", True)]


def test_what_is_known_by_name_is_said_once() -> None:
    names = known()
    assert not set(names.liveness) & set(names.readiness)
    every = [*names.health, *names.liveness, *names.readiness, *names.metrics, *names.sockets]
    assert all(path.startswith("/") for path in every)
    for prober in names.prober:
        made = prober.filled("/usr/bin/x", 8000, "/healthz")
        assert any("http://127.0.0.1:8000/healthz" in word for word in made)
        assert not any("{" in word and "}" in word and "port" in word for word in made)


def test_a_containers_own_check_asks_the_route_for_liveness() -> None:
    def route(path: str, fits: str = "liveness", status: int = 200) -> Route:
        return Route(path=path, port=8000, status=status, is_health=bool(fits), fits=fits)

    routes = [route("/", ""), route("/health"), route("/livez"), route("/readyz", "readiness")]
    assert best_route(routes) == routes[2]
    assert best_route([routes[3], routes[1]]) == routes[1]
    assert best_route([route("/x", ""), routes[0]]) == routes[0]
    assert best_route([route("/livez", "", 503)]) is None
