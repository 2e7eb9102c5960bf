"""The git history of a context, read from real repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from imgopt.context.history import Churn, Repository, churn, history
from imgopt.errors import InputError


def git(folder: Path, *arguments: str) -> str:
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "HOME": str(folder)}
    names = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    dates = {"GIT_COMMITTER_DATE": "1700000000 +0000", "GIT_AUTHOR_DATE": "1700000000 +0000"}
    environment = {**os.environ, **own, **names, **dates}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three commits: two files, one of them edited and a link added, the other removed."""
    root = tmp_path / "repo"
    (root / "app").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "app/a.py").write_text("1")
    (root / "app/b c.py").write_text("1")
    (root / "top").write_text("1")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / "app/a.py").write_text("2")
    (root / "app/a.py").chmod(0o755)
    (root / "app/link").symlink_to("a.py")
    git(root, "add", ".")
    git(root, "commit", "-qm", "two\n\nwith a body\n:100644 that looks like a record")
    git(root, "rm", "-q", "app/b c.py")
    git(root, "commit", "-qm", "three")
    return root


def test_churn_counts_the_commits_of_each_path(repository: Path) -> None:
    found = churn(repository)
    assert found == Churn({"app/a.py": 2, "app/b c.py": 2, "app/link": 1, "top": 1}, 3)


def test_paths_are_relative_to_a_context_below_the_root(repository: Path) -> None:
    assert churn(repository / "app").counts == {"a.py": 2, "b c.py": 2, "link": 1}


def test_the_number_of_commits_is_bounded(repository: Path) -> None:
    assert churn(repository, 1) == Churn({"app/b c.py": 1}, 1)


def test_changes_have_both_sides(repository: Path) -> None:
    commits = history(repository).commits
    assert commits is not None
    assert [commit.id for commit in commits] == git(repository, "rev-list", "HEAD").split()
    edited = next(change for change in commits[1].changes if change.path == "app/a.py")
    assert (
        edited.before
        and edited.after
        and (edited.before[0], edited.after[0]) == (0o100644, 0o100755)
    )
    assert commits[0].changes[0].after is None
    assert commits[2].changes[0].before is None


def test_a_merge_counts_once_with_what_it_brought(repository: Path) -> None:
    git(repository, "checkout", "-qb", "side", "HEAD~2")
    (repository / "side").write_text("s")
    git(repository, "add", "side")
    git(repository, "commit", "-qm", "side")
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "side", "-m", "merge")
    commits = history(repository).commits
    assert commits is not None and len(commits) == 4
    assert [change.path for change in commits[0].changes] == ["side"]


def test_a_shallow_clone_says_how_many_commits_it_has(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{repository}", "shallow")
    found = history(tmp_path / "shallow", 50)
    assert found.shallow and found.commits is not None and len(found.commits) == 2
    assert "only 2 commits are here" in found.note


def test_a_directory_without_git_has_a_reason(tmp_path: Path) -> None:
    found = churn(tmp_path)
    assert (found.counts, found.reason) == (None, "the directory is not in a git repository")


def test_a_repository_without_commits_has_a_reason(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert churn(tmp_path).reason == "the repository has no commits"


def test_without_the_program_there_is_a_reason(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert churn(repository).reason == "git is not installed"


def test_a_tree_has_the_modes_and_bytes_of_a_checkout(repository: Path) -> None:
    opened = Repository.of(repository)
    assert not isinstance(opened, str)
    tree = opened.tree("HEAD~1")
    assert {path: (entry.kind, entry.mode) for path, entry in tree.entries.items()} == {
        "app": ("dir", 0o755),
        "app/a.py": ("file", 0o755),
        "app/b c.py": ("file", 0o644),
        "app/link": ("link", 0o777),
        "top": ("file", 0o644),
    }
    content = tree.entries["app/a.py"].content
    assert content is not None and (content.read(), content.size) == (b"2", 1)
    assert content.git_id("sha1") == git(repository, "rev-parse", "HEAD~1:app/a.py")
    assert tree.entries["app/link"].link == "a.py"


@pytest.mark.parametrize("revision", ["no-such", "--all", "HEAD:top", "a b"])
def test_what_names_no_commit_is_refused(repository: Path, revision: str) -> None:
    opened = Repository.of(repository)
    assert not isinstance(opened, str)
    with pytest.raises(InputError):
        opened.commit(revision)


def test_reading_writes_nothing_and_runs_no_hook(repository: Path) -> None:
    hook = repository / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository}/ran\n")
    hook.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(hook))
    before = {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}
    churn(repository)
    opened = Repository.of(repository)
    assert not isinstance(opened, str)
    opened.tree("HEAD")
    opened.tracked()
    assert {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")} == before
    assert not (repository / "ran").exists()
