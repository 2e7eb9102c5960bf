from __future__ import annotations

import pytest

from imgopt.run.facts.process_one import caught, kind_of, words_of
from imgopt.run.facts.user import name_of
from imgopt.run.pictures import Process


@pytest.mark.parametrize(
    ("program", "called", "kind"),
    [
        ("/usr/bin/tini", "tini", "init"),
        ("/sbin/docker-init", "/sbin/docker-init", "init"),
        ("/bin/dash", "/bin/sh", "shell"),
        ("/bin/busybox", "sh", "shell"),
        ("/usr/local/bin/python3.12", "python", "program"),
        ("/bin/bash", "-bash", "shell"),
    ],
)
def test_what_process_1_is(program: str, called: str, kind: str) -> None:
    assert kind_of(Process(1, 0, program, (called,))) == kind


def test_signals_with_a_handler_by_name() -> None:
    assert caught(["Name:\tx", "SigCgt:\t0000000000004003"]) == ["SIGHUP", "SIGINT", "SIGTERM"]
    assert caught(["SigCgt:\tfffffffe00000000"]) == []  # real-time ones: the run time's own
    assert caught([]) == []


def test_a_number_without_a_name_has_none() -> None:
    files = {"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n"}
    assert (name_of(1000, files), name_of(65532, files), name_of(0, {})) == ("app", "", "")


def test_a_title_in_the_place_of_arguments_is_what_is_shown() -> None:
    assert words_of(("server *:6379", "", "")) == ["server *:6379"]
    assert words_of(("x", "", "y")) == ["x", "", "y"]
    assert words_of(()) == []
