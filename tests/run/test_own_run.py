"""What the project's own tests say, and what is no difference."""

from __future__ import annotations

import pytest

from imgopt.run.own_run import OwnRun, differences, told

PASSED = "tests/test_a.py ..  [100%]\n===== 2 passed in 0.12s ====="
FAILED = (
    "tests/test_a.py .F\nFAILED tests/test_a.py::test_two - assert 1 == 2\n"
    "===== 1 failed, 1 passed in 0.20s ====="
)


def ran(output: str, code: int | None = 0) -> OwnRun:
    return OwnRun("pytest tests", code, output)


HARMLESS = {
    "other times": (ran(PASSED), ran(PASSED.replace("0.12", "9.81"))),
    "another order": (
        ran("not ok 1 - b\nnot ok 2 - a\n# pass 1", 1),
        ran("not ok 1 - a\nnot ok 2 - b\n# pass 1", 1),
    ),
    "the same test fails in both": (ran(FAILED, 1), ran(FAILED.replace("1 == 2", "3 == 2"), 1)),
    "times beside the names of tests": (
        ran("✖ keeps a note (1.2ms)\nℹ pass 3\nℹ fail 1", 1),
        ran("✖ keeps a note (81ms)\nℹ pass 3\nℹ fail 1", 1),
    ),
    "coloured in one": (ran(FAILED, 1), ran(f"\x1b[31m{FAILED}\x1b[0m", 1)),
    "numbers that count no tests": (ran("ok, asked 3 pages"), ran("ok, asked 4 pages")),
    "numbers of times a run slept": (ran("passed after 3 s"), ran("passed after 4 s")),
}


@pytest.mark.parametrize(("original", "candidate"), HARMLESS.values(), ids=HARMLESS)
def test_what_tells_nothing_is_no_difference(original: OwnRun, candidate: OwnRun) -> None:
    assert differences([original], candidate) == ()


def test_what_differs_between_two_runs_of_the_original_is_no_difference() -> None:
    assert differences([ran(PASSED), ran(FAILED, 1)], ran(FAILED, 1)) == ()
    assert differences([ran(FAILED, 1), ran(PASSED)], ran(PASSED)) == ()


REFUTED = {
    "pytest": (PASSED, FAILED, "tests/test_a.py::test_two"),
    "pytest with words in a parameter": (
        "2 passed",
        "FAILED tests/a.py::test_x[big note] - assert 0\n1 failed, 1 passed",
        "tests/a.py::test_x[big note]",
    ),
    "pytest cannot collect": ("2 passed", "ERROR tests/a.py - KeyError: 'x'", "tests/a.py"),
    "unittest": (
        "Ran 2 tests in 0.1s\n\nOK",
        "FAIL: test_two (tests.Two)\nRan 2 tests\nFAILED (failures=1)",
        "test_two (tests.Two)",
    ),
    "TAP": ("ok 1 - a\n# pass 1", "not ok 1 - a\n# fail 1", "a"),
    "a tree of marks": ("✓ a (2 ms)", "  ✕ a (2 ms)\nTests: 1 failed, 1 total", "a"),
    "a tree of suites": (
        "Tests: 1 passed",
        "  ● notes › are kept\nTests: 1 failed",
        "notes › are kept",
    ),
    "vitest": (
        "Tests  2 passed (2)",
        " FAIL  test/a.test.ts > notes > are kept\nTests  1 failed | 1 passed (2)",
        "test/a.test.ts > notes > are kept",
    ),
    "gradle": ("BUILD SUCCESSFUL", "NoteTest > keeps() FAILED\n", "NoteTest > keeps()"),
    "go": ("ok  \texample/http\t0.1s", "--- FAIL: TestNote (0.00s)\nFAIL", "TestNote"),
    "cargo": ("test note ... ok", "test note ... FAILED", "note"),
    "rspec": ("3 examples, 0 failures", "rspec ./spec/a_spec.rb:3 # note", "./spec/a_spec.rb:3"),
    "phpunit": ("OK (3 tests, 3 assertions)", "1) NoteTest::testPost", "NoteTest::testPost"),
    "maven": (
        "Tests run: 3, Failures: 0",
        "[ERROR]   NoteTest.keeps:17 expected: <1>",
        "NoteTest.keeps",
    ),
    "dotnet": ("Passed!", "  Failed Notes.Keeps [2 ms]", "Notes.Keeps"),
}


@pytest.mark.parametrize(("before", "after", "test"), REFUTED.values(), ids=REFUTED)
def test_a_test_that_fails_in_the_candidate_alone_is_named(
    before: str, after: str, test: str
) -> None:
    (found,) = differences([ran(before)], ran(after, 1))
    assert found.test == test
    assert test in found.says


def test_a_test_that_fails_in_the_original_alone_is_a_difference_too() -> None:
    (found,) = differences([ran(FAILED, 1)], ran(PASSED))
    assert "tests/test_a.py::test_two fails in the original, and not here" in found.says


def test_tests_without_a_word_are_told_by_their_exit_code_and_last_line() -> None:
    (found,) = differences([ran("", 0)], ran("curl: (22) 500\n", 22))
    assert found.says == "exit code 22 instead of 0: curl: (22) 500"


def test_fewer_tests_are_a_difference() -> None:
    (found,) = differences([ran("3 passed")], ran("2 passed, 1 skipped"))
    assert found.says == "2 passed, 1 skipped instead of 3 passed"


@pytest.mark.parametrize(
    ("run", "passes"),
    [
        (ran(PASSED), True),
        (ran(FAILED, 1), True),
        (ran("", 0), True),
        (ran("ModuleNotFoundError: No module named 'x'", 1), False),
        (ran("FAILED t.py::a\n1 failed in 1 s", 1), False),
        (ran("4 skipped in 0.01s", 0), False),
        (ran("FAIL: a (t.A)\nRan 1 tests\nFAILED (failures=1)", 1), False),
        (ran("Tests run: 3, Failures: 1, Errors: 0, Skipped: 0", 1), True),
    ],
)
def test_where_none_passes_nothing_is_known(run: OwnRun, passes: bool) -> None:
    assert run.passes is passes


def test_what_fails_in_the_original_is_said() -> None:
    said = told(ran(FAILED, 1))
    assert said.startswith("`pytest tests`: exit code 1, ")
    assert said.endswith("fails in the original too: tests/test_a.py::test_two")
