"""A message of BuildKit about the file that was marked below its bases names the author's lines."""

from __future__ import annotations

import pytest

from imgopt.cache.isolate import isolated, original_lines
from imgopt.dockerfile import parse

FILES = {
    "one stage": "FROM a\nRUN x\nCOPY --bad y /\n",
    "comments in front": "# c\n\nARG V=1\nFROM a:$V AS build\nRUN x\n\n# c\nCOPY --bad y /\n",
    "two bases": "FROM a AS one\nRUN x\nFROM b\nRUN y\nCOPY --bad y /\nRUN z\n",
    "a stage on a stage": "FROM a AS one\nRUN x\nFROM one AS two\nRUN y\nFROM b\nCOPY --bad y /\n",
    "FROM over several lines": "FROM --platform=linux/amd64 \\\n  # c\n  a AS one\nRUN x\nCOPY --bad y /\n",
    "FROM is the last line": "FROM a\nRUN x\nFROM b",
    "CRLF": "FROM a\r\nRUN x\r\nCOPY --bad y /\r\n",
}


@pytest.mark.parametrize("name", FILES)
def test_every_line_of_the_author_is_named_as_his(name: str) -> None:
    dockerfile = parse(FILES[name])
    marked = isolated(dockerfile, dockerfile.stages, lambda _: "nonce").splitlines()
    own = FILES[name].splitlines()
    places = [at for at, line in enumerate(marked, 1) if not line.startswith("WORKDIR ")]
    assert [marked[at - 1] for at in places] == own
    for number, at in enumerate(places, 1):
        said = original_lines(
            f"dockerfile parse error on line {at}: unknown flag: bad", dockerfile.stages
        )
        assert said == f"dockerfile parse error on line {number}: unknown flag: bad"


def test_other_numbers_stay() -> None:
    dockerfile = parse("FROM a\nRUN x\n")
    text = "process did not complete successfully: exit code: 10 (took 12 s)"
    assert original_lines(text, dockerfile.stages) == text


def test_a_mark_is_told_as_the_line_of_its_base() -> None:
    dockerfile = parse("FROM a\nRUN x\n")
    assert original_lines("error on line 2", dockerfile.stages) == "error on line 1"
    assert original_lines("Dockerfile:4: x", dockerfile.stages) == "Dockerfile:2: x"
