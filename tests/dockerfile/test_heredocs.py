"""Here-documents: what announces one, where it ends, what is in it."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import parse
from imgopt.dockerfile.heredoc import heredocs_in, parse_heredoc
from imgopt.dockerfile.problems import Refused

Expected = list[tuple[str, int, bool, bool, str]]

BODIES: dict[str, tuple[str, Expected]] = {
    "empty": ("RUN <<A\nA\n", [("A", 0, True, False, "")]),
    "descriptor": ("RUN 3<<A\nA\n", [("A", 3, True, False, "")]),
    "quoted-word-is-none": ('RUN "<<A"\n', []),
    "single-quoted-word-is-none": ("RUN '<<A'\n", []),
    "tabs-stay-in-the-content": ("RUN <<A\n\tb\n\tc\nA\n", [("A", 0, True, False, "\tb\n\tc\n")]),
    "dash-lets-tabs-stand-before-the-end": (
        "RUN <<-A\n\tb\n\tA\n",
        [("A", 0, True, True, "\tb\n")],
    ),
    "dash-without-tabs-at-the-end": ("RUN <<-A\n\tb\nA\n", [("A", 0, True, True, "\tb\n")]),
    "without-dash-an-indented-end-is-content": (
        "RUN <<A\n\tA\nA\n",
        [("A", 0, True, False, "\tA\n")],
    ),
    "variables-expand": ("RUN <<-A\n\t$B\nA\n", [("A", 0, True, True, "\t$B\n")]),
    "quoted-name-does-not-expand": ("RUN <<-'A'\n\t$B\nA\n", [("A", 0, False, True, "\t$B\n")]),
    "name-of-an-instruction": (
        "RUN <<COPY\necho a\nCOPY\n",
        [("COPY", 0, True, False, "echo a\n")],
    ),
    "comments-are-content": ("RUN <<A\n# b\nc # d\nA\n", [("A", 0, True, False, "# b\nc # d\n")]),
    "behind-flags": (
        "RUN --mount=type=cache,target=/x <<A\nb\nA\n",
        [("A", 0, True, False, "b\n")],
    ),
    "two": (
        "COPY <<A <<B /c\n1\nA\n2\nB\n",
        [("A", 0, True, False, "1\n"), ("B", 0, True, False, "2\n")],
    ),
    "quotes-in-the-content": (
        "COPY <<A /c\n\"b\"\n'c'\nA\n",
        [("A", 0, True, False, "\"b\"\n'c'\n")],
    ),
    "names-inside-each-other": (
        "COPY <<A <<B /c\nB\nA\nA\nB\n",
        [("A", 0, True, False, "B\n"), ("B", 0, True, False, "A\n")],
    ),
    "with-a-command": ("RUN <<A python3\nb\nA\n", [("A", 0, True, False, "b\n")]),
    "name-with-a-dot": ("COPY <<a.txt /c\nb\na.txt\n", [("a.txt", 0, True, False, "b\n")]),
    "name-partly-quoted": ("RUN <<ab'c'\nd\nabc\n", [("abc", 0, False, False, "d\n")]),
    "name-with-an-escaped-quote": ("RUN <<ab\\'c\nd\nab'c\n", [("ab'c", 0, True, False, "d\n")]),
    "name-quoted-and-escaped": ("RUN <<'a'b\\'c\nd\nab'c\n", [("ab'c", 0, False, False, "d\n")]),
    "name-of-two-words": ("RUN <<'a b'\nc\na b\n", [("a b", 0, False, False, "c\n")]),
    "name-like-a-variable": ("RUN <<$A\n$A\n", [("$A", 0, True, False, "")]),
    "blanks-before-the-name": ("RUN <<  A\nA\n", [("A", 0, True, False, "")]),
    "blanks-before-the-name-and-more": ("RUN <<  A  > b\nA\n", [("A", 0, True, False, "")]),
    "blank-line-in-it": ("RUN <<A\n\nb\n\nA\n", [("A", 0, True, False, "\nb\n\n")]),
    "in-onbuild": ("ONBUILD RUN <<A\nb\nA\n", [("A", 0, True, False, "b\n")]),
    "crlf-ends-and-stays": ("RUN <<A\r\nb\r\nA\r\n", [("A", 0, True, False, "b\r\n")]),
    "none-in-json": ('RUN ["<<A"]\n', []),
    "none-in-user": ("USER <<A\n", []),
    "here-string-is-none": ("RUN cat <<<A\n", []),
    "announced-after-a-continuation": ("RUN cat \\\n  <<A\nb\nA\n", [("A", 0, True, False, "b\n")]),
}


@pytest.mark.parametrize("name", BODIES)
def test_body(name: str) -> None:
    text, expected = BODIES[name]
    file = parse("FROM x\n" + text + "WORKDIR /after\n")
    found = file.instructions[1].heredocs
    assert [
        (each.name, each.fd, each.expand, each.chomp, each.content) for each in found
    ] == expected
    assert [item.keyword for item in file.instructions[2:]] == ["WORKDIR"]
    for each in found:
        assert each.span is not None
        assert file.text[slice(*each.span)] == each.content


def test_dash_drops_tabs_from_what_the_command_gets() -> None:
    body = parse("FROM x\nRUN <<-A\n\t\tb\n\tc\n d\n\tA\n").instructions[1].heredocs[0]
    assert body.text == "b\nc\n d\n"


@pytest.mark.parametrize(
    "word", ["<<A", "<<'A'", '<<"A"', "<<-A", "<<-'A'", '<<-"A"', '<<"A"', "<< A", "<<- A", "9<<A"]
)
def test_word_that_announces(word: str) -> None:
    found = parse_heredoc(word)
    assert found is not None
    assert found.name == "A"


@pytest.mark.parametrize("word", ["", "A", "<<", "<<-", "<A", "<<<A", "<<A b", "a<<A", "x"])
def test_word_that_announces_nothing(word: str) -> None:
    assert parse_heredoc(word) is None


@pytest.mark.parametrize("word", ["<<'A", '<<"A', "<<A'", '<<A"'])
def test_word_with_an_open_quote_is_refused(word: str) -> None:
    with pytest.raises(Refused, match="quote"):
        parse_heredoc(word)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("RUN <<A <<B", ["A", "B"]),
        ("RUN << -A", ["-A"]),
        ("RUN <<- A", []),
        ("RUN a<<A", []),
        ("RUN '<<A", []),
    ],
)
def test_names_on_a_line(line: str, names: list[str]) -> None:
    assert [each.name for each in heredocs_in(line)] == names


def test_not_ended_is_a_problem_of_the_line_that_announces_it() -> None:
    file = parse("FROM x\nRUN a\nRUN <<A\nb\n", "f")
    assert str(file.errors[0].error()) == "f:3:1: unterminated heredoc"
    assert "A" in (file.errors[0].hint or "")
