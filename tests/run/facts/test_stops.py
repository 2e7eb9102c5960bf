from __future__ import annotations

import pytest

from imgopt.run.facts.load import Outcome
from imgopt.run.facts.stops import counted, signal_name

SENT, OVER = 10.0, 12.0


def test_requests_that_were_over_before_the_signal_do_not_count() -> None:
    assert counted([Outcome(8.0, 1.0, 200), Outcome(9.0, 0.5, None)], SENT, OVER) == (0, 0, 0)


def test_those_under_way_are_finished_or_cut() -> None:
    outcomes = [Outcome(9.5, 1.0, 200), Outcome(9.6, 1.0, None), Outcome(9.7, 1.0, 503)]
    assert counted(outcomes, SENT, OVER) == (2, 1, 0)


def test_a_later_request_is_refused_by_a_closed_port_or_by_an_error() -> None:
    outcomes = [Outcome(10.5, 0.01, None, connected=False), Outcome(10.6, 0.01, 503)]
    assert counted(outcomes, SENT, OVER) == (0, 0, 2)


def test_a_later_request_that_somebody_took_and_left_is_cut() -> None:
    assert counted([Outcome(10.5, 0.5, None)], SENT, OVER) == (0, 1, 0)


def test_a_later_request_that_is_served_is_no_fault() -> None:
    assert counted([Outcome(10.5, 0.5, 200)], SENT, OVER) == (0, 0, 0)


def test_nobody_is_refused_by_a_container_that_has_ended() -> None:
    assert counted([Outcome(12.5, 0.01, None, connected=False)], SENT, OVER) == (0, 0, 0)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("", "SIGTERM"),
        ("SIGINT", "SIGINT"),
        ("quit", "SIGQUIT"),
        ("9", "SIGKILL"),
        ("15", "SIGTERM"),
    ],
)
def test_a_stop_signal_is_a_name(said: str, name: str) -> None:
    assert signal_name(said) == name
