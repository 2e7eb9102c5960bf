"""The page of `imgopt/cache/1`."""

from __future__ import annotations

from imgopt.report.command import command_line, words_of
from imgopt.report.common import count_text, seconds_text
from imgopt.report.view import Block, Cell, Matrix, Section, Table, Tile, View
from imgopt.report.views import sections
from imgopt.results.cache import CacheResult, CacheScenario, ScenarioStep


def view(result: CacheResult) -> View:
    rebuilt = [(scenario, _again(scenario)) for scenario in result.scenarios]
    worst = max(rebuilt, key=lambda pair: pair[1], default=None)
    agreement = result.agreement
    wrong = agreement.wrong if agreement else 0
    headline = (
        f"{count_text(len(result.scenarios), 'change')}, {count_text(len(result.steps), 'step')}"
    )
    if worst and worst[1]:
        headline += f"; {worst[0].name} runs {worst[1]} of them again"
    rule = "Predicted from the Dockerfile and the context alone; nothing was built."
    if agreement:
        rule = (
            f"Built as well: {agreement.right} of {agreement.decided} predictions were right,"
            f" {agreement.unknown} open."
        )
    return View(
        title=f"{result.project or result.dockerfile}: what a change rebuilds",
        kind="cache",
        level="bad" if wrong else "neutral",
        word="measured" if agreement else "predicted",
        headline=headline,
        rule=rule,
        tiles=_tiles(result),
        sections=_sections(result),
        raw=sections.raw_result(result),
    )


def _state(step: ScenarioStep) -> str:
    return step.measured or step.predicted


def _again(scenario: CacheScenario) -> int:
    return sum(_state(step) == "miss" for step in scenario.steps)


def _seconds(scenario: CacheScenario) -> float | None:
    known = [step.seconds for step in scenario.steps]
    return None if None in known else sum(seconds or 0.0 for seconds in known)


def _tiles(result: CacheResult) -> list[Tile]:
    cold = (
        [Tile("cold build", seconds_text(result.cold_seconds))]
        if result.cold_seconds is not None
        else []
    )
    return cold + [
        Tile(scenario.name, f"{_again(scenario)} of {len(scenario.steps)} steps run again")
        for scenario in result.scenarios[:8]
    ]


def _sections(result: CacheResult) -> list[Section]:
    names = [f"line {step.line}: {step.instruction}" for step in result.steps]
    rows = [
        (scenario.name, [_state(step) for step in scenario.steps]) for scenario in result.scenarios
    ]
    caption = "Per change and step: hit (from the cache), run (again) or ? (only a build can tell)."
    summary = [
        (
            Cell(scenario.name),
            Cell(scenario.edit),
            Cell(str(_again(scenario)), _again(scenario)),
            sections.seconds_cell(_seconds(scenario)),
            Cell(scenario.failure or "", level="bad") if scenario.failure else Cell(""),
        )
        for scenario in result.scenarios
    ]
    headers = ("Change", "What is edited", "Steps again", "Seconds", "Failure")
    reasons = [
        (Cell(scenario.name), Cell(name, code=True), Cell(_state(step)), Cell(step.reason))
        for scenario in result.scenarios
        for name, step in zip(names, scenario.steps, strict=False)
        if _state(step) != "hit"
    ]
    blocks: list[Block] = [
        Matrix(caption, [(result.dockerfile, names, rows)]),
        Table("Per change", headers, summary),
    ]
    found = [Section("cache", "What a change rebuilds", blocks)]
    if reasons:
        table = Table(
            "Why a step runs again", ("Change", "Step", "State", "Reason"), reasons, searchable=True
        )
        found.append(Section("reasons", "Why", [table]))
    left = [(Cell(one.name), Cell(one.reason)) for one in result.skipped]
    notes: list[Block] = [Table("No file for these", ("Change", "Reason"), left)] if left else []
    notes += (
        [Table("Notes", ("Note",), [(Cell(note),) for note in result.notes])]
        if result.notes
        else []
    )
    if notes:
        found.append(Section("notes", "What was not looked at", notes))
    command = command_line("cache", words_of(result.arguments, ".", result.dockerfile))
    return [*found, sections.reproduce_section(command, [])]
