from __future__ import annotations

from imgopt.engine import RunRequest
from imgopt.run.facts.conditions import AS_IT_IS, Conditions

ASKED = RunRequest("shop", env={"A": "1", "B": "2"}, cap_add=("SYS_TIME",), tmpfs=("/run",))


def test_nothing_said_changes_nothing() -> None:
    assert AS_IT_IS.put_on(ASKED) == ASKED


def test_variables_go_over_the_users_and_folders_beside_them() -> None:
    made = Conditions(env={"B": "3"}, tmpfs=("/tmp",), memory=1 << 20).put_on(ASKED)
    assert made.env == {"A": "1", "B": "3"}
    assert made.tmpfs == ("/run", "/tmp")
    assert made.memory == 1 << 20
    assert made.cap_add == ("SYS_TIME",)


def test_an_empty_command_is_one() -> None:
    made = Conditions(entrypoint=("java",), command=()).put_on(RunRequest("shop", command=("x",)))
    assert (made.entrypoint, made.command) == (("java",), ())
