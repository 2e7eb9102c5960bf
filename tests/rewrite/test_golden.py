"""Whole files through the safe plan. Each folder of `golden` is named after the trap that its
Dockerfile sets.

A folder holds a Dockerfile and its context; `expected.txt` lists the changes and skips, one a line;
where the file must change, `expected.Dockerfile` holds the result, and `expected.dockerignore` the
new ignore file. A folder without `expected.Dockerfile` is a file that must come out byte for byte
as it went in. `pytest tests/rewrite --update` writes all three.
"""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.dockerfile import parse
from imgopt.loop.static import rewrite_static
from imgopt.results.rewrite import StaticVariant

GOLDEN = Path(__file__).parent / "golden"
FOLDERS = sorted(path for path in GOLDEN.iterdir() if path.is_dir())
NEAR = 3
"""Lines between a changed line and the one that its change names."""


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def folder(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def context(folder: Path, tmp_path: Path) -> Path:
    """A copy without what is expected. `dot-git` stands for a folder that git would not keep in a
    repository."""
    shutil.copytree(folder, tmp_path / "c", ignore=shutil.ignore_patterns("expected.*"))
    if (tmp_path / "c" / "dot-git").exists():
        (tmp_path / "c" / "dot-git").rename(tmp_path / "c" / ".git")
    return tmp_path / "c"


def plan_of(context: Path) -> StaticVariant:
    return rewrite_static(context, context / "Dockerfile", Config(), ("safe",)).variants[0]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def report(plan: StaticVariant) -> str:
    changes = [
        f"change {change.strategy}, line {change.line}: {change.because}" for change in plan.changes
    ]
    skips = [f"skip {skip.strategy}, line {skip.line}: {skip.reason}" for skip in plan.skips]
    return "".join(line + "\n" for line in [*changes, *skips])


def update(folder: Path, context: Path, plan: StaticVariant) -> None:
    (folder / "expected.txt").write_text(report(plan))
    for name, new, old in (
        ("expected.Dockerfile", plan.dockerfile, text_of(context / "Dockerfile")),
        ("expected.dockerignore", plan.dockerignore, read_or_none(context / ".dockerignore")),
    ):
        if new is None or new == old:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_bytes(new.encode())


def read_or_none(path: Path) -> str | None:
    return text_of(path) if path.exists() else None


def test_the_plan_is_the_expected_one(
    folder: Path, context: Path, request: pytest.FixtureRequest
) -> None:
    plan = plan_of(context)
    if request.config.getoption("--update", default=False):
        update(folder, context, plan)
    before = text_of(context / "Dockerfile")
    wanted = read_or_none(folder / "expected.Dockerfile")
    assert plan.dockerfile == (before if wanted is None else wanted)
    wanted_ignore = read_or_none(folder / "expected.dockerignore")
    assert plan.dockerignore == (
        read_or_none(context / ".dockerignore") if wanted_ignore is None else wanted_ignore
    )
    assert report(plan) == text_of(folder / "expected.txt")


def test_every_changed_line_has_a_change_that_names_it_or_a_line_beside_it(context: Path) -> None:
    plan = plan_of(context)
    before, after = text_of(context / "Dockerfile").split("\n"), plan.dockerfile.split("\n")
    named = {change.line for change in plan.changes if change.line is not None}
    for tag, start, end, _, _ in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            near = range(start + 1 - NEAR, max(end, start + 1) + NEAR + 1)
            assert named & set(near), (
                f"no change explains lines {start + 1}-{end}: {before[start:end]}"
            )


def test_the_result_is_valid_and_keeps_comments_line_ends_and_its_last_byte(context: Path) -> None:
    plan = plan_of(context)
    before, after = text_of(context / "Dockerfile"), plan.dockerfile
    assert not parse(after).errors
    comments = [line.strip() for line in before.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in comments if line not in after] == []
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    if parse(before).eol == "\r\n":
        assert "\n" not in after.replace("\r\n", "")
    if not plan.changes:
        assert after == before


def test_rewriting_twice_is_rewriting_once(context: Path) -> None:
    plan = plan_of(context)
    (context / "Dockerfile").write_bytes(plan.dockerfile.encode())
    if plan.dockerignore is not None:
        (context / ".dockerignore").write_text(plan.dockerignore)
    again = plan_of(context)
    assert (again.dockerfile, again.dockerignore, again.changes) == (
        plan.dockerfile,
        plan.dockerignore,
        [],
    )


def test_more_than_half_of_the_traps_are_files_that_must_not_change() -> None:
    kept = [folder for folder in FOLDERS if not (folder / "expected.Dockerfile").exists()]
    assert len(FOLDERS) >= 30
    assert len(kept) * 2 > len(FOLDERS)
