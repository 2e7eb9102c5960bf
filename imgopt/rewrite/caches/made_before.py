"""Whether the step before made what a step removes: only then does joining the two take bytes out
of a layer."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.managers import Manager
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.caches.cleaning import touches
from imgopt.rewrite.order.install_commands import begins_with, managers_called, recognise

_LAST = frozenset(["cp", "mv", "install", "rsync", "ln"])
"""Programs whose last word is what they make."""
_EACH = frozenset(["mkdir", "touch", "tee", "truncate", "fallocate", "virtualenv"])
"""Programs that make each of their words."""
_TARGETS = frozenset(
    [
        "-o",
        "-O",
        "--output",
        "--output-document",
        "-P",
        "--directory-prefix",
        "-d",
        "-C",
        "--directory",
        "--target",
        "--target-directory",
        "-t",
        "--prefix",
        "--root",
        "--dest",
        "--destdir",
    ]
)
"""Options whose value is a file or folder that the command writes."""
_FETCHERS = ("curl", "wget", "aria2c", "git", "svn", "hg")
_ECHOES = frozenset(
    [
        "ls",
        "cat",
        "test",
        "[",
        "stat",
        "du",
        "file",
        "grep",
        "head",
        "tail",
        "which",
        "find",
        "echo",
    ]
)
"""Programs that make nothing of their words, whatever their options say."""


def cleaner(command: Command, ecosystems: Sequence[Ecosystem]) -> bool:
    """Whether a command does nothing but remove."""
    words = command.texts
    if command.redirections or not words:
        return False
    called = managers_called(words, ecosystems)
    known = (one for manager in called for one in (*manager.cleaners, *manager.removers))
    return words[0] == "rm" or any(begins_with(words, one) for one in known)


def removes_what_they_made(
    command: Command, before: Sequence[Command], ecosystems: Sequence[Ecosystem], folder: str
) -> bool:
    """Whether a cleaning command removes something that one of `before` made. `folder`: where the
    steps begin."""
    words = command.texts
    if words[0] == "rm":
        paths = [_place(word, command, folder) for word in words[1:] if not word.startswith("-")]
        made = [place for one in before for place in _made(one, ecosystems, folder)]
        return any(_meets(path, place) for path in paths for place in made)
    for manager in managers_called(words, ecosystems):
        installs = [one for one in before if _is_install(one, manager, ecosystems)]
        if any(begins_with(words, one) for one in manager.cleaners):
            return bool(installs)
        if any(begins_with(words, one) for one in manager.removers):
            return any(_named(words) & _named(one.texts) for one in installs)
    return False


def _is_install(command: Command, manager: Manager, ecosystems: Sequence[Ecosystem]) -> bool:
    found = recognise(command.texts, ecosystems)
    return found is not None and found.manager.name == manager.name


def _named(words: Sequence[str]) -> set[str]:
    """Packages, and names under which they were put together (`--virtual .build-deps`)."""
    return {word.partition("=")[0] for word in words[2:] if not word.startswith("-")} - {
        "install",
        "add",
    }


def _made(command: Command, ecosystems: Sequence[Ecosystem], folder: str) -> Iterator[str]:
    """Places that a command writes to."""
    for redirection in command.redirections:
        if redirection.operator.startswith(">") and redirection.target is not None:
            yield _place(redirection.target.value or redirection.target.text, command, folder)
    words = command.texts
    name = posixpath.basename(words[0]) if words else ""
    if name in _ECHOES:
        return
    plain = [word for word in words[1:] if not word.startswith("-")]
    if name in _EACH:
        yield from (_place(word, command, folder) for word in plain)
    elif name in _LAST and plain:
        yield _place(plain[-1], command, folder)
    for option, value in _options(words):
        if option in _TARGETS or option == "of":
            yield _place(value, command, folder)
    if name in _FETCHERS:
        yield from (_place(word, command, folder) for word in _fetched(words, plain))
    install = recognise(words, ecosystems)
    if install is not None:
        manager = install.manager
        lists = manager.lists.folders if manager.lists is not None else []
        yield from (cache.replace("~", "/root", 1) for cache in (*manager.caches, *lists))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for index, word in enumerate(words[1:], 1):
        option, equals, value = word.partition("=")
        if equals:
            yield option, value
        elif index + 1 < len(words):
            yield word, words[index + 1]
        if len(word) > 2 and word[0] == "-" and word[1] != "-":  # -P/tmp, and -fsSLo FILE
            yield word[:2], word[2:]
            if index + 1 < len(words):
                yield f"-{word[-1]}", words[index + 1]


def _fetched(words: Sequence[str], plain: Sequence[str]) -> Iterator[str]:
    """What a download is called where it keeps the name of its address; what a clone is put
    into."""
    for word in plain:
        if "://" in word or word.startswith("git@"):
            yield posixpath.basename(word.rstrip("/").partition("?")[0]).removesuffix(".git")
    if posixpath.basename(words[0]) not in ("curl", "wget", "aria2c") and len(plain) > 2:
        yield plain[-1]


def _place(word: str, command: Command, folder: str) -> str:
    """A word as a path of the image; what cannot be known stays as it is written."""
    path = word.replace("~", "/root", 1) if word.startswith("~") else word
    path = path.replace("${HOME}", "/root").replace("$HOME", "/root")
    if "$" in path or command.cwd is None:
        return path
    return posixpath.normpath(posixpath.join(folder, command.cwd, path))


def _meets(path: str, made: str) -> bool:
    """Whether what is removed is what was made, holds it or lies in it."""
    if any(char in path for char in "*?["):
        around = posixpath.dirname(path.rstrip("/"))
        return fnmatchcase(made, path) or (around not in ("/", "") and touches(around, [made]))
    return touches(path, [made])
