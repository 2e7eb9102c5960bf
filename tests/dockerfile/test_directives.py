"""Parser directives: where they count and where they are comments."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import parse

ESCAPES = {
    "none": ("FROM a\n", "\\"),
    "backquote": ("# escape=`\nFROM a\n", "`"),
    "backslash": ("# escape=\\\nFROM a\n", "\\"),
    "blanks-everywhere": ("  #  escape  =  `  \nFROM a\n", "`"),
    "capitals": ("#ESCAPE=`\nFROM a\n", "`"),
    "below-syntax": ("# syntax=x\n# escape=`\nFROM a\n", "`"),
    "below-check": ("# check=skip=all\n# escape=`\nFROM a\n", "`"),
    "below-a-comment": ("# hello\n# escape=`\nFROM a\n", "\\"),
    "below-an-unknown-name": ("# other=1\n# escape=`\nFROM a\n", "\\"),
    "below-an-empty-line": ("\n# escape=`\nFROM a\n", "\\"),
    "below-an-instruction": ("FROM a\n# escape=`\n", "\\"),
    "below-a-shebang": ("#!/usr/bin/x\n# escape=`\nFROM a\n", "\\"),
    "crlf": ("# escape=`\r\nFROM a\r\n", "`"),
    "byte-order-mark": ("\ufeff# escape=`\nFROM a\n", "`"),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_escape_in_force(name: str) -> None:
    text, escape = ESCAPES[name]
    assert parse(text).escape == escape


def test_values_and_places() -> None:
    file = parse("# syntax = docker/dockerfile:1 \n#check=skip=a;error=true\nFROM a\n")
    assert [(each.name, each.value, each.line) for each in file.directives] == [
        ("syntax", "docker/dockerfile:1", 1),
        ("check", "skip=a;error=true", 2),
    ]
    assert [file.text[slice(*each.value_span)] for each in file.directives] == [
        each.value for each in file.directives
    ]


def test_syntax_is_found_below_a_shebang() -> None:
    assert [each.value for each in parse("#!/bin/x\n# syntax=y\nFROM a\n").directives] == ["y"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# escape=`\n# escape=`\nFROM a\n", "f:2:1: only one escape parser directive can be used"),
        ("# syntax=a\n# SYNTAX=b\nFROM a\n", "f:2:1: only one syntax parser directive can be used"),
        ("# escape=ab\nFROM a\n", "f:1:1: invalid escape token 'ab' does not match ` or \\"),
    ],
)
def test_refused(text: str, message: str) -> None:
    assert str(parse(text, "f").errors[0].error()) == message
