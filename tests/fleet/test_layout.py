"""Groups stay by name; releases are read from lock files; ways are ranked by what they move."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.fleet.cost.parameters import Parameters
from imgopt.fleet.layout.grouping import GroupName, Names
from imgopt.fleet.layout.locks import changed, known, lock_of, pinned
from imgopt.fleet.layout.releases import Releases, releases_of, with_bases

from .conftest import committed

NAMES = Names(builtin_ecosystems())
LOCKS = {
    "requirements.txt": (
        "# all\nflask==3.0.3\nnumpy[x]==1.26.4 \\\n    --hash=sha256:aa\n-r other.txt\n",
        {"flask": "==3.0.3", "numpy": "[x]==1.26.4"},
    ),
    "deps/requirements-prod.txt": ("Flask_Login>=0.6\n", {"flask-login": ">=0.6"}),
    "poetry.lock": (
        '[[package]]\nname = "numpy"\nversion = "1.26.4"\noptional = false\n',
        {"numpy": "1.26.4"},
    ),
    "uv.lock": (
        'version = 1\n\n[[package]]\nname = "torch"\nversion = "2.3.0"\n',
        {"torch": "2.3.0"},
    ),
    "Pipfile.lock": (
        '{"default": {"flask": {"hashes": ["a"], "markers": "x", "version": "==3.0.3"}}}',
        {"flask": "3.0.3"},
    ),
    "package-lock.json": (
        '{"packages": {"": {"version": "9"}, "node_modules/next": {\n"version": "14.1.0"},'
        ' "node_modules/a/node_modules/@s/b": {"version": "2.0.0"}}}',
        {"next": "14.1.0", "@s/b": "2.0.0"},
    ),
    "yarn.lock": (
        'next@^14, next@14:\n  version "14.1.0"\n\n"@s/b@^2":\n  version: 2.0.0\n',
        {"next": "14.1.0", "@s/b": "2.0.0"},
    ),
    "pnpm-lock.yaml": (
        "packages:\n  '@s/b@2.0.0':\n    x: 1\n  next@14.1.0(react@18.0.0):\n",
        {"@s/b": "2.0.0", "next": "14.1.0"},
    ),
    "Gemfile.lock": (
        "GEM\n  specs:\n    rails (7.1.0)\n      rack (>= 2)\n    rack (3.0)\n",
        {"rails": "7.1.0", "rack": "3.0"},
    ),
    "composer.lock": (
        '{"packages": [{"name": "monolog/monolog", "version": "3.5.0"}]}',
        {"monolog/monolog": "3.5.0"},
    ),
    "Cargo.lock": ('[[package]]\nname = "serde"\nversion = "1.0.1"\n', {"serde": "1.0.1"}),
    "go.sum": (
        "golang.org/x/net v0.1.0 h1:abc=\ngolang.org/x/net v0.1.0/go.mod h1:abc=\n",
        {"golang.org/x/net": "v0.1.0"},
    ),
}


@pytest.mark.parametrize("path", LOCKS)
def test_lock_files_are_read(path: str) -> None:
    text, packages = LOCKS[path]
    lock = lock_of(path)
    assert lock is not None
    assert pinned(lock, text) == packages


def test_every_kind_of_lock_file_is_tried() -> None:
    assert {id(lock_of(path)) for path in LOCKS} == {id(lock) for lock in known()}


@pytest.mark.parametrize("path", ("requirements.md", "lock", "src/main.py", "go.mod"))
def test_other_files_are_code(path: str) -> None:
    assert lock_of(path) is None


@given(st.text(max_size=400), st.sampled_from(sorted(LOCKS)))
def test_any_text_is_read_without_an_error(text: str, path: str) -> None:
    lock = lock_of(path)
    assert lock is not None
    pinned(lock, text)


VERSIONS = st.dictionaries(st.sampled_from("abcdefg"), st.sampled_from("123"))


@given(VERSIONS, VERSIONS)
def test_what_changed_is_what_is_not_the_same(
    before: dict[str, str], after: dict[str, str]
) -> None:
    names = changed(before, after)
    assert names == changed(after, before)
    assert all(before.get(name) == after.get(name) for name in "abcdefg" if name not in names)
    assert changed(before, before) == frozenset()


@given(st.sets(st.sampled_from(["torch", "numpy", "flask", "click", "nvidia-cublas-cu12", "x"])))
def test_a_package_stays_in_its_group_whatever_else_is_installed(others: set[str]) -> None:
    """By name alone: no size, no order, no other package has a say."""
    alone = NAMES.group("numpy", "python"), NAMES.group("flask", "python")
    for name in others:
        NAMES.group(name, "python")
    assert (NAMES.group("numpy", "python"), NAMES.group("flask", "python")) == alone
    assert alone == ("heavy", "light")


def test_names_are_written_in_many_ways_and_tables_are_of_one_ecosystem() -> None:
    assert NAMES.group("Scikit_Learn", "python") == "heavy"
    assert NAMES.group("nvidia_cublas.cu12", "python") == "heavy"
    assert NAMES.group("next", "python") == "light"
    assert NAMES.group("next", "node") == "heavy"
    assert NAMES.group("numpydoc", "python") == "light"
    assert Names(builtin_ecosystems(), ["NumpyDoc"]).group("numpydoc", "python") == "heavy"


def read(project: Path, commits: int = 200) -> Releases:
    found = releases_of(project, "Dockerfile", None, NAMES, commits, ["python"])
    assert isinstance(found, Releases)
    return found


def test_commits_are_releases_of_the_groups_that_they_change(project: Path) -> None:
    found = read(project)
    light, heavy = {"code", "light"}, {"code", "heavy"}
    assert [set(each) for each in found.changed] == [
        {"code"}, {"code"}, {"code"}, light, {"code"}, heavy, {"code"}, light
    ]  # fmt: skip
    assert found.packages == {"flask": 2, "numpy": 1}
    assert found.per_month == pytest.approx(30.0)
    assert found.rate("light", 30.0) == pytest.approx(7.5)
    assert len(read(project, 3).changed) == 3


def test_order_comments_and_blank_lines_of_a_list_change_nothing(tmp_path: Path) -> None:
    project = committed(
        tmp_path / "p",
        [
            {"requirements.txt": "flask==3.0.0\nnumpy==1.26.0\n"},
            {"requirements.txt": "# sorted\nnumpy==1.26.0\n\nflask==3.0.0\n"},
            {"requirements.txt": "numpy==1.26.0\nflask==3.0.0\nclick==8.0\n"},
            {"requirements.txt": "flask==3.0.0\nclick==8.0\n"},
        ],
    )
    assert [set(each) for each in read(project).changed] == [set(), {"light"}, {"heavy"}]


def test_a_lock_file_of_packages_that_the_image_has_not_is_a_file_as_others(tmp_path: Path) -> None:
    """A front end's, of which only what it was built into ships."""
    lock = '"node_modules/next": {{"version": "{}"}}'
    project = committed(tmp_path / "p", [{"package-lock.json": lock.format(n)} for n in range(3)])
    assert [set(each) for each in read(project).changed] == [{"code"}, {"code"}]


def test_another_base_is_another_release_of_the_base(tmp_path: Path) -> None:
    project = committed(
        tmp_path / "p",
        [
            {"Dockerfile": "FROM python:3.11\nRUN make\n"},
            {"Dockerfile": "FROM python:3.12\nRUN make\n"},
            {"Dockerfile": "FROM python:3.12\nRUN make all\n"},
        ],
    )
    assert [set(each) for each in read(project).changed] == [{"base"}, set()]


def test_no_history_is_a_reason(tmp_path: Path) -> None:
    assert releases_of(tmp_path, "Dockerfile", None, NAMES, 10, ["python"]) == (
        "the directory is not in a git repository"
    )
    lone = committed(tmp_path / "p", [{"a": "1"}])
    assert releases_of(lone, "Dockerfile", None, NAMES, 10, ["python"]) == (
        "one commit alone: nothing changed since"
    )


def test_a_base_that_changes_by_itself_is_spread_evenly() -> None:
    code: frozenset[GroupName] = frozenset({"code"})
    made = with_bases((code,) * 30, 30.0, 2.0)
    assert [number for number, each in enumerate(made, 1) if "base" in each] == [15, 30]
    assert with_bases((code,) * 3, 30.0, 0.0) == (code,) * 3
    assert all("base" in each for each in with_bases((code,) * 3, 1.0, 9.0))


def test_parameters_of_no_history_are_the_worked_examples() -> None:
    from imgopt.fleet.layout.propose import rates_of

    rates = rates_of(None, Parameters({}))
    assert rates.per_month == 30
    assert rates.changes == {"system": 0, "heavy": 1, "light": 6, "base": 2, "code": 30}
