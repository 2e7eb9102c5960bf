"""The baseline file: damaged, of something else, written by several at once; small and the same
every time."""

from __future__ import annotations

import json
import re
import threading

import pytest

from imgopt.ci.entries import read_baseline
from imgopt.ci.record import record

from .conftest import Project

DAMAGE = {
    "cut short": lambda text: text[: len(text) // 2],
    "not JSON": lambda _: "size: 12",
    "merge conflict": lambda text: f"<<<<<<< HEAD\n{text}=======\n>>>>>>> x\n",
    "newer": lambda text: text.replace("imgopt/baseline/1", "imgopt/baseline/9"),
    "another file": lambda _: '{"schema": "imgopt/ci/1"}',
    "a list": lambda _: "[]",
    "wrong type": lambda text: text.replace('"layers": [', '"layers": 3, "x": ['),
    "negative": lambda text: text.replace('"live": ', '"live": -', 1),
    "another key": lambda text: text.replace('"app linux/amd64": {', '"other linux/amd64": {'),
    "parts that do not sum": lambda text: re.sub(
        r'"tar": \d+, "text"', '"tar": 3, "text"', text, count=1
    ),
    "an entry twice": lambda text: text.replace(
        '"image": "app",', '"image": "app", "image": "app",'
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_baseline_is_exit_code_2_and_stays_as_it_is(recorded: Project, damage) -> None:  # type: ignore[no-untyped-def]
    text = recorded.baseline.read_text()
    damaged = damage(text)
    assert damaged != text
    recorded.baseline.write_text(damaged)
    code, _, err = recorded.check()
    assert code == 2 and "imgopt-baseline.json" in err
    assert recorded.imgopt("baseline", f"app={recorded.archive}")[0] == 2
    assert recorded.baseline.read_text() == damaged


def test_an_entry_of_another_platform_is_named(recorded: Project) -> None:
    text = recorded.baseline.read_text().replace("linux/amd64", "linux/arm64")
    recorded.baseline.write_text(text)
    code, _, err = recorded.check()
    assert code == 2 and "'app linux/arm64' is of another platform" in err


def test_an_entry_without_the_metric_is_named(recorded: Project) -> None:
    document = json.loads(recorded.baseline.read_text())
    for size in ("tar", "payload", "live"):
        document["images"]["app linux/amd64"]["sizes"][size] = None
    recorded.baseline.write_text(json.dumps(document))
    code, _, err = recorded.check()
    assert code == 2 and "has no tar size" in err


def test_concurrent_baselines_lose_nothing_and_never_leave_half_a_file(project: Project) -> None:
    from imgopt.ci.api import load_project, run_check
    from imgopt.ci.subjects import Where, find_subjects

    loaded = load_project(project.folder)
    words = [f"app{number}={project.archive}" for number in range(8)]
    subjects = find_subjects(words, loaded.settings, Where(project.folder))
    _, checked = run_check(subjects, loaded)
    stop = threading.Event()
    broken: list[str] = []

    def read() -> None:
        while not stop.is_set():
            try:
                read_baseline(project.baseline)
            except Exception as error:
                broken.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=record, args=(project.baseline, [item])) for item in checked]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stop.set()
    reader.join()
    assert not broken
    assert len(read_baseline(project.baseline) or {}) == 8
    assert [path.name for path in project.folder.iterdir() if "baseline" in path.name] == [
        "imgopt-baseline.json"
    ]


def test_the_baseline_is_small_sorted_and_the_same_every_time(recorded: Project) -> None:
    text = recorded.baseline.read_text()
    assert len(text) < 4_000 and text.endswith("}\n")
    recorded.imgopt("baseline", f"app={recorded.archive}")
    assert recorded.baseline.read_text() == text
    keys = list(json.loads(text)["images"]["app linux/amd64"])
    assert keys == sorted(keys)
    assert sum(line.strip().startswith('{"codec"') for line in text.splitlines()) == 4
