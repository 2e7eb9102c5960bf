"""A fault of the machine ends the loop, and is no reason against a strategy."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from imgopt.engine import BuildFailure, Step
from imgopt.errors import EnvironmentFailure
from imgopt.run.blame import blame_the_disk, blame_the_network, blame_the_network_alone
from imgopt.run.observation import Observation, RunPlan

NAME = "curl: (6) Could not resolve host: registry.npmjs.org"
RESOLVER = "W: Temporary failure resolving 'deb.debian.org'"


def failed(line: str) -> BuildFailure:
    step = Step("", 2, 2, "RUN npm ci", "d", 0.0, 1.0, False, "exit code: 1", (line,))
    return BuildFailure(
        "the build fails: exit code: 1", kind="step", step=step, steps=(step,), location=None
    )


@dataclass
class Again:
    """The original, built once more: as it goes then."""

    answer: BuildFailure | None
    asked: int = 0

    def failure(self) -> BuildFailure | None:
        self.asked += 1
        return self.answer


def test_a_variant_that_finds_no_name_while_the_original_does_is_at_fault_itself() -> None:
    again = Again(None)
    blame_the_network(failed(NAME), again)
    assert again.asked == 1


def test_a_variant_that_fails_by_something_else_asks_nothing_of_the_original() -> None:
    again = Again(failed(NAME))
    blame_the_network(failed("error TS2304: Cannot find name 'x'"), again)
    assert again.asked == 0


def test_an_original_that_fails_by_something_else_now_is_no_network_either() -> None:
    blame_the_network(failed(NAME), Again(failed("error TS2304")))


def test_an_original_that_finds_no_name_any_more_ends_the_loop() -> None:
    with pytest.raises(EnvironmentFailure, match="Could not resolve host") as error:
        blame_the_network(failed(NAME), Again(failed(NAME)))
    assert error.value.exit_code == 3


def test_an_original_without_any_resolver_is_the_machine_s_fault_at_once() -> None:
    blame_the_network_alone(failed(NAME))  # one name may be wrong in the file
    with pytest.raises(EnvironmentFailure, match="network of builds is away"):
        blame_the_network_alone(failed(RESOLVER))


def run(log: str) -> Observation:
    plan = RunPlan((), (), (), ends=False, ready_seconds=1.0)
    return Observation("image", False, "it ended with code 1", plan, log=log)


def test_a_container_that_finds_the_disk_full_ends_the_loop_unless_the_original_says_so_too() -> (
    None
):
    full = "sqlite3.OperationalError: database or disk is full"
    blame_the_disk(run("started\n"))
    blame_the_disk(run(full), [run(full)])
    with pytest.raises(EnvironmentFailure, match="disk is full"):
        blame_the_disk(run(full), [run("started\n")])
