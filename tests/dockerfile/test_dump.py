"""BuildKit's own picture of a file, and which lines an instruction covers."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import parse
from imgopt.dockerfile.dump import dump, go_quote
from imgopt.errors import InputError

PICTURES = {
    "words": ("FROM a AS b\nEXPOSE 1  2\n", '(from "a" "AS" "b")\n(expose "1" "2")'),
    "flags-and-json": ('FROM a\nCMD --d -- [ "a", "b" ]\n', '(from "a")\n(cmd ["--d"] "a" "b")'),
    "pairs-show-their-sign": (
        "FROM a\nENV k v w\nENV a=b c=\n",
        '(from "a")\n(env "k" "v w" "")\n(env "a" "b" "=" "c" "" "=")',
    ),
    "onbuild-nests": ("FROM a\nONBUILD RUN x y\n", '(from "a")\n(onbuild (run "x y"))'),
    "health": (
        "FROM a\nHEALTHCHECK --retries=2 CMD a b\nHEALTHCHECK NONE\n",
        '(from "a")\n(healthcheck ["--retries=2"] "CMD" "a b")\n(healthcheck "NONE")',
    ),
    "continuations-joined": ("FROM a\nRUN x \\\n  # c\n\n   y\n", '(from "a")\n(run "x    y")'),
    "unknown-instructions": ("FROM a\nFOO b\n", '(from "a")\n(foo "")'),
    "escapes": (
        'FROM a\nCMD ["\\u0001\\t\\u00e9\\u2028"]\n',
        '(from "a")\n(cmd "\\x01\\té\\u2028")',
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name: str) -> None:
    text, picture = PICTURES[name]
    assert dump(parse(text)) == picture


def test_picture_of_a_refused_file_is_an_error_with_its_place() -> None:
    with pytest.raises(InputError, match=r"f:2:1: ENV must have two arguments"):
        dump(parse("FROM a\nENV PATH\n", "f"))


def test_quoting_is_gos() -> None:
    assert go_quote('a"\\\x7f\n\U000e0001\udc80') == '"a\\"\\\\\\x7f\\n\\U000e0001\\x80"'


def test_lines_cover_continuations_comments_and_heredocs() -> None:
    file = parse("# c\n\nFROM a \\\n\n# d\n AS b\nRUN <<E\nx\nE\nRUN y\n")
    assert [(item.line, item.end_line) for item in file.instructions] == [(3, 6), (7, 9), (10, 10)]
    assert file.instructions[0].has_empty_continuation
    assert file.at_line(8) is file.instructions[1]
    assert file.at_line(2) is None
