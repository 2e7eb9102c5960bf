"""Lines that are written look as the author's own: flags, `&&`, indents, line ends, and no line too
long."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import Dockerfile, Edit, Instruction, apply_edits, parse
from imgopt.rewrite.lines.breaking import WIDTH
from imgopt.rewrite.lines.layout import add_commands, add_flags, join, new_step

PIP = "--mount=type=cache,target=/root/.cache/pip"
GO = ["--mount=type=cache,target=/root/.cache/go-build", "--mount=type=cache,target=/go/pkg/mod"]


def _last(text: str) -> tuple[Dockerfile, Instruction]:
    file = parse(text)
    return file, [item for item in file.instructions if item.keyword == "RUN"][-1]


def flagged(text: str, *flags: str) -> str:
    file, run = _last(text)
    return apply_edits(text, add_flags(file, run, flags))


def extended(text: str, *commands: str) -> str:
    file, run = _last(text)
    return apply_edits(text, add_commands(file, run, commands))


def joined(text: str, *more: str) -> str:
    file = parse(text)
    runs = [item for item in file.instructions if item.keyword == "RUN"]
    return apply_edits(text, join(file, runs, more))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "FROM p\nRUN pip install x\n",
            f"FROM p\nRUN {PIP} pip install x\n",
            id="one stays on the line",
        ),
        pytest.param(
            "FROM p\nRUN --network=host pip install x\n",
            f"FROM p\nRUN --network=host {PIP} pip install x\n",
            id="behind the author's flag",
        ),
        pytest.param(
            "FROM p\nRUN --mount=type=bind,target=. \\\n    --mount=type=tmpfs,target=/tmp \\\n    pip install x\n",
            "FROM p\nRUN --mount=type=bind,target=. \\\n    --mount=type=tmpfs,target=/tmp \\\n"
            f"    {PIP} \\\n    pip install x\n",
            id="one flag a line",
        ),
        pytest.param(
            "FROM p\nRUN --mount=type=bind,target=. \\\n\tpip install x\n",
            f"FROM p\nRUN --mount=type=bind,target=. \\\n\t{PIP} \\\n\tpip install x\n",
            id="a tab",
        ),
        pytest.param(
            "FROM p\nRUN --mount=type=bind,target=. \\\n    --mount=type=tmpfs,target=/tmp pip install x\n",
            "FROM p\nRUN --mount=type=bind,target=. \\\n    --mount=type=tmpfs,target=/tmp \\\n"
            f"    {PIP} pip install x\n",
            id="the command beside the last flag",
        ),
        pytest.param(
            "FROM p\nRUN     pip install x\n",
            f"FROM p\nRUN     {PIP} pip install x\n",
            id="aligned",
        ),
        pytest.param(
            f"FROM p\nRUN pip install {'x' * 90} \\\n        y\n",
            f"FROM p\nRUN {PIP} \\\n    pip install {'x' * 90} \\\n        y\n",
            id="not as deep as what is continued",
        ),
        pytest.param(
            "FROM p\nRUN \\\n  pip install x\n",
            f"FROM p\nRUN \\\n  {PIP} \\\n  pip install x\n",
            id="bare",
        ),
        pytest.param(
            "FROM p\nRUN \\\n  # the web framework\n  pip install x\n",
            f"FROM p\nRUN \\\n  {PIP} \\\n  # the web framework\n  pip install x\n",
            id="a comment stays with its command",
        ),
        pytest.param(
            "FROM p\nRUN --mount=type=bind,target=. \\\n\n  # why\n  pip install x\n",
            f"FROM p\nRUN --mount=type=bind,target=. \\\n  {PIP} \\\n\n  # why\n  pip install x\n",
            id="a blank line and a comment",
        ),
        pytest.param(
            "FROM p\r\nRUN --mount=type=bind,target=. \\\r\n  pip install x\r\n",
            f"FROM p\r\nRUN --mount=type=bind,target=. \\\r\n  {PIP} \\\r\n  pip install x\r\n",
            id="CRLF",
        ),
        pytest.param(
            "# escape=`\nFROM p\nRUN --mount=type=bind,target=. `\n  pip install x\n",
            f"# escape=`\nFROM p\nRUN --mount=type=bind,target=. `\n  {PIP} `\n  pip install x\n",
            id="escape character",
        ),
        pytest.param(
            "FROM p\nRUN <<EOF\npip install x\nEOF\n",
            f"FROM p\nRUN {PIP} <<EOF\npip install x\nEOF\n",
            id="heredoc",
        ),
        pytest.param(
            "FROM p\nRUN --mount=type=bind,target=. \\\n    make\nRUN pip install x\n",
            f"FROM p\nRUN --mount=type=bind,target=. \\\n    make\nRUN {PIP} \\\n    pip install x\n",
            id="as the file's other steps",
        ),
        pytest.param(
            f"FROM p\nRUN pip install {'x' * 90}\n",
            f"FROM p\nRUN {PIP} \\\n    pip install {'x' * 90}\n",
            id="too long for one line",
        ),
        pytest.param(
            f"FROM p\nRUN --network=host pip install {'x' * 90}\n",
            f"FROM p\nRUN --network=host \\\n    {PIP} \\\n    pip install {'x' * 90}\n",
            id="too long behind a flag",
        ),
        pytest.param(
            "FROM p\nRUN --mount=type=cache,target=/a --mount=type=cache,target=/b \\\n  pip install x\n",
            f"FROM p\nRUN --mount=type=cache,target=/a --mount=type=cache,target=/b {PIP} \\\n  pip install x\n",
            id="several flags on one line, as the author has them",
        ),
        pytest.param(
            "FROM p\nrun pip install x",
            f"FROM p\nrun {PIP} pip install x",
            id="lower case, no line end",
        ),
    ],
)
def test_one_flag(before: str, after: str) -> None:
    assert flagged(before, PIP) == after


def test_two_flags_get_a_line_each() -> None:
    assert (
        flagged("FROM g\nRUN go build .\n", *GO)
        == f"FROM g\nRUN {GO[0]} \\\n    {GO[1]} \\\n    go build .\n"
    )
    heredoc = flagged("FROM g\nRUN <<EOF\ngo build .\nEOF\n", *GO)
    assert heredoc == f"FROM g\nRUN {GO[0]} \\\n    {GO[1]} <<EOF\ngo build .\nEOF\n"


def test_two_flags_share_a_line_where_the_author_writes_so() -> None:
    text = "FROM g\nRUN --mount=type=cache,target=/a --mount=type=cache,target=/b make\nRUN go build .\n"
    assert f"RUN {GO[0]} {GO[1]} go build .\n" in flagged(text, *GO)


def test_no_flags_no_edits() -> None:
    assert flagged("FROM g\nRUN go build .\n") == "FROM g\nRUN go build .\n"


@pytest.mark.parametrize(
    ("step", "after"),
    [
        pytest.param("RUN a", "RUN a && clean", id="one line"),
        pytest.param("RUN a && \\\n    b", "RUN a && \\\n    b && \\\n    clean", id="at the end"),
        pytest.param("RUN a \\\n && b", "RUN a \\\n && b \\\n && clean", id="at the begin"),
        pytest.param("RUN a \\\n    -x", "RUN a \\\n    -x \\\n    && clean", id="not shown"),
        pytest.param(
            "RUN set -eux; \\\n\ta; \\\n\tb",
            "RUN set -eux; \\\n\ta; \\\n\tb; \\\n\tclean",
            id="semicolons",
        ),
        pytest.param("RUN set -e; a", "RUN set -e; a; clean", id="semicolons on one line"),
        pytest.param("RUN a; b", "RUN a; b && clean", id="a semicolon hides a failure"),
        pytest.param(
            "RUN set -e; a; set +e; b",
            "RUN set -e; a; set +e; b && clean",
            id="failures allowed again",
        ),
        pytest.param(
            "RUN set -x; a; b", "RUN set -x; a; b && clean", id="failures never stopped it"
        ),
        pytest.param(
            "RUN a && \\\n    # why\n    b",
            "RUN a && \\\n    # why\n    b && \\\n    clean",
            id="a comment within",
        ),
        pytest.param(
            f"RUN {'a' * 60} && {'b' * 44}",
            f"RUN {'a' * 60} && {'b' * 44} \\\n    && clean",
            id="a line of its own",
        ),
        pytest.param(
            f"RUN {'a' * 60} && {'b' * 51}",
            f"RUN {'a' * 60} \\\n    && {'b' * 51} \\\n    && clean",
            id="also for those that would be too long then",
        ),
    ],
)
def test_a_command_more(step: str, after: str) -> None:
    assert extended(f"FROM x\n{step}\n", "clean") == f"FROM x\n{after}\n"


def test_the_file_says_where_the_operator_stands() -> None:
    text = "FROM x\nRUN a && \\\n  b\nRUN apt-get install \\\n  curl\n"
    assert extended(text, "clean").endswith("RUN apt-get install \\\n  curl && \\\n  clean\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("RUN a\nRUN b\n", "RUN a \\\n    && b \\\n    && clean\n", id="two lines"),
        pytest.param(
            "RUN a\n\nRUN b\n", "RUN a \\\n    && b \\\n    && clean\n", id="a blank line between"
        ),
        pytest.param(
            "RUN a\nRUN b && \\\n  c\n",
            "RUN a && \\\n  b && \\\n  c && \\\n  clean\n",
            id="at the end",
        ),
        pytest.param(
            "RUN a\r\nRUN b\r\n", "RUN a \\\r\n    && b \\\r\n    && clean\r\n", id="CRLF"
        ),
        pytest.param(
            "RUN a\nRUN set -e; b; c\n",
            "RUN a \\\n    && set -e; b; c \\\n    && clean\n",
            id="only the first decides",
        ),
    ],
)
def test_steps_made_one(before: str, after: str) -> None:
    eol = "\r\n" if "\r" in before else "\n"
    assert joined(f"FROM x{eol}{before}", "clean") == f"FROM x{eol}{after}"


def test_a_new_step_keeps_to_one_line_where_it_fits() -> None:
    file = parse("FROM x\nRUN a && \\\n  b\n")
    assert new_step(file, "RUN c && d") == "RUN c && d"


def test_a_long_new_step_has_a_line_for_each_command_and_none_in_quotes() -> None:
    file = parse("FROM x\nRUN a && \\\n  b\n")
    long = "x" * 50
    assert new_step(file, f"RUN mkdir {long} && echo 'a && b' > {long} && cargo build") == (
        f"RUN mkdir {long} && \\\n  echo 'a && b' > {long} && \\\n  cargo build"
    )


def test_a_word_more_breaks_the_line_at_a_word() -> None:
    words = " ".join(["package"] * 13)
    file, run = _last(f"FROM x\nRUN pip install {words}\n")
    at = file.text.index(" package")
    text = apply_edits(file.text, add_commands(file, run, [], [Edit(at, at, " --no-cache-dir")]))
    assert text.splitlines()[1].endswith(" \\")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert parse(text).instructions[-1].value.split() == [
        "pip",
        "install",
        "--no-cache-dir",
        *words.split(),
    ]


def test_a_redirection_between_words_is_not_torn() -> None:
    words = " ".join(["package"] * 12)
    file, run = _last(f"FROM x\nRUN pip {words} 2> /dev/null install\n")
    text = apply_edits(file.text, add_flags(file, run, [PIP]))
    assert "2> /dev/null install" in text


def test_a_long_line_of_the_author_that_is_not_touched_stays() -> None:
    step = f"RUN a \\\n    -x {'y ' * 70} \\\n    -z"
    assert extended(f"FROM x\n{step}\n", "clean") == f"FROM x\n{step} \\\n    && clean\n"


def test_a_long_line_of_the_author_stays_whole_below_new_flags() -> None:
    line = f"if [ -f a ]; then {'install ' * 8}; else {'another one ' * 4} && {'package ' * 4}; fi"
    assert len(line) > WIDTH
    text = f"FROM a\nRUN {line}\n"
    dockerfile = parse(text)
    flags = ["--mount=type=cache,target=/a", "--mount=type=cache,target=/b"]
    changed = apply_edits(text, add_flags(dockerfile, dockerfile.instructions[1], flags))
    assert changed.splitlines()[1:] == [f"RUN {flags[0]} \\", f"    {flags[1]} \\", f"    {line}"]


def test_a_program_in_quotes_is_broken_behind_a_semicolon_and_says_the_same() -> None:
    step = f"RUN python -c \"import a; p = '{'x' * 70}'; print('{'y' * 60}')\" > /tmp/z && pip install -r /tmp/z"
    text = new_step(parse("FROM x\n"), step)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert parse(f"FROM x\n{text}\n").instructions[-1].value.split() == step.split()[1:]
