"""The shell inside RUN, CMD, ENTRYPOINT and HEALTHCHECK, read with tree-sitter-bash.

Rules: moby/buildkit dockerfile2llb/convert.go (dispatchRun, withShell). The shell form runs with
SHELL; the exec form runs without a shell; a RUN that is only a here-document runs its body.
"""

from __future__ import annotations

import re

from imgopt.dockerfile.heredoc import Heredoc, parse_heredoc
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.shellmodel import Command, Item, Script
from imgopt.dockerfile.shellplain import read_plain
from imgopt.dockerfile.shelltree import TreeReader, Unreadable
from imgopt.dockerfile.shellwords import ShellWord
from imgopt.dockerfile.spans import Logical, Span
from imgopt.dockerfile.typed import Command as CommandLine

_DEFAULT = ("/bin/sh", "-c")
_POSIX = ("sh", "bash", "ash", "dash", "ksh", "zsh", "busybox")
_LONGEST = 131_072
"""Bytes: Linux passes no longer string to a process (MAX_ARG_STRLEN), so a longer shell text cannot
run."""
_JSON_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_JSON_CHAR = re.compile(r"\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)


def read_shell(instruction: Instruction, shell: tuple[str, ...] = _DEFAULT) -> Script:
    """The script that a command instruction runs; `shell` is the one in force (`Scope.shell`).

    Never raises. An instruction without a command line, a shell that is not of the Bourne family, a
    text with a syntax error or one that is too long gives a Script whose `unknown` says so.
    """
    typed = instruction.typed
    if not isinstance(typed, CommandLine):
        return _unknown(instruction, f"{instruction.keyword} has no command line")
    if typed.json is not None:
        return _exec_form(instruction, typed.json)
    if typed.shell is None:
        return Script((), instruction.value_span, shell)
    if not is_posix(shell):
        return _unknown(instruction, f"SHELL {' '.join(shell)} is not a POSIX shell")
    heredocs = instruction.heredocs
    if not heredocs:
        return _read(_slice(instruction, typed.shell), shell)
    if _announces_only(typed.shell):
        return _body(instruction, heredocs[0], shell)
    return _read(_with_bodies(_slice(instruction, typed.shell), heredocs), shell)


def is_posix(shell: tuple[str, ...]) -> bool:
    """Whether a SHELL value runs a text that follows the POSIX shell's grammar."""
    if not shell or not any(re.fullmatch(r"-[a-z]*c", word) for word in shell[1:]):
        return False
    return shell[0].rpartition("/")[2] in _POSIX


def _unknown(instruction: Instruction, why: str) -> Script:
    return Script((), instruction.value_span, (), why)


def _slice(instruction: Instruction, shell: str) -> Logical:
    """The part of the logical line that is the shell text, with its places in the file."""
    whole = instruction.statement.logical
    start = instruction.statement.end - len(shell)
    starts, places = [0], [whole.place(start)]
    for begin, place in zip(whole.starts, whole.places, strict=True):
        if begin > start:
            starts.append(begin - start)
            places.append(place)
    return Logical(shell, tuple(starts), tuple(places))


def _announces_only(text: str) -> bool:
    try:
        return parse_heredoc(text) is not None
    except Refused:
        return False


def _body(instruction: Instruction, heredoc: Heredoc, shell: tuple[str, ...]) -> Script:
    """The body of a here-document that is the whole RUN; a `#!` line names what runs it."""
    if heredoc.content.startswith("#!"):
        first = heredoc.content.partition("\n")[0][2:].split()
        program = first[1:2] if first and first[0].endswith("/env") else first[:1]
        if not program or program[0].rpartition("/")[2] not in _POSIX:
            return _unknown(
                instruction, f"the here-document runs with {' '.join(first) or 'nothing'}"
            )
        shell = tuple(first)
    return _read(_chomped(heredoc), shell)


def _chomped(heredoc: Heredoc) -> Logical:
    assert heredoc.span is not None
    if not heredoc.chomp:
        return Logical(heredoc.content, (0,), (heredoc.span.start,))
    pieces, starts, places = [], [], []
    size, at = 0, heredoc.span.start
    for line in heredoc.content.splitlines(keepends=True):
        bare = line.lstrip("\t")
        starts.append(size)
        places.append(at + len(line) - len(bare))
        pieces.append(bare)
        size += len(bare)
        at += len(line)
    return Logical("".join(pieces), tuple(starts or [0]), tuple(places or [at]))


def _with_bodies(line: Logical, heredocs: tuple[Heredoc, ...]) -> Logical:
    """The line and the raw bodies below it, as BuildKit hands them to the shell."""
    pieces, starts, places = [line.text], list(line.starts), list(line.places)
    size = len(line.text)
    for heredoc in heredocs:
        if heredoc.span is None or heredoc.terminator is None:
            continue
        name_at = heredoc.terminator.end - len(heredoc.name)
        for text, place in (
            ("\n", heredoc.span.start - 1),
            (heredoc.content, heredoc.span.start),
            (heredoc.name, name_at),
        ):
            if text:
                pieces.append(text)
                starts.append(size)
                places.append(place)
                size += len(text)
    return Logical("".join(pieces), tuple(starts), tuple(places))


def _read(source: Logical, shell: tuple[str, ...]) -> Script:
    span = source.span(0, len(source.text))
    if len(source.text) > _LONGEST:
        return Script((), span, shell, f"the shell text is longer than {_LONGEST} bytes")
    plain = read_plain(source.text, source.span)
    if plain is not None:
        return Script(plain, span, shell)
    reader = TreeReader(source.text, source.span)
    try:
        items = reader.read()
    except Unreadable as error:
        return Script((), span, shell, str(error))
    return Script(items, span, shell, None, tuple(reader.substituted))


def _exec_form(instruction: Instruction, strings: tuple[str, ...]) -> Script:
    """One command without a shell, or the script in `["sh", "-c", "…"]`."""
    found = [
        instruction.span_of(*match.span()) for match in _JSON_STRING.finditer(instruction.value)
    ]
    if not strings:
        return Script((), instruction.value_span)
    if len(strings) == 3 and is_posix(strings[:2]):
        literal = list(_JSON_STRING.finditer(instruction.value))[2]
        return _read(_unescaped(instruction, literal, strings[2]), strings[:2])
    pairs = zip(strings, found, strict=False)
    words = tuple(ShellWord(text, span, text, False, (text,)) for text, span in pairs)
    command = Command(words, Span(found[0].start, found[-1].end))
    return Script((Item("", command),), instruction.value_span)


def _unescaped(instruction: Instruction, literal: re.Match[str], text: str) -> Logical:
    """A JSON string's value with the places of its characters."""
    starts, places = [0], [instruction.place_of(literal.start(1))]
    at = literal.start(1)
    size = 0
    for escape in _JSON_CHAR.finditer(literal.string, literal.start(1), literal.end(1)):
        size += escape.start() - at
        at = escape.end()
        starts += [size, size + 1]
        places += [instruction.place_of(escape.start()), instruction.place_of(at)]
        size += 1
    return Logical(text, tuple(starts), tuple(places))
