"""A start in which a shell waits for its last program: where it may give its place to that
program."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from imgopt.dockerfile import Dockerfile, Edit, Instruction, parse, read_shell
from imgopt.dockerfile.shell import is_posix
from imgopt.dockerfile.typed import Command
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.programs import SHELLS
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.start.last_command import (
    ARGUMENTS,
    Last,
    last_command,
    place_of_exec,
    with_exec,
)

_LONGEST_SCRIPT = 1 << 16
_MOST = 4
"""How many shells in a row are followed."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script of the project: as it is, and where `exec` goes."""

    path: str
    text: str
    last: Last

    @property
    def now(self) -> str:
        return with_exec(self.text, self.last.at)


@dataclass(frozen=True, slots=True)
class GivesPlace:
    """`text` is the shell text of the command itself, where `exec` goes into it (None: nowhere);
    `program` the name of what stands at the end, as far as that is said."""

    text: str | None = None
    scripts: tuple[Script, ...] = ()
    program: str = ""

    @property
    def changes(self) -> bool:
        return self.text is not None or bool(self.scripts)


def gives_place(view: ImageView, words: tuple[str, ...]) -> GivesPlace | str:
    """For what the engine starts; or the reason why a shell keeps its place."""
    found = GivesPlace()
    current: tuple[str | None, ...] = words
    for _ in range(_MOST):
        text = _command_text(current)
        script = None if text is not None else _script(view, current)
        if text is None and script is None:
            break
        last = last_command(text if text is not None else _text(script))
        if isinstance(last, str):
            where = "the command" if script is None else posixpath.basename(script.path)
            return f"{where}: {last}"
        if not last.already:
            if script is None:
                found = GivesPlace(text, found.scripts, found.program)
            elif view.base_known and view.in_base(script):
                return f"{script.path} is the base image's own"
            else:
                one = Script(script.path, _text(script), last)
                found = GivesPlace(found.text, (*found.scripts, one), found.program)
        current = _next(current, last, text is not None)
    program = current[0] if current and current[0] is not None else ""
    return GivesPlace(found.text, found.scripts, posixpath.basename(program))


def _command_text(words: tuple[str | None, ...]) -> str | None:
    """The text that a shell is given as a word (`sh -c TEXT`)."""
    if len(words) < 3 or posixpath.basename(words[0] or "") not in SHELLS:
        return None
    return words[2] if re.fullmatch(r"-[a-z]*c", words[1] or "") else None


def _script(view: ImageView, words: tuple[str | None, ...]) -> Node | None:
    """The shell script that the words call, by itself or by a shell."""
    name = words[0] if words else None
    if name is None:
        return None
    if posixpath.basename(name) in SHELLS:
        rest = [word for word in words[1:] if word is None or not re.fullmatch(r"-[eux]+", word)]
        first = rest[0] if rest else None
        return view.file(posixpath.join(view.workdir, first)) if first else None
    node = view.command(name)
    called = " ".join(view.shebang(node)).split() if node is not None else []
    return node if any(posixpath.basename(word) in SHELLS for word in called[:2]) else None


def _text(script: Node | None) -> str:
    return script.read(_LONGEST_SCRIPT).decode("utf-8", "replace") if script is not None else ""


def _next(words: tuple[str | None, ...], last: Last, by_text: bool) -> tuple[str | None, ...]:
    """The words of the last command, with those that the shell was given in their place."""
    own = posixpath.basename(words[0] or "") in SHELLS
    given = words[4:] if by_text else words[2:] if own else words[1:]
    found: list[str | None] = []
    for word in last.words:
        found += list(given) if word == ARGUMENTS else [word]
    return tuple(found)


def edit_of(dockerfile: Dockerfile, item: Instruction) -> Edit | None:
    """`exec` in the shell text of a CMD or an ENTRYPOINT; None where there is no place for it."""
    typed = item.typed
    if not isinstance(typed, Command):
        return None
    if typed.json is None:
        shell = dockerfile.shell_at(item)
        place = place_of_exec(read_shell(item, shell)) if is_posix(shell) else ""
        if isinstance(place, str) or place.already:
            return None
        return Edit(place.span.start, place.span.start, "exec ")
    text = _command_text(typed.json)
    last = last_command(text) if text is not None else ""
    if text is None or isinstance(last, str) or last.already:
        return None
    words = (*typed.json[:2], with_exec(text, last.at), *typed.json[3:])
    return Edit(item.value_span.start, item.value_span.end, json_words(words))


def edited(text: str) -> str:
    """The text of one CMD or ENTRYPOINT, its comments above it, with `exec` in it; unchanged where
    there is no place for it."""
    head = "FROM x\n"
    alone = parse(f"{head}{text}\n")
    edit = edit_of(alone, alone.instructions[-1])
    if edit is None:
        return text
    whole = f"{head}{text}"
    return f"{whole[: edit.start]}{edit.text}{whole[edit.end :]}"[len(head) :]
