"""BuildKit's own picture of a Dockerfile: the text that its parser's `Node.Dump` prints.

It serves comparisons with BuildKit's parser and its test files (moby/buildkit
frontend/dockerfile/parser).
"""

from __future__ import annotations

from imgopt.dockerfile.healthcheck import split_healthcheck
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.model import Dockerfile
from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.readers import is_known
from imgopt.dockerfile.spans import SPACES
from imgopt.dockerfile.words import first_blank, read_json

_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_PAIRED = ("ENV", "LABEL")
_LISTED = ("ADD", "COPY", "EXPOSE", "FROM", "VOLUME", "ARG")


def dump(dockerfile: Dockerfile) -> str:
    """One line per instruction, `(keyword ["--flags"] "argument" …)`.

    Raises InputError where BuildKit's parser does (it accepts unknown instructions and missing
    arguments).
    """
    for problem in dockerfile.errors:
        if problem.phase == 0:
            raise problem.error()
    return "\n".join(f"({_instruction(item)})" for item in dockerfile.instructions)


def _instruction(item: Instruction) -> str:
    parts = [item.keyword.lower()]
    if item.flags:
        words = (
            f"--{flag.name}" + ("" if flag.value is None else f"={flag.value}")
            for flag in item.flags
        )
        parts.append("[" + " ".join(map(go_quote, words)) + "]")
    trigger = item.trigger
    if trigger is not None:
        parts.append(f"({_instruction(trigger)})")
    else:
        parts += map(go_quote, arguments(item))
    return " ".join(parts).strip(SPACES)


def arguments(item: Instruction) -> list[str]:
    """The arguments as the nodes of BuildKit's tree; ENV and LABEL give key, value and `=` (or
    nothing)."""
    value = item.value
    if not is_known(item.keyword):
        return [""]
    if not value:
        return []
    if item.keyword in _PAIRED:
        return _paired(item)
    if item.keyword == "ARG":
        return [str(word) for word in item.quoted_words()]
    if item.keyword == "HEALTHCHECK":
        return _health(value)
    if item.keyword in _LISTED:
        return [str(word) for word in item.words()]
    strings = item.statement.json
    return [value] if strings is None else list(strings)


def is_json(item: Instruction) -> bool:
    """BuildKit's `json` attribute: the arguments are a JSON array of strings."""
    if item.keyword == "HEALTHCHECK":
        found = split_healthcheck(item.value)
        return found is not None and read_json(found.group(2)) is not None
    return item.json is not None


def _paired(item: Instruction) -> list[str]:
    words = item.quoted_words()
    if words and "=" not in words[0]:
        blank = first_blank(item.value)
        if blank is None:
            raise Refused(f"{item.keyword} must have two arguments")
        return [item.value[: blank[0]], item.value[blank[1] :], ""]
    return [part for word in words for part in (*word.split("=", 1), "=")]


def _health(value: str) -> list[str]:
    found = split_healthcheck(value)
    if found is None:
        return []
    kind, rest = found.groups()
    strings = read_json(rest)
    if strings is not None:
        return [kind, *strings]
    return [kind, rest] if rest else [kind]


def go_quote(text: str) -> str:
    """Go's `strconv.Quote`."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char.isprintable():
            out.append(char)
        else:
            out.append(_coded(ord(char)))
    return '"' + "".join(out) + '"'


def _coded(code: int) -> str:
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
