"""Which command of a package manager some words call, by the facts of the ecosystems."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import is_

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.managers import Manager


@dataclass(frozen=True, slots=True)
class Install:
    """A command of a package manager."""

    ecosystem: Ecosystem
    manager: Manager
    words: tuple[str, ...]
    arguments: tuple[str, ...]
    """What follows the words that name the command."""


def recognise(words: Sequence[str], ecosystems: Iterable[Ecosystem]) -> Install | None:
    """The package manager's command that these words call; None for any other command."""
    return _commands(tuple(ecosystems)).recognised(tuple(words))


class _Commands:
    """The commands of all package managers, looked up by the word that they begin with."""

    def __init__(self, ecosystems: tuple[Ecosystem, ...]) -> None:
        self.ecosystems = ecosystems
        self._all = [
            (ecosystem, manager, command.split())
            for ecosystem in ecosystems
            for manager in ecosystem.manager
            for command in manager.commands
        ]
        self._starting: dict[str, list[tuple[Ecosystem, Manager, list[str]]]] = {}
        self._programs = [
            (manager, sorted({command.split()[0] for command in _all_commands(manager)}))
            for ecosystem in ecosystems
            for manager in ecosystem.manager
        ]
        self._managers: dict[str, tuple[Manager, ...]] = {}
        self._recognised: dict[tuple[str, ...], Install | None] = {}

    def recognised(self, words: tuple[str, ...]) -> Install | None:
        """One strategy after the other asks it of the same commands."""
        if words not in self._recognised:
            if len(self._recognised) >= _REMEMBERED_COMMANDS:
                self._recognised.clear()
            self._recognised[words] = self._recognise(words)
        return self._recognised[words]

    def _recognise(self, words: tuple[str, ...]) -> Install | None:
        plain = tuple(without_prefix(words))
        for ecosystem, manager, command in self.starting(plain[0]) if plain else ():
            rest = after(plain, command)
            if rest is not None:
                return Install(ecosystem, manager, plain, rest)
        return None

    def starting(self, word: str) -> list[tuple[Ecosystem, Manager, list[str]]]:
        found = self._starting.get(word)
        if found is None:
            found = [one for one in self._all if _is_called(word, one[2])]
            if len(self._starting) < _REMEMBERED:
                self._starting[word] = found
        return found

    def managers(self, word: str) -> tuple[Manager, ...]:
        found = self._managers.get(word)
        if found is None:
            found = tuple(
                manager
                for manager, names in self._programs
                if any(_is_called(word, [name]) for name in names)
            )
            if len(self._managers) < _REMEMBERED:
                self._managers[word] = found
        return found


def _all_commands(manager: Manager) -> Iterator[str]:
    """Commands of every table of a manager."""
    yield from manager.commands
    yield from manager.fetch_before
    yield from manager.uses_cache
    yield from manager.cleaners
    yield from manager.removers


def managers_called(words: Sequence[str], ecosystems: Iterable[Ecosystem]) -> tuple[Manager, ...]:
    """The managers that have a command, of whatever kind, with the program that these words
    call."""
    plain = without_prefix(words)
    return _commands(tuple(ecosystems)).managers(plain[0]) if plain else ()


_GLOBS = "*?["
_REMEMBERED = 1000
_REMEMBERED_COMMANDS = 50_000
_known: list[_Commands] = []
"""The last one that was asked for: a plan asks for the same ecosystems at every command of every
step."""


def _commands(ecosystems: tuple[Ecosystem, ...]) -> _Commands:
    last = _known[0].ecosystems if _known else None
    if last is ecosystems:
        return _known[0]
    if last is None or len(last) != len(ecosystems) or not all(map(is_, last, ecosystems)):
        _known[:] = [_Commands(ecosystems)]
    return _known[0]


def _is_called(word: str, command: Sequence[str]) -> bool:
    called = command[0]
    if "/" in word and "/" not in called:
        word = posixpath.basename(word)
    if word[:1] != called[:1] and called[:1] not in _GLOBS:
        return False
    return word == called or fnmatchcase(word, called)


def begins_with(words: Sequence[str], command: str) -> bool:
    """Whether the words call `command` ("go build"), options between its words aside."""
    wanted = _words_of(command)
    if len(wanted) > 1 and wanted[1] not in words:
        return False
    plain = without_prefix(words)
    return bool(plain) and after(tuple(plain), wanted) is not None


@lru_cache(maxsize=4096)
def _words_of(command: str) -> tuple[str, ...]:
    """A command of the facts, of which there are some hundreds."""
    return tuple(command.split())


def calls(words: Sequence[str], command: str) -> bool:
    """The same, where a program alone ("./gradlew") stands for all of its commands."""
    if " " in command:
        return begins_with(words, command)
    plain = without_prefix(words)
    return bool(plain) and _is_called(plain[0], [command])


def without_prefix(words: Sequence[str]) -> Sequence[str]:
    index = 0
    while index < len(words) and (
        words[index] in ("sudo", "exec", "env", "command") or _is_assignment(words[index])
    ):
        index += 1
    return words[index:]


def _is_assignment(word: str) -> bool:
    return "=" in word and re.match(r"[A-Za-z_]\w*=", word) is not None


def after(words: tuple[str, ...], command: Sequence[str]) -> tuple[str, ...] | None:
    """What is left of `words` after the words of `command`, which may have options between them."""
    if not words or not _is_called(words[0], command):
        return None
    rest, options = list(words[1:]), []
    for wanted in command[1:]:
        while rest and rest[0] != wanted and rest[0].startswith("-"):
            options.append(rest.pop(0))
        if not rest or rest[0] != wanted:
            return None
        rest.pop(0)
    if len(command) == 1 and any(not word.startswith("-") for word in rest):
        return None
    return (*options, *rest)
