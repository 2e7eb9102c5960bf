"""`.dockerignore`: the same files as a real `COPY . .`.

`ignore_cases.json` holds a tree, ignore files, and what builds with them left out; it was recorded
with `test_a_real_build_drops_the_same_files`, which checks it against the engine at hand.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from imgopt.dockerfile import IgnoreFile, find_ignore_file
from imgopt.errors import InputError

TABLE = json.loads((Path(__file__).parent / "ignore_cases.json").read_text(encoding="utf-8"))
FILES: list[str] = TABLE["files"]
CASES: dict[str, list[str]] = TABLE["dropped"]


def dropped(text: str) -> list[str]:
    ignore = IgnoreFile.parse(text)
    return sorted(path for path in FILES if ignore.excludes(path))


def test_the_table_is_large_and_says_something() -> None:
    assert len(CASES) >= 95
    assert sum(bool(files) for files in CASES.values()) >= 70
    assert sum("!" in text for text in CASES) >= 25


@pytest.mark.parametrize("text", CASES)
def test_drops_what_the_build_dropped(text: str) -> None:
    assert dropped(text) == CASES[text]


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_real_build_drops_the_same_files(tmp_path: Path) -> None:
    for path in FILES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    differing = {}
    for number, text in enumerate(CASES):
        kept = _built(tmp_path, text, f"D{number}")
        if sorted(set(FILES) - kept) != CASES[text]:
            differing[text] = kept
    assert not differing


def _built(context: Path, ignored: str, name: str) -> set[str]:
    """The files of an image built with `COPY . /` and that ignore file."""
    dockerfile = context / name
    dockerfile.write_text("FROM scratch\nCOPY . /\n")
    own = context / f"{name}.dockerignore"
    own.write_bytes(f"{ignored}\nD*\n".encode())
    command = [
        "docker",
        "buildx",
        "build",
        "-q",
        "-f",
        str(dockerfile),
        "--output",
        "type=tar,dest=-",
        str(context),
    ]
    built = subprocess.run(command, capture_output=True, check=True)
    dockerfile.unlink()
    own.unlink()
    with tarfile.open(fileobj=io.BytesIO(built.stdout)) as image:
        return {member.name for member in image if not member.isdir()}


@pytest.mark.parametrize("text", ["!", "a\n! \n", "[a", "x/[b-"])
def test_patterns_that_buildkit_refuses(text: str) -> None:
    with pytest.raises(InputError) as caught:
        IgnoreFile.parse(text, "f")
    assert str(caught.value.location) == f"f:{2 if text.startswith('a') else 1}"


def test_what_decides_is_named() -> None:
    ignore = IgnoreFile.parse("src\n# c\n!src/keep\n")
    found = ignore.decide("src/keep/x")
    assert found is not None
    assert (found.line, found.negated) == (3, True)
    assert ignore.decide("other") is None


def test_an_excluded_directory_is_looked_into_only_where_something_may_be_taken_back() -> None:
    ignore = IgnoreFile.parse("a\nb\n!b/c/d\nx\n!**/keep\n")
    assert not ignore.excludes("b", is_dir=True)
    assert not ignore.excludes("b/c", is_dir=True)
    narrow = IgnoreFile.parse("a\nb\n!b/c/d\n")
    assert narrow.excludes("a", is_dir=True)
    assert narrow.excludes("b/e", is_dir=True)


def test_the_file_beside_the_dockerfile_wins_and_is_not_merged(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    dockerfile = tmp_path / "build" / "app.Dockerfile"
    assert find_ignore_file(tmp_path, dockerfile) is None
    (tmp_path / ".dockerignore").touch()
    assert find_ignore_file(tmp_path, dockerfile) == tmp_path / ".dockerignore"
    own = tmp_path / "build" / "app.Dockerfile.dockerignore"
    own.touch()
    assert find_ignore_file(tmp_path, dockerfile) == own
