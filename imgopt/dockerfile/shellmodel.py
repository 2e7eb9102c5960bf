"""What a shell script is made of: commands, pipelines, lists, groups, and what is only looked
through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from imgopt.dockerfile.shellwords import ShellWord
from imgopt.dockerfile.spans import Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`; `word` is the value as a shell word. It may lie before a command or stand
    alone."""

    name: str
    word: ShellWord
    span: Span

    @property
    def value(self) -> str | None:
        return self.word.value


@dataclass(frozen=True, slots=True)
class Redirection:
    """`2>&1`, `> file`, `<<EOF`. `target` is the file or descriptor, None for a here-document,
    whose body is `body`."""

    operator: str
    target: ShellWord | None
    span: Span
    fd: int | None = None
    body: str | None = None


@dataclass(frozen=True, eq=False)
class Command:
    """A simple command. `span` covers assignments, words and redirections.

    `operator` joins it to what stands before it in its list: "", "&&", "||", ";", "&", "|" or "|&".
    `conditional` tells that it stands inside `if`, a loop, `case` or a function. `cwd` is the
    directory that `cd` led to before it, relative to where the script began ("." at the start),
    None when that cannot be known.
    """

    words: tuple[ShellWord, ...]
    span: Span
    assignments: tuple[Assignment, ...] = ()
    redirections: tuple[Redirection, ...] = ()
    operator: str = ""
    negated: bool = False
    background: bool = False
    conditional: bool = False
    cwd: str | None = "."

    @property
    def name(self) -> str | None:
        """The command's name as written (`/usr/bin/apt-get` stays a path); None when it is computed
        or absent."""
        return self.words[0].value if self.words else None

    @property
    def arguments(self) -> tuple[ShellWord, ...]:
        return self.words[1:]

    @cached_property
    def values(self) -> tuple[str | None, ...]:
        """The value of every word, None for those that the shell computes."""
        return tuple(word.value for word in self.words)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The value of every word; those that the shell computes as they are written."""
        return tuple(word.value or word.text for word in self.words)


@dataclass(frozen=True, eq=False)
class Pipeline:
    """`a | b`; `negated` for `! a | b`."""

    parts: tuple[ShellNode, ...]
    span: Span
    negated: bool = False


@dataclass(frozen=True, eq=False)
class Group:
    """`( … )`, a subshell, or `{ …; }`."""

    subshell: bool
    items: tuple[Item, ...]
    span: Span
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, eq=False)
class Compound:
    """`if`, `for`, `while`, `case`, a function, `[[ … ]]`: `kind` says which. Its commands may run
    or not."""

    kind: str
    items: tuple[Item, ...]
    span: Span


ShellNode = Command | Pipeline | Group | Compound


class Item(NamedTuple):
    """One element of a list and the operator before it: "", "&&", "||", ";" or "&"."""

    operator: str
    node: ShellNode


@dataclass(frozen=True, eq=False)
class Script:
    """A whole shell text.

    `items` is the list at the top. When the text could not be read with certainty `unknown` says
    why, and `items` is empty. `shell` is the command line that runs it, empty for the exec form.
    `substituted` are the commands inside `$(…)` and backquotes, in file order.
    """

    items: tuple[Item, ...]
    span: Span
    shell: tuple[str, ...] = ()
    unknown: str | None = None
    substituted: tuple[Command, ...] = field(default=())

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """Every simple command in file order, those in groups and compounds too (not those in
        substitutions)."""
        return tuple(_commands(self.items))

    @property
    def is_plain_list(self) -> bool:
        """Only simple commands joined by `&&` or `;`, nothing conditional: safe to cut and join
        again."""
        return self.unknown is None and all(
            isinstance(item.node, Command)
            and item.operator in ("", "&&", ";")
            and not item.node.background
            for item in self.items
        )


def _commands(items: tuple[Item, ...]) -> Iterator[Command]:
    for item in items:
        yield from commands_of(item.node)


def commands_of(node: ShellNode) -> Iterator[Command]:
    """The simple commands inside a node, in file order."""
    if isinstance(node, Command):
        yield node
    elif isinstance(node, Pipeline):
        for part in node.parts:
            yield from commands_of(part)
    else:
        yield from _commands(node.items)
