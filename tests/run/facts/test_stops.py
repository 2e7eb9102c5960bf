from __future__ import annotations

import pytest

from imgopt.run.facts.load import Outcome, Reply
from imgopt.run.facts.stops import counted, signal_name

SENT, OVER = 10.0, 12.0


def at(start: float, over: float, status: int | None, **reply: bool) -> Outcome:
    return Outcome(start, over - start, Reply(status, **reply))


def count(*outcomes: Outcome, killed: bool = False) -> tuple[int, int, int]:
    return counted(outcomes, SENT, OVER, killed=killed)


def test_requests_that_were_over_before_the_signal_do_not_count() -> None:
    assert count(at(8.0, 9.0, 200), at(9.0, 9.5, None)) == (0, 0, 0)


def test_those_under_way_are_finished_or_cut() -> None:
    outcomes = at(9.5, 10.5, 200), at(9.6, 10.6, None), at(9.7, 10.7, 503)
    assert count(*outcomes) == (2, 1, 0)


def test_a_later_request_is_refused_by_a_closed_port_or_by_an_error() -> None:
    assert count(at(10.5, 10.6, None, connected=False), at(10.6, 10.7, 503)) == (0, 0, 2)


def test_a_listener_that_closes_turns_away_who_waits_for_it() -> None:
    assert count(at(10.01, 10.02, None)) == (0, 0, 1)


def test_a_later_answer_that_had_begun_is_cut() -> None:
    assert count(at(10.5, 11.0, None, begun=True)) == (0, 1, 0)


def test_what_a_kill_ends_is_cut_though_nothing_had_been_answered() -> None:
    outcomes = at(11.5, 12.05, None), at(10.5, 10.6, None), at(11.9, 12.3, None, connected=False)
    assert count(*outcomes, killed=True) == (0, 1, 2)


def test_a_later_request_that_is_served_is_no_fault() -> None:
    assert count(at(10.5, 11.0, 200)) == (0, 0, 0)


def test_nobody_is_refused_by_a_container_that_has_ended() -> None:
    assert count(at(12.5, 12.6, None, connected=False)) == (0, 0, 0)


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
