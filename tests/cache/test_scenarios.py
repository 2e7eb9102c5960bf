"""The scenarios: which files they choose, what they predict, what they leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from imgopt.cache.examine import examine
from imgopt.cache.memory import Memory
from imgopt.cache.own import OwnScenario, own_scenarios
from imgopt.cache.scenarios import NAMES, Scenario, Skipped, scenarios
from imgopt.cache.state import read_state
from imgopt.cache.times import Times
from imgopt.cache.workspace import copy_tree
from imgopt.context.files import BytesContent, list_files
from imgopt.errors import InputError
from imgopt.results.cache import CacheResult, CacheScenario, ScenarioStep

from .kit import File, Project, write

NODE: dict[str, File] = {
    "package.json": "{}\n",
    "package-lock.json": "{}\n",
    "src/index.ts": "1\n",
    "src/rarely.ts": "1\n",
    "test/index.test.ts": "1\n",
    "README.md": "hi\n",
    "docs/use.md": "hi\n",
    "logo.bin": "x",
}
DOCKERFILE = """\
FROM node:20
ARG BUILD=1
WORKDIR /app
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build
"""


def example(folder: Path, files: Mapping[str, File] = NODE, dockerfile: str = DOCKERFILE) -> Path:
    write(Project(dockerfile, files), folder)
    return folder


def answers(result: CacheResult) -> dict[str, str]:
    return {one.name: "".join(step.predicted[0] for step in one.steps) for one in result.scenarios}


def test_every_scenario_is_predicted_in_full(tmp_path: Path) -> None:
    root = example(tmp_path)
    state = read_state(root)
    found = scenarios(root, state, {"src/rarely.ts": 1, "src/index.ts": 9})
    assert [one.name for one in found] == [*NAMES]
    assert answers(examine(state, found)) == {
        "no-change": "hhhhh",
        "touch-only": "hhhhh",
        "edit-source": "hhhmm",
        "edit-test": "hhhmm",
        "edit-docs": "hhhmm",
        "edit-manifest": "hmmmm",
        "edit-lock": "hmmmm",
        "edit-dockerfile-comment": "hhhmm",
        "edit-dockerignore": "hhhmm",
        "add-file": "hhhmm",
        "delete-file": "hhhmm",
        "rename-file": "hhhmm",
        "chmod-file": "hhhmm",
        "build-arg": "hhmmm",
        "base-bump": "mmmmm",
    }


def test_an_ignore_file_takes_the_misses_away(tmp_path: Path) -> None:
    root = example(
        tmp_path, {**NODE, ".dockerignore": "Dockerfile\n.dockerignore\n**/*.md\ntest\n"}
    )
    state = read_state(root)
    found = answers(examine(state, scenarios(root, state)))
    for name in ("edit-test", "edit-docs", "edit-dockerfile-comment", "edit-dockerignore"):
        assert found[name] == "hhhhh", name
    assert found["edit-source"] == "hhhmm"


def test_churn_chooses_the_file_and_the_result_names_it(tmp_path: Path) -> None:
    root = example(tmp_path)
    state = read_state(root)
    (often,) = scenarios(root, state, {"src/rarely.ts": 5}, ["edit-source"])
    (plain,) = scenarios(root, state, {}, ["edit-source"])
    assert isinstance(often, Scenario) and often.edit == "src/rarely.ts: one line added"
    assert isinstance(plain, Scenario) and plain.edit == "src/index.ts: one line added"


def test_what_a_project_has_not_is_skipped_with_a_reason(tmp_path: Path) -> None:
    root = example(tmp_path, {"a.c": "1"}, "FROM scratch\nCOPY a.c /\n")
    found = scenarios(root, read_state(root))
    skipped = {one.name: one.reason for one in found if isinstance(one, Skipped)}
    assert {"edit-test", "edit-docs", "edit-lock", "build-arg", "base-bump"} <= skipped.keys()
    assert skipped["base-bump"] == "no base image: FROM scratch"


def test_deleted_and_renamed_files_are_not_named_in_the_dockerfile(tmp_path: Path) -> None:
    root = example(
        tmp_path, {"keep.md": "1", "a.md": "1", "b.md": "1"}, "FROM scratch\nCOPY keep.md a.md /\n"
    )
    found = {one.name: one for one in scenarios(root, read_state(root))}
    assert (
        isinstance(found["delete-file"], Scenario) and found["delete-file"].edit == "b.md: deleted"
    )
    assert isinstance(found["rename-file"], Skipped)


def test_an_edit_is_made_on_the_copy_and_taken_back(tmp_path: Path) -> None:
    root = example(tmp_path / "context")
    state = read_state(root)
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_tree(root, state.tree, copy)
    (copy / "src").chmod(0o755)
    before = _snapshot(root)
    for scenario in scenarios(root, state):
        if isinstance(scenario, Scenario):
            edit = scenario.make("abc")
            edit.write(copy)
            changed = {path: entry.mode for path, entry in list_files(copy).entries.items()}
            assert changed == {
                path: entry.mode for path, entry in edit.applied(state).tree.entries.items()
            }, scenario
            edit.undo(copy, state)
            assert _texts(copy) == _texts(root), scenario.name
    assert _snapshot(root) == before


def test_every_changed_file_gets_another_time(tmp_path: Path) -> None:
    root = example(tmp_path / "context")
    state = read_state(root)
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_tree(root, state.tree, copy)
    (scenario,) = scenarios(root, state, {}, ["touch-only"])
    assert isinstance(scenario, Scenario)
    old = (copy / "src/index.ts").stat().st_mtime_ns
    assert old == (root / "src/index.ts").stat().st_mtime_ns
    scenario.make("x").write(copy)
    assert (copy / "src/index.ts").stat().st_mtime_ns > old
    assert (copy / "src/index.ts").stat().st_ino != (root / "src/index.ts").stat().st_ino


def test_a_patch_and_a_command_of_the_user(tmp_path: Path) -> None:
    root = example(tmp_path / "context")
    patch = tmp_path / "change.patch"
    patch.write_text("--- a/src/index.ts\n+++ b/src/index.ts\n@@ -1 +1 @@\n-1\n+2\n")
    before = _snapshot(root)
    own = [
        OwnScenario("patched", patch=patch),
        OwnScenario("ran", command="rm package-lock.json && mkdir new && touch new/f"),
    ]
    state = read_state(root)
    found = answers(examine(state, own_scenarios(root, own, tmp_path / "work")))
    assert found == {"patched": "hhhmm", "ran": "hmmmm"}
    assert _snapshot(root) == before


@pytest.mark.parametrize("command", ["exit 3", "kill -9 $$"])
def test_a_command_that_fails_is_the_users_to_mend(tmp_path: Path, command: str) -> None:
    root = example(tmp_path / "context")
    with pytest.raises(InputError, match="bad"):
        own_scenarios(root, [OwnScenario("bad", command=command)], tmp_path / "work")


def test_a_file_that_another_one_names_is_renamed_last(tmp_path: Path) -> None:
    page = {
        "index.html": "<main>\n",
        "src/board.ts": "1\n",
        "src/main.ts": 'import "./board"\n',
        "public/robots.txt": "*\n",
    }
    state = read_state(example(tmp_path / "page", page, "FROM node\nCOPY . .\n"))
    edits = [
        one.edit
        for one in scenarios(tmp_path, state, {}, ["delete-file", "rename-file"])
        if isinstance(one, Scenario)
    ]
    assert edits[0] == "public/robots.txt: deleted"
    assert edits[1].startswith(("index.html: renamed", "src/")), "nothing else is left"


def test_what_only_a_build_can_tell_is_known_after_a_measurement(tmp_path: Path) -> None:
    root = example(
        tmp_path / "context",
        {"src/main.py": "1", "notes": "1"},
        "FROM gcc AS b\nCOPY src /src\nRUN make\nFROM gcc\nCOPY --from=b /out /out\nRUN check\n",
    )
    state = read_state(root)
    chosen = scenarios(root, state, {}, ["edit-source"])
    unsure = examine(state, chosen)
    assert answers(unsure) == {"edit-source": "mmuu"}
    edits = {one.name: one.example for one in chosen if isinstance(one, Scenario)}
    edit = edits["edit-source"]
    memory = Memory(root, tmp_path / "cache")
    said: tuple[tuple[str, str], ...] = (
        ("miss", "miss"),
        ("miss", "miss"),
        ("unknown", "hit"),
        ("unknown", "hit"),
    )
    steps = [ScenarioStep(predicted=one, measured=two, reason="") for one, two in said]  # type: ignore[arg-type]
    measured = CacheResult(
        steps=unsure.steps,
        scenarios=[CacheScenario(name="edit-source", edit=unsure.scenarios[0].edit, steps=steps)],
    )
    memory.remember(state, edits, measured, Times({("b", "RUN make"): 3.5}))
    again = Memory(root, tmp_path / "cache")
    found = examine(state, chosen, None, lambda edit: again.known(state, edit), again.times())
    assert answers(found) == {"edit-source": "mmhh"}
    assert [step.seconds for step in found.scenarios[0].steps] == [None, 3.5, 0.0, 0.0]
    (root / "notes").write_text("another state")
    other = read_state(root)
    assert again.known(other, edit) is None
    assert again.known(state, replace(edit, words="another change")) is None
    other_bytes = {
        path: replace(entry, content=BytesContent(b"2"))
        for path, entry in edit.entries.items()
        if entry
    }
    assert again.known(state, replace(edit, entries=other_bytes)) is None


def test_a_damaged_memory_is_an_empty_one(tmp_path: Path) -> None:
    memory = Memory(tmp_path, tmp_path / "cache")
    memory.remember(
        read_state(example(tmp_path / "c")),
        {},
        CacheResult(steps=[], scenarios=[]),
        Times({("", "RUN x"): 1.0}),
    )
    (file,) = (tmp_path / "cache").rglob("*.json")
    assert Memory(tmp_path, tmp_path / "cache").times().seconds == {("", "RUN x"): 1.0}
    file.write_bytes(file.read_bytes()[:20])
    assert Memory(tmp_path, tmp_path / "cache").times().seconds == {}


def _snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    found = {}
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        found[str(path)] = (
            about.st_ino,
            about.st_mode,
            about.st_mtime_ns,
            about.st_ctime_ns,
            about.st_size,
        )
    return found


def _texts(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
