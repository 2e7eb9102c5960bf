"""What commands that install nothing do with files, by the facts of the ecosystems (`Program`)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.builds import Program
from imgopt.rewrite.order.install_commands import after, without_prefix
from imgopt.rewrite.order.passing import Does
from imgopt.rewrite.order.target_paths import Ground


@dataclass(frozen=True, slots=True)
class Effect:
    """What one command does. Paths are absolute ones of the image."""

    does: Does
    writes: tuple[str, ...] = ()
    surely: bool = True
    """Whether it writes so; else only a file that is there would be written."""
    fills: str = ""
    """A folder that it fills with packages later (`python -m venv`)."""


UNKNOWN = Effect(Does.UNKNOWN)


def program_of(
    words: Sequence[str], ecosystems: Iterable[Ecosystem]
) -> tuple[Program, tuple[str, ...]] | None:
    """The facts about the command that these words call, and the words behind it."""
    plain = tuple(without_prefix(words))
    for ecosystem in ecosystems:
        for program in ecosystem.program:
            for command in program.commands:
                rest = after(plain, command.split()) if " " in command else None
                rest = plain[1:] if plain[:1] == (command,) else rest
                if rest is not None:
                    return program, rest
    return None


def effect_of(program: Program, words: Sequence[str], cwd: str, ground: Ground) -> Effect:
    """What the command does with the `words` behind its name, or UNKNOWN where an option makes it
    another one."""
    if has_option(words, program.unless) or (
        program.only_with and not has_option(words, program.only_with)
    ):
        return UNKNOWN
    if len(list(_plain_words(words))) < program.least:
        return UNKNOWN
    does = Does(program.does)
    if does is Does.SETTINGS:
        return Effect(
            does,
            tuple(_project_files(program, words, cwd)),
            has_option(words, program.files_surely),
        )
    if does is Does.FILES:
        return Effect(does, tuple(_paths(program, words, cwd)))
    if does is Does.FOLDERS:
        return Effect(does, tuple(_new_folders(words, cwd, ground)))
    if does is Does.ACCOUNTS:
        return Effect(does, tuple(_homes(words, cwd)))
    fills = (_last_word(words) or program.makes) if program.makes else ""
    return Effect(does, fills=posixpath.normpath(posixpath.join(cwd, fills)) if fills else "")


def has_option(words: Iterable[str], options: Sequence[str]) -> bool:
    """Whether one of the options is there: by itself, with `=VALUE`, or among short ones in one
    word (`-xzC`)."""
    return any(_is_option(word, option) for word in words for option in options)


def _is_option(word: str, option: str) -> bool:
    if word == option or word.startswith(option + "="):
        return True
    several = re.match(r"-[A-Za-z]+", word) if re.fullmatch(r"-\w", option) else None
    return several is not None and option[1] in several[0]


def _project_files(program: Program, words: Sequence[str], cwd: str) -> Iterator[str]:
    if program.files_with and not has_option(words, program.files_with):
        return
    if not has_option(words, program.files_unless):
        yield from (posixpath.join(cwd, name) for name in program.files)


def _paths(program: Program, words: Sequence[str], cwd: str) -> Iterator[str]:
    """Every path that it writes, or may read."""
    values = list(_values(program.writes, words))
    named = [value for value in values if value != "-"]
    plain = [word for word in _plain_words(words) if word not in values]
    if not program.writes:
        first = bool(plain and program.words and re.fullmatch(program.words, plain[0]))
        named += plain[1:] if first else plain
    writes_here = (
        has_option(words, program.here)
        or (program.here_unless and not has_option(words, program.here_unless))
        or sum(not word.startswith("-") for word in words) < program.here_below
    )
    yield from (posixpath.normpath(posixpath.join(cwd, word)) for word in named)
    if writes_here:
        yield cwd


def _values(options: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    """The values of options, as they are written (`-o FILE`, `-oFILE`, `-sSo FILE`,
    `--output=FILE`)."""
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        for option in options:
            if word == option:
                yield following
            elif word.startswith(option + "="):
                yield word[len(option) + 1 :]
            elif len(option) == 2 and re.match(r"-[A-Za-z]", word) and not word.startswith("--"):
                before, found, rest = word[1:].partition(option[1])
                if found and (not before or before.isalpha()):
                    yield rest or following


def _plain_words(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if (
            word
            and not word.startswith("-")
            and "://" not in word
            and not re.match(r"[\w.-]+@[\w.-]+:", word)
        ):
            yield word


def _last_word(words: Sequence[str]) -> str:
    return next((word for word in reversed(words) if not word.startswith("-")), "")


def _new_folders(words: Sequence[str], cwd: str, ground: Ground) -> Iterator[str]:
    """Folders that the context has, or whose parents only a COPY makes: to make them first would
    change them."""
    for word in _plain_words(words):
        path = posixpath.normpath(posixpath.join(cwd, word))
        if not ground.touches(path):
            continue
        there = ground.workdir == path or ground.workdir.startswith(path.rstrip("/") + "/")
        made = path.startswith(ground.workdir.rstrip("/") + "/") and ground.workdir != "/"
        if not there and (not made or ground.brings(path)):
            yield path


def _homes(words: Sequence[str], cwd: str) -> Iterator[str]:
    """Home folders that the command may make."""
    for word in _plain_words(word.partition("=")[2] or word for word in words):
        yield posixpath.normpath(posixpath.join(cwd, word)) if "/" in word else f"/home/{word}"
