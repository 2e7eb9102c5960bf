"""Do the project's own tests say the same of both services?"""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.inspect.failures import Item
from imgopt.proof.check import Check, Outcome, judged, not_measured, of_the_runs
from imgopt.proof.example import Mutation, own_run
from imgopt.run.log_failures import failures_from_logs
from imgopt.run.observation import Observation
from imgopt.run.own_run import differences, told

OWN_TESTS = "own tests"


def check_own_tests(originals: Sequence[Observation], candidate: Observation) -> Outcome:
    """The same exit code, the same tests that fail, as many that pass. Where that differs, what the
    service logged as missing says what would mend it."""
    runs = [run.tests for run in originals if run.tests is not None and run.tests.code is not None]
    if not runs:
        return not_measured(OWN_TESTS, "none are named: tests under [smoke]")
    if candidate.tests is None:
        return not_measured(OWN_TESTS, "the candidate was not there to be tested")
    found = differences(runs, candidate.tests)
    if not found and not runs[0].passes:
        return not_measured(
            OWN_TESTS, f"none of them is known to pass in the original: {runs[0]}: {runs[0].last}"
        )
    items = [
        Item("answer", one.test or runs[0].command, message=f"{runs[0].command}: {one.says}")
        for one in found
    ]
    logged = {item for run in runs for item in failures_from_logs(run.service)}
    said = failures_from_logs(candidate.tests.service) if items else ()
    missing = [item for item in said if item not in logged]
    return judged(OWN_TESTS, told(runs[0]), [*items, *missing])


CHECK = Check(
    OWN_TESTS,
    "the project's own tests, where some are named: exit code, failing tests, how many pass",
    of_the_runs(OWN_TESTS, check_own_tests),
    (
        Mutation(
            "a test fails",
            "tests/test_notes.py::test_export",
            seen={"tests": own_run(1, "FAILED tests/test_notes.py::test_export - KeyError")},
        ),
        Mutation(
            "another exit code and no word about it",
            "exit code 2 instead of 0: make: stopped",
            seen={"tests": own_run(2, "make: stopped")},
        ),
        Mutation(
            "a test is left out there",
            "2 passed, 1 skipped instead of 3 passed",
            seen={"tests": own_run(0, "2 passed, 1 skipped in 0.3s")},
        ),
        Mutation(
            "they do not end",
            "did not end within 60 s",
            seen={"tests": own_run(None, "did not end within 60 s")},
        ),
    ),
)
