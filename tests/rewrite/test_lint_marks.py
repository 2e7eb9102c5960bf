"""Marks for a linter stand in the file only where the author uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.lines.lint_marks import without_idle_marks
from imgopt.rewrite.strategy import ContextFiles, Project

NEW = "FROM debian:12\n# hadolint ignore=DL3008\nRUN apt-get install -y curl\n# why\nCMD x\n"
OLD = "FROM debian:12\nRUN apt-get install -y curl\n# why\nCMD x\n"


def written(root: Path, original: str = OLD, new: str = NEW) -> tuple[str, tuple[int | None, ...]]:
    project = Project(ContextFiles(root, {}), builtin_ecosystems())
    return without_idle_marks(new, (1, None, 2, 3, 4), original, project)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".hadolint.yaml", ""),
        (".pre-commit-config.yaml", "- repo: https://github.com/hadolint/hadolint\n"),
        (".github/workflows/lint.yml", "uses: hadolint/hadolint-action@v3\n"),
        ("Makefile", "lint:\n\thadolint Dockerfile\n"),
    ],
)
def test_they_stay_where_the_linter_runs(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    assert written(tmp_path) == (NEW, (1, None, 2, 3, 4))


def test_they_stay_where_the_author_has_some(tmp_path: Path) -> None:
    assert written(tmp_path, f"# hadolint ignore=DL3006\n{OLD}")[0] == NEW


def test_without_the_linter_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n\tdocker build .\n")
    assert written(tmp_path) == (OLD, (1, 2, 3, 4))
