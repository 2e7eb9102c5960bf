"""How BuildKit cuts the arguments of an instruction into flags and words.

Rules: moby/buildkit frontend/dockerfile/parser/split_command.go and line_parsers.go. Every function
here takes time linear in its input: the patterns use possessive quantifiers, so nothing is ever
tried twice.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.spans import SPACES

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_ASCII_SPACES = "\t\n\v\f\r "
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_ERROR = "when using JSON array syntax, arrays must be comprised of strings only"


class Word(NamedTuple):
    """A word as BuildKit keeps it (quotes and escapes are still in it) and where it lies in its
    line."""

    text: str
    start: int
    end: int


def _word_pattern(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    quoted = rf"'[^']*+(?:'|\Z)|\"(?:[^\"{e}]++|{e}.|{e}\Z)*+(?:\"|\Z)"
    return re.compile(rf"(?:[^'\"{e}{SPACES}]++|{e}.|{quoted}|{e}\Z)++", re.DOTALL)


_WORD = {escape: _word_pattern(escape) for escape in "\\`"}
_FLAG = re.compile(
    rf"(?:[^'\"\\{_ASCII_SPACES}]++|\\.|'(?:[^'\\]++|\\.)*+(?:'|\\?\Z)|\"(?:[^\"\\]++|\\.)*+(?:\"|\\?\Z)|\\\Z)++",
    re.DOTALL,
)
_FLAG_PIECE = re.compile(r"\\(.)|(['\"])|\\\Z", re.DOTALL)


def split_blanks(line: str, start: int = 0) -> list[Word]:
    """The words between blanks, with no regard to quotes: FROM, COPY, EXPOSE, VOLUME."""
    words = []
    for blank in _BLANKS.finditer(line, start):
        words.append(Word(line[start : blank.start()], start, blank.start()))
        start = blank.end()
    words.append(Word(line[start:], start, len(line)))
    return words


def first_blank(line: str, start: int = 0) -> tuple[int, int] | None:
    """Where the first run of blanks after `start` begins and ends."""
    blank = _BLANKS.search(line, start)
    return blank.span() if blank else None


def split_words(line: str, escape: str) -> list[Word]:
    """The words of ENV, LABEL and ARG: blanks inside quotes or after the escape character do not
    end a word."""
    words = []
    for found in _WORD[escape].finditer(line):
        start, end = found.span()
        text = found.group()
        if end == len(line) and _ends_escaped(text, escape):
            text = text[
                :-1
            ]  # an escape character that ends the line escapes nothing and is dropped
        if text:
            words.append(Word(text, start, end))
    return words


def _ends_escaped(text: str, escape: str) -> bool:
    """Whether the last character is an escape character with nothing to escape (it may stand in a
    single quote)."""
    if not text.endswith(escape):
        return False
    at, last = 0, len(text) - 1
    quote = ""
    while at < last:
        char = text[at]
        if char == escape and quote != "'":
            at += 2
            continue
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        at += 1
    return at == last and quote != "'"


class RawFlag(NamedTuple):
    """`--name=value` with its quotes removed. `value` is None when there is no `=`."""

    name: str
    value: str | None
    start: int
    end: int


def split_flags(line: str, start: int = 0) -> tuple[list[RawFlag], int]:
    """The leading `--flags` of `line[start:]` and where the arguments begin. A lone `--` ends the
    flags."""
    flags: list[RawFlag] = []
    while True:
        start = _skip_spaces(line, start)
        if not line.startswith("--", start):
            return flags, start
        found = _FLAG.match(line, start)
        assert found is not None
        end = found.end()
        word = _unquote_flag(found.group())
        start = end
        if word == "--":
            return flags, end
        flags.append(_flag(word, found.start(), end))


def _skip_spaces(line: str, start: int) -> int:
    while start < len(line) and line[start] in _ASCII_SPACES:
        start += 1
    return start


def _unquote_flag(raw: str) -> str:
    if "'" not in raw and '"' not in raw and "\\" not in raw:
        return raw
    out = []
    quote = ""
    at = 0
    for piece in _FLAG_PIECE.finditer(raw):
        out.append(raw[at : piece.start()])
        at = piece.end()
        escaped, mark = piece.groups()
        if escaped is not None:
            out.append(escaped)
        elif mark and quote and mark != quote:
            out.append(mark)
        elif mark:
            quote = "" if quote else mark
    return "".join([*out, raw[at:]])


def _flag(word: str, start: int, end: int) -> RawFlag:
    if not word.isascii():  # BuildKit reads flags byte by byte, so each byte becomes a character
        word = word.encode("utf-8", "surrogateescape").decode("latin-1")
    name, equals, value = word[2:].partition("=")
    return RawFlag(name, value if equals else None, start, end)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=len, parse_float=len)


def read_json(line: str) -> tuple[str, ...] | None:
    """The strings of a JSON array; None when `line` is not valid JSON (BuildKit then reads it as
    plain words).

    Raises Refused for valid JSON with anything but strings in it.
    """
    line = line.lstrip(SPACES)
    if not line.startswith("["):
        return None
    try:
        items = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in items):
        raise Refused(_JSON_ERROR, "write every element in double quotes", phase=0)
    return tuple(_SURROGATE.sub("\ufffd", item) for item in items)
