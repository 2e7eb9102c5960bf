"""ENV, LABEL and ARG: `key=value …`, the old form `key value`, and names alone.

Rules: moby/buildkit frontend/dockerfile/parser/line_parsers.go (parseNameVal, parseNameOrNameVal).
"""

from __future__ import annotations

from imgopt.dockerfile.flags import Flags
from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.spans import Span
from imgopt.dockerfile.typed import Arg, Env, KeyValue, Label, Located
from imgopt.dockerfile.words import first_blank
from imgopt.dockerfile.written import Written


def read_env(instruction: Written) -> Env:
    return Env(*_pairs(instruction))


def read_label(instruction: Written) -> Label:
    return Label(*_pairs(instruction))


def read_arg(instruction: Written) -> Arg:
    words = instruction.quoted_words()
    if not words:
        raise Refused("ARG requires at least one argument", "write ARG NAME or ARG NAME=default")
    return Arg(
        tuple(
            _pair("ARG", word) if "=" in word else KeyValue(word, None, word.span, None)
            for word in words
        )
    )


def _pairs(instruction: Written) -> tuple[tuple[KeyValue, ...], bool]:
    words = instruction.quoted_words()
    if words and "=" not in words[0]:
        pair = _legacy(instruction)
        Flags(instruction)
        return (pair,), True
    for word in words:
        if "=" not in word:
            what = f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value'
            raise Refused(what, "quote a value that has blanks", word.span.start, phase=0)
    Flags(instruction)
    if not words:
        raise Refused(f"{instruction.keyword} requires at least one argument", "write name=value")
    return tuple(_pair(instruction.keyword, word) for word in words), False


def _legacy(instruction: Written) -> KeyValue:
    value = instruction.value
    blank = first_blank(value)
    if blank is None:
        raise Refused(f"{instruction.keyword} must have two arguments", "write name=value", phase=0)
    start, end = blank
    value_span = instruction.span_of(end, len(value))
    return KeyValue(value[:start], value[end:], instruction.span_of(0, len(value)), value_span)


def _pair(keyword: str, word: Located) -> KeyValue:
    key, _, value = word.partition("=")
    if not key:
        raise Refused(f"{keyword} names can not be blank", "write name=value", word.span.start)
    return KeyValue(key, value, word.span, Span(word.span.end - len(value), word.span.end))
