"""Why was it a miss? The step where it starts, the exact cause, and the traps by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.cache.explain import explain, state_against, state_since
from imgopt.cache.state import read_state
from imgopt.errors import InputError
from imgopt.results.explain import ExplainResult

from .kit import File, Mode, Project, write

FILES: dict[str, File] = {"app/main.py": "1", "req.txt": "1", "README.md": "1"}
DOCKERFILE = "FROM python\nWORKDIR /app\nCOPY req.txt .\nRUN pip install\nCOPY . .\nRUN check\n"


def why(
    folder: Path,
    before: Project,
    after: Project,
    line: int | None = None,
) -> ExplainResult:
    write(before, folder / "before")
    write(after, folder / "after")
    now = read_state(folder / "after", build_args=after.args)
    return explain(state_against(folder / "before", folder / "after", now), now, line, "before")


def trap(result: ExplainResult) -> list[str]:
    return [one.name for one in result.traps]


def edited(files: Mapping[str, File], dockerfile: str = DOCKERFILE) -> Project:
    return Project(dockerfile, {**FILES, **files})


def test_names_the_file_and_the_step_where_it_starts(tmp_path: Path) -> None:
    found = why(tmp_path, edited({}), edited({"req.txt": "22"}), 6)
    assert (found.verdict, found.reason) == ("miss", "line 5 (COPY . .) runs again")
    assert (found.first_line, found.cause) == (3, "COPY req.txt .: req.txt changed")
    assert [one.path for one in found.changed] == ["req.txt"]


def test_without_a_line_the_first_miss_is_explained(tmp_path: Path) -> None:
    found = why(tmp_path, edited({}), edited({"app/main.py": "22"}))
    assert (found.line, found.cause) == (5, "COPY . .: app/main.py changed")
    assert [step.verdict for step in found.steps] == ["hit", "hit", "hit", "miss", "miss"]


def test_nothing_changed(tmp_path: Path) -> None:
    found = why(tmp_path, edited({}), edited({}))
    assert (found.verdict, found.line) == ("hit", None)


def test_a_line_that_is_no_step_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1 is no cacheable step"):
        why(tmp_path, edited({}), edited({}), 1)


def test_umask(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        edited({}),
        edited({"app/main.py": Mode("1", 0o664), "README.md": Mode("1", 0o664)}),
    )
    assert trap(found) == ["umask"]
    assert found.changed[0].detail == "README.md: mode 644 became 664"


def test_an_executable_bit_is_no_umask(tmp_path: Path) -> None:
    assert trap(why(tmp_path, edited({}), edited({"app/main.py": Mode("1", 0o755)}))) == []


def test_the_dockerfile_inside_copy_dot(tmp_path: Path) -> None:
    found = why(tmp_path, edited({}), edited({}, DOCKERFILE + "# a comment\n"))
    assert (found.cause, trap(found)) == ("COPY . .: Dockerfile changed", ["dockerfile-in-copy"])


def test_git_inside_copy_dot(tmp_path: Path) -> None:
    found = why(tmp_path, edited({".git/HEAD": "1"}), edited({".git/HEAD": "2"}))
    assert trap(found) == ["git-in-copy"]


def test_generated_files(tmp_path: Path) -> None:
    assert trap(why(tmp_path, edited({}), edited({"app/__pycache__/main.pyc": "x"}))) == [
        "generated-file"
    ]


def test_stale_time_is_a_hit_that_should_be_none(tmp_path: Path) -> None:
    write(edited({}), tmp_path / "before")
    write(edited({"app/main.py": "2"}), tmp_path / "after")
    for side in ("before", "after"):
        os.utime(tmp_path / side / "app/main.py", (5, 5))
    now = read_state(tmp_path / "after")
    found = explain(state_against(tmp_path / "before", tmp_path / "after", now), now, 5, "before")
    assert trap(found) == ["stale-time"]


def test_a_wildcard_with_a_new_match(tmp_path: Path) -> None:
    dockerfile = "FROM x\nCOPY *.txt /t/\n"
    found = why(tmp_path, edited({}, dockerfile), edited({"new.txt": "1"}, dockerfile))
    assert (found.cause, trap(found)) == ("COPY *.txt /t/: new.txt was added", ["wildcard"])


def test_order_of_variables(tmp_path: Path) -> None:
    found = why(
        tmp_path, Project("FROM x\nENV A=1 B=2\nRUN y\n"), Project("FROM x\nENV B=2 A=1\nRUN y\n")
    )
    assert (found.cause, trap(found)) == (
        "RUN y: the order of its variables changed",
        ["env-order"],
    )


def test_a_variable_that_the_command_does_not_use(tmp_path: Path) -> None:
    found = why(tmp_path, Project("FROM x\nENV A=1\nRUN y\n"), Project("FROM x\nENV A=2\nRUN y\n"))
    assert (found.cause, trap(found)) == (
        "RUN y: variable A changed from 1 to 2",
        ["unused-variable"],
    )


def test_an_inherited_argument(tmp_path: Path) -> None:
    dockerfile = "FROM x AS base\nARG VERSION=1\nFROM base\nRUN y $VERSION\n"
    found = why(tmp_path, Project(dockerfile), Project(dockerfile.replace("=1", "=2")))
    assert trap(found) == ["inherited-arg"]


def test_indentation(tmp_path: Path) -> None:
    found = why(tmp_path, Project("FROM x\nRUN a \\\n  b\n"), Project("FROM x\nRUN a \\\n    b\n"))
    assert (found.cause, trap(found)) == ("RUN a b: its command changed", ["indentation"])


def test_the_value_of_a_secret_is_not_shown(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        Project("FROM x\nENV API_TOKEN=abc\nRUN y\n"),
        Project("FROM x\nENV API_TOKEN=def\nRUN y\n"),
    )
    assert found.cause == "RUN y: variable API_TOKEN has another value"


def test_a_flag_and_a_workdir(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        Project("FROM x\nCOPY --chown=1 a /a\n", {"a": ""}),
        Project("FROM x\nCOPY a /a\n", {"a": ""}),
    )
    assert found.cause == "COPY a /a: --chown 1 became nothing"
    found = why(
        tmp_path, Project("FROM x\nWORKDIR /a\nRUN y\n"), Project("FROM x\nWORKDIR /b\nRUN y\n")
    )
    assert found.cause == "WORKDIR /b: make directory /a became /b"


def test_since_a_revision_of_git(repository: Path) -> None:
    """Untracked files and permission bits that git does not keep are not taken for changes."""
    (repository / "app/main.py").write_text("3")
    (repository / "app/main.py").chmod(0o664)
    (repository / "untracked").write_text("x")
    now = read_state(repository)
    found = explain(state_since(repository, "HEAD", now), now, None, "HEAD")
    assert (found.cause, [one.path for one in found.changed]) == (
        "COPY . .: app/main.py changed",
        ["app/main.py"],
    )


def test_since_an_older_revision_git_itself_changed(repository: Path) -> None:
    now = read_state(repository)
    found = explain(state_since(repository, "HEAD~1", now), now, None, "HEAD~1")
    assert [one.path for one in found.changed] == [".git/HEAD", "app/main.py"]
    assert "git-in-copy" in trap(found)


def test_since_where_there_is_no_git(tmp_path: Path) -> None:
    write(edited({}), tmp_path)
    with pytest.raises(InputError, match="not in a git repository"):
        state_since(tmp_path, "HEAD", read_state(tmp_path))


def test_against_the_context_itself_is_refused(tmp_path: Path) -> None:
    write(edited({}), tmp_path)
    with pytest.raises(InputError, match="names the context itself"):
        state_against(tmp_path, tmp_path, read_state(tmp_path))
