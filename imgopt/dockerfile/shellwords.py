"""Shell words: what a word of a command is worth before the shell runs.

Rules: POSIX XCU 2.2 (quoting) and 2.6 (expansions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from imgopt.dockerfile.spans import Span

_PLAIN = re.compile(r"[\w./:=@%+,^-]+")
_PIECE = re.compile(
    r"""(?P<plain>[^'"\\$`*?\[{~]+)
    |'(?P<single>[^']*)'
    |(?P<open>")
    |\\(?P<escaped>.)
    |\$(?P<name>[A-Za-z_]\w*)
    |\$\{(?P<braced>[A-Za-z_]\w*)\}
    |(?P<opaque>[$`])
    |(?P<glob>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_QUOTED = re.compile(
    r"""(?P<close>")
    |(?P<plain>[^"\\$`]+)
    |\\(?P<escaped>["\\$`\n])
    |\$(?P<name>[A-Za-z_]\w*)
    |\$\{(?P<braced>[A-Za-z_]\w*)\}
    |(?P<opaque>\$[({]|\$(?=[\w@*#?$!-])|`)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Variable(NamedTuple):
    """`$name` or `${name}` in a word; `quoted` tells that it stays one word whatever its value."""

    name: str
    quoted: bool


class ShellWord(NamedTuple):
    """One word of a command. `text` is as written.

    `value` is what the command gets, None when the shell computes part of it (a variable, a
    substitution, `$'…'`). `special` tells that the shell may replace the unquoted `*`, `?`, `[`,
    `{` or `~` that `value` still holds.
    """

    text: str
    span: Span
    value: str | None
    special: bool = False
    parts: tuple[str | Variable, ...] | None = ()

    def resolve(self, values: Mapping[str, str]) -> str | None:
        """The value with plain variables replaced; None when one is unknown, may split, or more is
        computed."""
        if self.value is not None:
            return self.value
        if self.parts is None:
            return None
        out = []
        for part in self.parts:
            text = part if isinstance(part, str) else values.get(part.name)
            if text is None or (
                isinstance(part, Variable) and not part.quoted and re.search(r"[\s*?\[]", text)
            ):
                return None
            out.append(text)
        return "".join(out)

    def __str__(self) -> str:
        return self.value if self.value is not None else self.text


def read_word(text: str, span: Span) -> ShellWord:
    """`text` is one word as the shell's grammar cut it."""
    if _PLAIN.fullmatch(text):
        return ShellWord(text, span, text, False, (text,))
    parts, special = _parts(text)
    if parts is None:
        return ShellWord(text, span, None, special, None)
    if any(isinstance(part, Variable) for part in parts):
        return ShellWord(text, span, None, special, parts)
    value = "".join(str(part) for part in parts)
    return ShellWord(text, span, value, special, (value,))


def _parts(text: str) -> tuple[tuple[str | Variable, ...] | None, bool]:
    """Literal text and variables in order (None when there is anything else), and whether the word
    is special."""
    parts: list[str | Variable] = []
    special = False
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        assert found is not None
        at = found.end()
        kind = found.lastgroup
        if kind == "opaque" and not _is_lone_dollar(text, found.start()):
            return None, special
        if kind == "open":
            inner, at = _quoted(text, at)
            if inner is None:
                return None, special
            parts += inner
        elif kind in ("name", "braced"):
            parts.append(Variable(found.group(kind), quoted=False))
        elif kind is not None and found.group() != "\\\n":
            special = special or (kind == "glob" and (found.group() != "~" or found.start() == 0))
            parts.append(found.group(kind))
    return tuple(parts), special


def _is_lone_dollar(text: str, at: int) -> bool:
    return text[at] == "$" and (at + 1 == len(text) or text[at + 1] in " ./:=,%+")


def _quoted(text: str, at: int) -> tuple[list[str | Variable] | None, int]:
    """The parts of a double-quoted string whose inside begins at `at`, and where it ends."""
    parts: list[str | Variable] = []
    while at < len(text):
        found = _QUOTED.match(text, at)
        assert found is not None
        at = found.end()
        kind = found.lastgroup
        if kind == "close":
            return parts, at
        if kind == "opaque":
            return None, at
        if kind in ("name", "braced"):
            parts.append(Variable(found.group(kind), quoted=True))
        elif kind is not None and found.group() != "\\\n":
            parts.append(found.group(kind))
    return None, at
