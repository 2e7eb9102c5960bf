"""YAML as a person keeps it: values in order, each with a comment that says where it is from.

What images say is untrusted: every text is quoted unless it can be read as nothing but itself by
YAML 1.1 and 1.2, and a comment is one line of printable characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Tree: TypeAlias = Any
"""dict, list, str, int, float, bool, None, or `Noted` around one of them."""

_PLAIN = re.compile(r"(?:\.\.?/)*[A-Za-z_/][\w./@-]*(?::[\w./@-]+)*", re.ASCII)
_FIGURE = re.compile(r"\d+(?:Ki|Mi|Gi|m|s|%)")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_STEP = 2
_WIDTH = 110
_LONGEST_NOTE = 160


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with a comment. `holds` says of a value that an author wrote in its place whether it
    may stay; without it, it may."""

    value: Tree
    note: str
    holds: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """Stands in the text as it is: a token that is replaced when the document is written."""

    text: str


def bare(tree: Tree) -> Any:
    """The values alone."""
    tree = value_of(tree)
    if isinstance(tree, Mapping):
        return {key: bare(value) for key, value in tree.items()}
    return [bare(item) for item in tree] if isinstance(tree, (list, tuple)) else tree


def value_of(tree: Tree) -> Any:
    while isinstance(tree, Noted):
        tree = tree.value
    return tree


def note_of(tree: Tree) -> str:
    return comment_text(tree.note) if isinstance(tree, Noted) else ""


def rendered(tree: Tree, head: str = "") -> str:
    """One document; `head` are comment lines above it."""
    above = "".join(f"# {comment_text(line)}\n" for line in head.splitlines())
    return above + "".join(f"{line}\n" for line in lines_of(tree))


def lines_of(tree: Tree, indent: int = 0) -> Iterator[str]:
    """Lines of a mapping or a list, each behind so many spaces."""
    value = value_of(tree)
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _entry(f"{' ' * indent}{scalar(str(key))}:", one, indent)
    else:
        for one in value:
            yield from _item(one, indent)


def _entry(start: str, tree: Tree, indent: int) -> Iterator[str]:
    value, note = value_of(tree), note_of(tree)
    if isinstance(value, (Mapping, list, tuple)) and value and not _is_short(value):
        if note:
            yield f"{' ' * indent}# {note}"
        yield start
        yield from lines_of(value, indent + _STEP)
    else:
        yield from _on_a_line(f"{start} {flow(value)}", note, indent)


def _on_a_line(line: str, note: str, indent: int) -> Iterator[str]:
    """With its comment behind it, or above it where that would be too long."""
    if note and len(line) + len(note) + 3 > _WIDTH:
        yield f"{' ' * indent}# {note}"
        yield line
    else:
        yield f"{line} # {note}" if note else line


def _item(tree: Tree, indent: int) -> Iterator[str]:
    value, note = value_of(tree), note_of(tree)
    space = " " * indent
    if isinstance(value, (Mapping, list, tuple)) and value and not _is_words(value):
        if note:
            yield f"{space}# {note}"
        inner = list(lines_of(value, indent + _STEP))
        first = next(n for n, line in enumerate(inner) if not line.lstrip().startswith("#"))
        yield from (f"{space}{line.lstrip()}" for line in inner[:first])
        yield f"{space}- {inner[first][indent + _STEP :]}"
        yield from inner[first + 1 :]
    else:
        yield from _on_a_line(f"{space}- {flow(value)}", note, indent)


def _is_words(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(
        not isinstance(item, (Mapping, list, tuple, Noted)) for item in value
    )


def _is_short(value: Any) -> bool:
    """Words of a command and the like stand on one line."""
    return _is_words(value) and len(flow(value)) <= 72


def flow(value: Any) -> str:
    """A value on one line."""
    value = value_of(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(k))}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """One value; a text in quotes unless it is a text to every reader without them."""
    if isinstance(value, Raw):
        return value.text
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) else str(value)
    text = str(value)
    plain = (_PLAIN.fullmatch(text) and text.lower() not in _WORDS) or _FIGURE.fullmatch(text)
    return text if plain else quoted(text)


def quoted(text: str) -> str:
    """In double quotes, with everything that is not printable escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if char.isprintable():
        return char
    if 0xD800 <= code <= 0xDFFF:  # a byte that is no UTF-8: no YAML can hold it
        return "\\uFFFD"
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def comment_text(text: str) -> str:
    """One line of what can be printed."""
    line = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(line.split())
    return short if len(short) <= _LONGEST_NOTE else f"{short[: _LONGEST_NOTE - 1]}…"
