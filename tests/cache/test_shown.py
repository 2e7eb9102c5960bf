"""What a person reads: the line and its cause once, and a range where only a build can tell."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from imgopt.report import cache, explain, replay
from imgopt.report.common import without_instruction
from imgopt.results.cache import (
    Agreement,
    CacheResult,
    CacheScenario,
    CacheStep,
    ScenarioStep,
    Verdict,
)
from imgopt.results.explain import ChangedPath, ExplainResult
from imgopt.results.replay import ReplayArm, ReplayLine, ReplayResult


def shown(what: object, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width, highlight=False)
    console.print(what)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


STEPS = [
    CacheStep(stage="build", line=2, instruction="COPY src /src"),
    CacheStep(stage="build", line=3, instruction="RUN make " + "x" * 70),
    CacheStep(stage="", line=5, instruction="COPY --from=build /out /"),
]


def scenario(
    *answers: Verdict, edit: str = "src/a.c: one line added", reason: str = ""
) -> CacheScenario:
    reason = reason or "COPY src /src: src/a.c changed"
    return CacheScenario(
        name="edit-source",
        edit=edit,
        steps=[ScenarioStep(predicted=one, reason=reason) for one in answers],
    )


def result(one: CacheScenario, agreement: Agreement | None = None) -> CacheResult:
    return CacheResult(steps=STEPS, scenarios=[one], agreement=agreement)


def test_a_line_is_named_by_its_number_and_its_cause_once() -> None:
    text = shown(cache.text(result(scenario("miss", "miss", "hit"))))
    assert "line 2: src/a.c changed" in text
    assert text.count("COPY src /src") == 1


def test_what_only_a_build_can_tell_makes_a_range() -> None:
    assert "2 to 3 of 3" in shown(cache.text(result(scenario("miss", "miss", "unknown"))))
    assert "2 of 3" in shown(cache.text(result(scenario("miss", "miss", "hit"))))


def test_a_change_that_costs_nothing_is_only_named() -> None:
    line = next(
        one
        for one in shown(cache.text(result(scenario("hit", "hit", "hit")))).splitlines()
        if "edit-" in one
    )
    assert line.split() == [
        "edit-source",
        "···",
        "0",
        "of",
        "3",
        "src/a.c:",
        "one",
        "line",
        "added",
    ]


def test_a_cause_that_does_not_name_the_edit_follows_it() -> None:
    one = scenario(
        "hit",
        "miss",
        "hit",
        edit="--build-arg A: another value",
        reason="RUN make: variable A changed",
    )
    assert "--build-arg A: another value, so RUN make: variable A changed" in shown(
        cache.text(result(one)), 160
    )


def test_a_new_base_is_said_once() -> None:
    edit = "a newer version of debian arrives"
    one = scenario(
        "miss",
        "miss",
        "miss",
        edit=edit,
        reason="COPY src /src: the base image changed from debian to it",
    )
    assert f"line 2: {edit}" in shown(cache.text(result(one)), 160)
    assert "so the base" not in shown(cache.text(result(one)), 160)


def test_the_sign_for_a_wrong_prediction_is_explained_where_there_can_be_one() -> None:
    assert "measured otherwise" not in shown(cache.text(result(scenario("hit", "hit", "hit"))))
    agreement = Agreement(decided=3, right=3, wrong=0, unknown=0)
    assert "measured otherwise" in shown(
        cache.text(result(scenario("hit", "hit", "hit"), agreement))
    )


def test_instructions_with_colons_and_shortened_ones_are_left_out() -> None:
    assert without_instruction("RUN a: b: x changed", "RUN a: b") == "x changed"
    assert without_instruction("RUN mak...: x changed", "RUN make all") == "x changed"
    assert without_instruction("line 3 (RUN a) runs again", "RUN b") == "line 3 (RUN a) runs again"
    assert without_instruction("other: x changed", "RUN b") == "other: x changed"


def test_an_explanation_says_the_only_path_once() -> None:
    path = ChangedPath(path="a", what="bytes", detail="a changed")
    one = ExplainResult(
        compared_with="HEAD~1", line=4, instruction="COPY a b", verdict="miss", reason="COPY a b: a changed",
        first_line=4, first_instruction="COPY a b", cause="COPY a b: a changed", changed=[path],
    )  # fmt: skip
    assert shown(explain.text(one)).splitlines()[1:] == ["because a changed"]
    assert explain.markdown(one).count("a changed") == 1


def test_the_lines_of_a_replay_fit_in_one_row_each() -> None:
    lines = [
        ReplayLine(line=9, instruction="RUN " + "y" * 200, commits=1, seconds=None),
        ReplayLine(line=2, instruction="COPY a b", commits=7, seconds=None),
    ]
    arm = ReplayArm(
        dockerfile="Dockerfile", steps=2, missed_per_build=1.0, unknown_per_build=0.0, seconds_per_build=None,
        seconds_per_month=None, lines=lines,
    )  # fmt: skip
    told = ReplayResult(commits=8, builds_per_month=None, arms=[arm], notes=[])
    rows = shown(replay.text(told), 80).splitlines()
    assert (
        sum("starts 1 rebuild:" in row for row in rows)
        == sum("starts 7 rebuilds:" in row for row in rows)
        == 1
    )
    assert all(len(row) <= 80 for row in rows)
