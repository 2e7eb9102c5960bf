"""Compares our reading of a file with BuildKit's own parser (the PyPI package `dockerfile`, a
test-only oracle)."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import dockerfile as buildkit

from imgopt.dockerfile import Instruction, parse
from imgopt.dockerfile.dump import arguments, is_json
from imgopt.dockerfile.healthcheck import split_healthcheck

Row = tuple[Any, ...]
_SPACED_HEREDOC = re.compile(r"<<-?(?:[\s`\\]|\Z)")
_DECODER = json.JSONDecoder()


def theirs(text: str) -> list[Row] | str:
    """One row per instruction, or "refused"."""
    try:
        commands = buildkit.parse_string(text)
    except buildkit.GoParseError:
        return "refused"
    except (
        UnicodeDecodeError
    ):  # BuildKit cuts flags between the bytes of a character; the oracle cannot say that
        return "unknown"
    return [
        (
            (command.cmd or "").upper(),
            (command.sub_cmd or "").upper(),
            command.json,
            command.start_line,
            command.end_line,
            command.flags,
            command.value,
            tuple((each.name, each.file_descriptor, each.content) for each in command.heredocs),
        )
        for command in commands
    ]


def ours(text: str) -> list[Row] | str:
    file = parse(text)
    if any(problem.phase == 0 for problem in file.errors):
        return "refused"
    return [_row(item) for item in file.instructions]


def is_comparable(text: str) -> bool:
    """False where the oracle cannot answer, or is older than the BuildKit that we follow: it took
    `["a"] more` for JSON, and `<<  E` for two words."""
    if _SPACED_HEREDOC.search(text) or "\\u0000" in text or theirs(text) == "unknown":
        return False  # the oracle's strings end at a NUL
    return not any(
        _goes_on(item.trigger or item) or _has_odd_flags(item) for item in parse(text).instructions
    )


def _has_odd_flags(item: Instruction) -> bool:
    """BuildKit takes the second byte of a no-break space in a flag for a blank."""
    return any(
        "\xa0" in f"{flag.name}={flag.value}"
        for flag in (*item.flags, *(item.trigger or item).flags)
    )


def _goes_on(item: Instruction) -> bool:
    value = (
        split_healthcheck(item.value).group(2)
        if item.keyword == "HEALTHCHECK" and item.value
        else item.value
    )
    try:
        value = value.lstrip()
        return _DECODER.raw_decode(value)[1] < len(value)
    except ValueError:
        return False


def _row(item: Instruction) -> Row:
    inner = item.trigger or item
    values = arguments(inner)
    if inner.keyword in (
        "ENV",
        "LABEL",
    ):  # this version of the oracle does not give the sign between key and value
        values = [value for at, value in enumerate(values) if at % 3 != 2]
    if item.trigger and inner.keyword == "ONBUILD":
        values = [""] if inner.trigger else []
    flags = tuple(
        f"--{flag.name}" + ("" if flag.value is None else f"={flag.value}") for flag in item.flags
    )
    shown = () if item.trigger else item.heredocs  # the oracle does not show those of ONBUILD
    heredocs = tuple((each.name, each.fd, each.content) for each in shown)
    sub = item.trigger.keyword if item.trigger else ""
    return (
        item.keyword,
        sub,
        is_json(inner),
        item.line,
        item.end_line,
        flags,
        tuple(values),
        heredocs,
    )


_KEYWORDS = [
    *(
        "FROM",
        "RUN",
        "COPY",
        "ADD",
        "ENV",
        "LABEL",
        "ARG",
        "CMD",
        "ENTRYPOINT",
        "EXPOSE",
        "VOLUME",
        "USER",
        "WORKDIR",
    ),
    *(
        "SHELL",
        "HEALTHCHECK",
        "ONBUILD",
        "STOPSIGNAL",
        "MAINTAINER",
        "run",
        "Copy",
        "fRoM",
        "env",
        "onbuild",
        "FOO",
    ),
]
_PIECES = [
    *(
        "a",
        "b=c",
        "x",
        "/d/",
        "$V",
        "${V:-x}",
        "é",
        "--flag",
        "--f=v",
        "--f='a b'",
        '--f="x',
        "--",
        "-",
        "=",
        "==v",
    ),
    *(
        "'",
        '"',
        "'a b'",
        '"a b"',
        '"a\\"b"',
        "\\",
        "\\ ",
        "\\\\",
        "`",
        "`\n",
        "\\\n",
        " \\ \t\n",
        "\\\\\n",
        "\\\\\\\n",
    ),
    *(
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\n\n",
        "\\\n\n",
        "\\\n# c\n",
        "\n# c\n",
        "\n  # c\n",
        "#",
        "# x",
        " #",
    ),
    *(
        "[",
        "]",
        '["a"]',
        '["a", "b"]',
        "['a']",
        '["a",]',
        "[1]",
        "[[]]",
        '["a", ["b"]]',
        "[]",
        "{}",
        '["\\u0041"]',
    ),
    *(
        "<<E",
        "<<-E",
        "<<'E'",
        '<<"E"',
        "3<<E",
        "<<E <<F",
        "<<",
        "<<<E",
        "\nE\n",
        "\n\tE\n",
        "\nF\n",
        "\nE",
        "E",
    ),
    *(
        "CMD",
        "NONE",
        "AS",
        "as",
        "ONBUILD ",
        "RUN ",
        "&&",
        ";",
        "\v",
        "\f",
        "\u00a0",
        "\u2003",
        "\x1f",
    ),
]
_HEADS = (
    "",
    "",
    "",
    "# escape=`\n",
    "# syntax=x\n# escape=`\n",
    "#escape=\\\n",
    "# comment\n# escape=`\n",
    "\ufeff",
    "\n",
)


def random_file(seed: int) -> str:
    """A file of known pieces in random order; the same for the same seed."""
    rng = random.Random(seed)
    out = [rng.choice(_HEADS)]
    for _ in range(rng.randint(1, 5)):
        out.append(rng.choice(_KEYWORDS))
        for _ in range(rng.randint(0, 7)):
            out += [rng.choice((" ", " ", "")), rng.choice(_PIECES)]
        out.append(rng.choice(("\n", "\n", "\n", "\r\n", "")))
    return "".join(out)
