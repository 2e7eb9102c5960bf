"""What later edits say as a check, in results and in words; without an engine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from imgopt.inspect.failures import Item
from imgopt.lives.check import LaterEdits, outcome, shown
from imgopt.lives.edited import locking_file
from imgopt.lives.later import LaterEdit, Locking, NotHere, together
from imgopt.lives.past import past_states
from imgopt.lives.trials import BREAKS, HOLDS, NOT_COUNTED, NOT_TRIED, Candidate, Tried
from imgopt.loop.living import conclusion
from imgopt.report.formats import render
from imgopt.report.lives import line, past_line
from imgopt.results.lives import History, Lives, LivesResult, Past

DATA, MODULE = LaterEdit("data-folder", "data"), LaterEdit("new-module", "module")
DEPENDENCY, NONE = LaterEdit("pure-dependency", "dep"), NotHere("browser-file", "no folder")


class FakeTrials:
    """Answers by the name of an edit, and keeps what it was asked."""

    def __init__(self, **verdicts: str) -> None:
        self.verdicts = {name.replace("_", "-"): said for name, said in verdicts.items()}
        self.asked: list[str] = []
        self.until: float | None = None

    def tried(self, edit: LaterEdit, _: Candidate) -> Tried:
        self.asked.append(edit.name)
        names = edit.name.split("+")
        verdict = next((self.verdicts[name] for name in names if name in self.verdicts), HOLDS)
        return Tried(edit, verdict, "" if verdict == HOLDS else f"{edit.name} {verdict}")


def run(trials: FakeTrials, *edits: LaterEdit | NotHere) -> Sequence[Tried | NotHere]:
    return LaterEdits(trials, edits).on(Candidate("slim", ""))


def test_edits_of_files_alone_are_made_together() -> None:
    trials = FakeTrials()
    found = run(trials, DATA, NONE, MODULE, DEPENDENCY)
    assert trials.asked == ["data-folder+new-module", "pure-dependency"]
    assert [one.verdict for one in found if isinstance(one, Tried)] == [HOLDS] * 3
    assert found[1] == NONE


@pytest.mark.parametrize("verdict", [BREAKS, NOT_COUNTED])
def test_what_fails_together_is_tried_one_by_one(verdict: str) -> None:
    trials = FakeTrials(new_module=verdict)
    found = run(trials, DATA, MODULE)
    assert trials.asked == ["data-folder+new-module", "data-folder", "new-module"]
    assert [one.verdict for one in found if isinstance(one, Tried)] == [HOLDS, verdict]


def test_a_broken_edit_fails_the_check_with_its_evidence() -> None:
    item = Item("missing-file", "/app/later-data/words.txt")
    found = outcome([Tried(DATA, BREAKS, "missing", "smoke", (item,)), Tried(MODULE, HOLDS)])
    assert (found.verdict, found.items) == ("failed", (item,))
    assert found.detail == "data-folder: missing"


def test_what_the_original_does_not_survive_says_nothing() -> None:
    found = outcome([Tried(DATA, NOT_COUNTED, "the original does not build then"), NONE])
    assert (found.verdict, found.detail) == ("not measured", "the original does not build then")
    assert outcome([Tried(DATA, NOT_COUNTED, "x"), Tried(MODULE, HOLDS)]).verdict == "passed"


def test_together_asks_for_all_and_changes_all() -> None:
    both = together([LaterEdit("a", "b", asks=("/x",)), LaterEdit("c", "d", asks=("/y",))])
    assert (both.name, both.means, both.asks) == ("a+c", "b; d", ("/x", "/y"))


def test_the_line_counts_what_could_be_tried() -> None:
    lives = shown(
        "slim",
        [Tried(DATA, HOLDS), Tried(MODULE, BREAKS, "x"), Tried(DEPENDENCY, NOT_TRIED, "y"), NONE],
    )
    assert line(lives) == (
        "1 of 2 later edits hold (broken: new-module), 1 not tried, 1 that this project has"
        " nothing for"
    )
    assert line(shown("slim", [NONE])) == "no later edit could be tried"
    assert line(Lives(name="slim", why_not="smoke: 500")) == "not tried: smoke: 500"


def past(verdict: str, *, installs: bool = True) -> Past:
    return Past(commit="a" * 40, time=1, installs=installs, verdict=verdict)


def test_history_is_told_in_a_sentence() -> None:
    held = History(name="slim", commits=[past(HOLDS)] * 8)
    assert past_line(held) == "holds for the last 8 commits that changed what is installed"
    mixed = [past(HOLDS, installs=False), past(BREAKS), past(NOT_COUNTED)]
    assert past_line(History(name="slim", commits=mixed, ended="the end")) == (
        "breaks for 1 of the last 2 commits that changed manifests, sources or data, 1 of them"
        " what is installed (the end)"
    )


def test_a_result_has_its_verdict_in_every_format() -> None:
    lives = shown("slim", [Tried(DATA, BREAKS, "words.txt <b>is missing", "smoke"), NONE])
    history = [History(name="slim", commits=[past(BREAKS)])]
    verdict, message = conclusion([lives], history)
    assert (verdict, message) == ("breaks", "2 of 2 break: slim")
    result = LivesResult(
        context=".",
        dockerfile="Dockerfile",
        verdict=verdict,
        message=message,
        candidates=[lives],
        history=history,
    )
    text = render(result, "text")
    assert "data-folder   breaks" in text
    assert text.index("data-folder") < text.index("browser-file")
    assert "<b>" not in render(result, "markdown").replace("\\<b>", "")
    assert conclusion([shown("slim", [Tried(DATA, HOLDS)])], [])[0] == "lives"
    assert conclusion([Lives(name="x", why_not="smoke: 500")], []) == ("unproven", "smoke: 500")


def test_a_lock_file_follows_in_the_stage_that_has_the_tool() -> None:
    locking = Locking(("web/package.json", "web/package-lock.json"), "npm i", "npm|yarn")
    text = "FROM alpine AS a\nRUN x-npm\nFROM node:20\nRUN npm ci\nFROM scratch\nCOPY . .\n"
    made = locking_file(text, locking, ["web/package.json"])
    assert made == text.replace("node:20", "node:20 AS later-edit-tool") + (
        "\nFROM later-edit-tool AS later-edit\nUSER root\nWORKDIR /later-edit\n"
        "COPY --from=later-edit-files web/package.json ./\nRUN npm i\n"
    )
    named = locking_file("FROM node AS b\nRUN npm ci\n", locking, ["web/package.json"])
    assert named.startswith("FROM node AS b\nRUN npm ci\n")
    assert "FROM b AS later-edit\n" in named


def commit(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "add", "-A"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-qm", "x"], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    commit(tmp_path, Dockerfile="FROM old\n", app__py="0")
    commit(tmp_path, Dockerfile="FROM scratch\n")
    commit(tmp_path, app__py="1", requirements__txt="flask\n")
    commit(tmp_path, README__md="docs alone")
    commit(tmp_path, app__py="2")
    return tmp_path


def test_only_commits_that_change_the_image_count_as_long_as_the_file_is_the_same(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = past_states(repository, "Dockerfile", "FROM scratch\n", None, 10)
    assert [(one.changed, one.installs) for one in found.states] == [
        (("app.py",), False),
        (("app.py", "requirements.txt"), True),
    ]
    assert found.ended.startswith("the Dockerfile itself was another one in ")
    assert len(past_states(repository, "Dockerfile", "FROM scratch\n", None, 1).states) == 1
    folder = tmp_path_factory.mktemp("then")
    assert found.states[1].edit.tree is not None
    found.states[1].edit.tree(folder)
    assert (folder / "app.py").read_text() == "1"
    assert not (folder / "README.md").exists()


def test_what_the_ignore_file_keeps_out_is_not_in_a_past_context(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = past_states(repository, "Dockerfile", "FROM scratch\n", "*.txt\n", 10)
    folder = tmp_path_factory.mktemp("then")
    assert found.states[0].edit.tree is not None
    found.states[0].edit.tree(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["Dockerfile", "README.md", "app.py"]


def test_without_a_repository_the_history_says_why(tmp_path: Path) -> None:
    found = past_states(tmp_path, "Dockerfile", "", None, 3)
    assert found.states == ()
    assert found.ended
