"""No input takes more than linear time: work is counted, and time is compared with itself, never
with a clock."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from types import FrameType

import pytest

from imgopt.dockerfile import DockerfileParser, parse, read_shell
from imgopt.dockerfile.expand import expand_words

MEGABYTE = 1_000_000


def filled(head: str, unit: str, tail: str = "\n") -> Callable[[int], str]:
    """A text of about `size` characters made of `unit`s."""
    return lambda size: head + unit * (size // len(unit)) + tail


SHAPES = {
    "continuation-lines": filled("FROM a\nRUN x", " \\\n    && echo hello world"),
    "comments-in-a-continuation": filled(
        "FROM a\nRUN x \\\n", "# a comment that goes on and on\n", "y\n"
    ),
    "heredoc-body": filled("FROM a\nRUN <<E\n", "echo hello world, hello\n", "E\n"),
    "many-heredocs": filled(
        "FROM a\n", "COPY <<EEEEEEEEEEEE /d\nsome text that is copied\nEEEEEEEEEEEE\n"
    ),
    "heredocs-that-do-not-end": filled("FROM a\n", "RUN <<E a b c d e f g h\n"),
    "nested-quotes": filled("FROM a\nENV A=\\\n", '"it\'s" \'a "b"\'"\'"\\\n'),
    "nested-quotes-in-a-heredoc-line": filled("FROM a\nRUN <<E \\\n", '"it\'s" \'a "b"\'"\'"\\\n'),
    "nested-substitutions": filled("FROM a\nENV A=\\\n", "${AAAAAAAAAAAAAAAA:-\\\n"),
    "json-strings": filled('FROM a\nCMD ["x"', ',\\\n "yyyyyyyyyyyyyyyy"', "]\n"),
    "open-json-arrays": filled("FROM a\nCMD ", "[[[[[[[[[[[[[[\\\n"),
    "flags": filled("FROM a\nRUN ", "--mount=type=cache,target=/x/y/z \\\n", "ls\n"),
    "backslashes": filled("FROM a\nENV a=", "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\n"),
    "variables": filled("FROM a\n", "ENV A=$B C=d\n"),
    "stages": filled("FROM a AS x\n", "FROM x\nCOPY --from=x aaaaaaaaaaaaa bbbbbbbbbbbbb\n"),
}


def use(text: str) -> None:
    file = parse(text)
    _ = file.errors
    read_shell(file.instructions[-1])


def calls(work: Callable[[str], None], text: str) -> int:
    """Function calls, of Python and of C, that the work makes."""
    count = 0

    def counted(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_input_takes_twice_the_calls(shape: str) -> None:
    make = SHAPES[shape]
    use(make(1000))  # imports and caches
    small, large = (calls(use, make(size)) for size in (50_000, 100_000))
    assert large <= 2.2 * small + 200


@pytest.mark.parametrize(
    "shape",
    ["continuation-lines", "heredoc-body", "nested-quotes", "nested-quotes-in-a-heredoc-line"],
)
def test_four_megabytes_take_about_four_times_one(shape: str) -> None:
    """A quadratic step hidden in one call (joining, matching) would take sixteen times."""
    make = SHAPES[shape]

    def seconds(size: int) -> float:
        text = make(size)
        start = time.process_time()
        use(text)
        return time.process_time() - start

    def ratio() -> float:
        return seconds(4 * MEGABYTE) / seconds(MEGABYTE)

    assert any(ratio() < 8 for _ in range(3))  # again where the machine was busy


def test_the_known_api_is_linear_in_the_instructions() -> None:
    def ask(text: str) -> None:
        found = DockerfileParser(fileobj=io.BytesIO(text.encode()))
        _ = found.structure, found.envs, found.labels, found.args, found.parent_images, found.cmd

    lines = "ENV A=$B C=d\nLABEL l=$A\nARG X=1\nRUN x\n"
    ask(f"FROM a\n{lines}")
    small, large = (calls(ask, "FROM a\n" + lines * size) for size in (200, 400))
    assert large <= 2.2 * small + 200


def test_splitting_words_is_linear_in_blanks_and_empty_quotes() -> None:
    def split(text: str) -> None:
        expand_words(text, {})

    small, large = (calls(split, "'' " * size) for size in (10_000, 20_000))
    assert large <= 2.2 * small + 200
