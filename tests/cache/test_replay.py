"""Replay: what the last commits would have rebuilt, read from git's objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.cache.project import Project as CacheProject
from imgopt.cache.replay import Replay
from imgopt.cache.state import read_state
from imgopt.cache.times import Times
from imgopt.context.history import Commit, History, PathChange
from imgopt.engine import BuildRequest
from imgopt.errors import InputError
from imgopt.report import render
from imgopt.report.replay import chart

from .conftest import git
from .kit import Project, write

DOCKERFILE = "FROM x\nCOPY req.txt .\nRUN pip install\nCOPY app app\nRUN check\n"
TIMES = Times(
    {
        ("", "COPY req.txt ."): 1.0,
        ("", "RUN pip install"): 10.0,
        ("", "COPY app app"): 2.0,
        ("", "RUN check"): 4.0,
    }
)


def commit(number: int, *changes: tuple[str, str | None, str | None]) -> Commit:
    """One commit a day; each change is (path, blob before, blob after)."""
    made = tuple(
        PathChange(path, (0o100644, old) if old else None, (0o100644, new) if new else None)
        for path, old, new in changes
    )
    return Commit(f"{number:040x}", number * 86_400, made)


def replayed(folder: Path, *, dockerfile: str = DOCKERFILE, ignore: str | None = None) -> Replay:
    files = {"req.txt": "1", "app/a.py": "1", "app/b.py": "1", "README.md": "1"}
    write(Project(dockerfile, {**files, **({".dockerignore": ignore} if ignore else {})}), folder)
    return Replay(read_state(folder), TIMES)


def test_each_commit_costs_the_steps_that_it_makes_run(tmp_path: Path) -> None:
    commits = (
        commit(4, ("README.md", "1", "2")),
        commit(3, ("app/a.py", "1", "2")),
        commit(2, ("req.txt", "1", "2"), ("app/a.py", "0", "1")),
        commit(1, ("app/gone.py", "1", None)),
    )
    cost = replayed(tmp_path).run(History(commits))
    assert [one.seconds for one in cost.commits] == [0.0, 6.0, 17.0, 6.0]
    assert [[step.line for step in one.missed] for one in cost.commits] == [
        [],
        [4, 5],
        [2, 3, 4, 5],
        [4, 5],
    ]
    assert cost.per_build == pytest.approx(29 / 4)
    assert cost.builds_per_month == pytest.approx(4 * 30 / 3)
    assert cost.per_month == pytest.approx(29 / 4 * 40)


def test_the_line_that_starts_the_rebuild_is_charged(tmp_path: Path) -> None:
    commits = (
        commit(3, ("app/a.py", "1", "2")),
        commit(2, ("req.txt", "1", "2")),
        commit(1, ("app/b.py", "1", "2")),
    )
    lines = replayed(tmp_path).run(History(commits)).lines
    assert [(one.step.line, one.commits, one.seconds) for one in lines] == [
        (2, 1, 17.0),
        (4, 2, 12.0),
    ]


def test_without_seconds_the_cost_is_not_known_but_the_steps_are(tmp_path: Path) -> None:
    replay = replayed(tmp_path)
    replay.times = Times()
    cost = replay.run(History((commit(1, ("app/a.py", "1", "2")),)))
    assert (cost.per_build, cost.commits[0].seconds, len(cost.commits[0].missed)) == (None, None, 2)


def test_ignored_files_cost_nothing(tmp_path: Path) -> None:
    replay = replayed(tmp_path, dockerfile="FROM x\nCOPY . .\n", ignore="*.md\n")
    cost = replay.run(
        History((commit(2, ("README.md", "1", "2")), commit(1, ("LICENSE", "1", "2"))))
    )
    assert [len(one.missed) for one in cost.commits] == [0, 1]


def test_a_mode_alone_costs_and_an_empty_commit_does_not(tmp_path: Path) -> None:
    chmod = Commit("a" * 40, 1, (PathChange("req.txt", (0o100644, "1"), (0o100755, "1")),))
    cost = replayed(tmp_path).run(History((chmod, commit(0))))
    assert [len(one.missed) for one in cost.commits] == [4, 0]


def test_what_only_a_build_can_tell_counts_as_a_run(tmp_path: Path) -> None:
    dockerfile = "FROM x AS b\nCOPY app app\nRUN make\nFROM x\nCOPY --from=b /out /out\n"
    cost = replayed(tmp_path, dockerfile=dockerfile).run(
        History((commit(1, ("app/a.py", "1", "2")),))
    )
    assert [(len(one.missed), len(one.unknown)) for one in cost.commits] == [(2, 1)]


def test_a_narrow_copy_from_a_stage_is_decided_by_path(tmp_path: Path) -> None:
    dockerfile = "FROM x AS b\nCOPY app /app\nFROM x\nCOPY --from=b /app/a.py /a\nCOPY --from=b /app/b.py /b\n"
    replay = replayed(tmp_path, dockerfile=dockerfile)
    cost = replay.run(
        History((commit(2, ("app/a.py", "1", "2")), commit(1, ("app/b.py", "1", "2"))))
    )
    assert [[step.line for step in one.missed] for one in cost.commits] == [[2, 4, 5], [2, 5]]


def test_git_inside_the_image_makes_every_commit_a_miss(repository: Path) -> None:
    result = CacheProject(BuildRequest(repository)).replay(10)
    assert [one.missed for one in result.arms[0].commits] == [[5, 6], [3, 4, 5, 6]]
    assert result.arms[0].notes[0] == ".git is copied into the image: every commit changes it"


def test_a_variant_stands_beside_the_original(repository: Path) -> None:
    (repository / "Dockerfile.better").write_text(
        "FROM python\nCOPY req.txt .\nRUN pip install\nCOPY app app\nRUN check\n"
    )
    (repository / "README.md").write_text("2")
    git(repository, "commit", "-qam", "docs")
    result = CacheProject(BuildRequest(repository)).replay(1, [Path("Dockerfile.better")])
    assert [(arm.dockerfile, arm.missed_per_build) for arm in result.arms] == [
        ("Dockerfile", 2.0),
        ("Dockerfile.better", 0.0),
    ]
    for format in ("text", "markdown", "json"):
        assert "Dockerfile.better" in render(result, format)


def test_without_git_it_says_why(tmp_path: Path) -> None:
    write(Project(DOCKERFILE, {"req.txt": "1"}), tmp_path)
    with pytest.raises(
        InputError, match="nothing to replay: the directory is not in a git repository"
    ):
        CacheProject(BuildRequest(tmp_path)).replay(10)


def test_the_chart_runs_from_old_to_new_and_fits(repository: Path) -> None:
    arm = CacheProject(BuildRequest(repository)).replay(10).arms[0]
    assert chart(arm.commits, 4.0) == "█▄"
    assert len(chart(arm.commits * 500, 4.0)) == 60
    assert chart([], 0.0) == ""
