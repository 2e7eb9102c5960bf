"""Slow work says what it is about; quick work is silent."""

from __future__ import annotations

import threading

import pytest

from imgopt.cli.waiting import told_when_slow


def _timers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def test_slow_work_says_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    with told_when_slow("reading the context", patience=0):
        for timer in _timers():
            timer.join()
    assert capsys.readouterr().err == "imgopt: reading the context ...\n"


def test_quick_work_is_silent_and_leaves_nothing_that_waits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with told_when_slow("reading the context", patience=3600):
        waiting = _timers()
    for timer in waiting:
        timer.join()
    assert waiting
    assert capsys.readouterr().err == ""
