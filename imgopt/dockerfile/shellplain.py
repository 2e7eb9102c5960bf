"""Commands joined by `&&` whose words hold nothing for a shell to do: most of what is in
Dockerfiles, read without a tree. What it reads it reads as the tree does; a test compares the
two."""

from __future__ import annotations

import re
from collections.abc import Callable

from imgopt.dockerfile.shellmodel import Command, Item
from imgopt.dockerfile.shellwords import ShellWord, read_word
from imgopt.dockerfile.spans import Span

_TEXT = re.compile(r"[\w./:=@+,* \t&-]+", re.ASCII)
_TOKEN = re.compile(r"&&|&|[^ \t&]+")
_NAME = re.compile(r"[A-Za-z_./][\w./+-]*", re.ASCII)
_OTHER_GRAMMAR = frozenset(
    [
        "case",
        "coproc",
        "declare",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "export",
        "fi",
        "for",
        "function",
        "if",
        "in",
        "let",
        "local",
        "readonly",
        "select",
        "test",
        "then",
        "time",
        "typeset",
        "unset",
        "unsetenv",
        "until",
        "while",
        "cd",
        "pushd",
        "popd",
        "chdir",
    ]
)
"""First words of what is no simple command, or what changes the directory of those behind it."""


def read_plain(text: str, place: Callable[[int, int], Span]) -> tuple[Item, ...] | None:
    """The commands of the text; None where it takes the shell's grammar to read it. `place(start,
    end)` gives the file span of `text[start:end]`."""
    if _TEXT.fullmatch(text) is None:
        return None
    items: list[Item] = []
    words: list[ShellWord] = []
    for found in _TOKEN.finditer(text):
        token = found.group()
        if token == "&&":
            if not words:
                return None
            items.append(_item(items, words))
            words = []
        elif token == "&" or (not words and not _is_name(token)):
            return None
        else:
            words.append(read_word(token, place(*found.span())))
    if not words:
        return None
    return (*items, _item(items, words))


def _is_name(token: str) -> bool:
    return _NAME.fullmatch(token) is not None and token not in _OTHER_GRAMMAR


def _item(before: list[Item], words: list[ShellWord]) -> Item:
    operator = "&&" if before else ""
    span = Span(words[0].span.start, words[-1].span.end)
    return Item(operator, Command(tuple(words), span, operator=operator))
