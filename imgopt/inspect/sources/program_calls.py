"""Programs that the application's own sources and its packages start, seen in the text: no probe
may take that path.

A full base image has git, curl or convert; a slim one has not. A call that names such a program
literally is evidence enough to keep it. What is computed at run time is left to the real run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.packages.names import plain_name
from imgopt.inspect.files.settings_files import settings_texts
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.texts import source_texts
from imgopt.inspect.start.shell_programs import called_programs

_WORD = r"""\(\s*\[?\s*(?:[rbf]?["'])(?P<text>[^"'\n]{1,400})["']"""
_LISTS = re.compile(
    r"(?:[=:]\s*[\[(]\s*|^[ \t]*(?:const\s+|let\s+)?[A-Z][A-Z0-9_]*\s*(?::\s*\w+\s*)?=\s*)"
    r"""["'](?P<text>[\w./-]{1,80})["']\s*(?:[,\]);]|$)""",
    re.MULTILINE,
)
"""Lists of words, and constants, that are handed to a call elsewhere, in files that start
programs."""
_WORD_OF = r"(?P<text>/?[\w][\w./+-]{0,80})"
_SETTINGS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"""\[\s*["']""" + _WORD_OF + r"""["']\s*,\s*["']-""",
        r"""(?:["'=:]|^[ \t]*-)[ \t]*["']?""" + _WORD_OF + r"""[ ]+--?\w""",
        r"""(?<![\w.])(?P<text>/(?:usr/(?:local/)?)?s?bin/[\w.+-]+)""",
        r"""(?i)["']?[\w.-]{0,40}?(?:command|cmd|exec|executable|program|binary|bin|tool|converter)(?:[_-]?path)?["']?"""
        r"""[ \t]*[:=][ \t]*\[?[ \t]*["']?""" + _WORD_OF,
    )
)
"""Values that are command lines, paths of programs, or called so."""
_VALUE = re.compile(
    r"""(?:["']|[:=][ \t]*|^[ \t]*-[ \t]+)""" + _WORD_OF + r"""(?=["'\s]|$)""", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class _Calls:
    """How sources of one kind start programs, as `ProgramCall` says it."""

    files: tuple[str, ...]
    pattern: re.Pattern[str]
    starts: re.Pattern[str] | None
    only_there: bool


@cache
def _calls() -> tuple[_Calls, ...]:
    return tuple(
        _Calls(
            tuple(fact.files),
            re.compile(fact.pattern.replace("{word}", _WORD)),
            re.compile(fact.starts) if fact.starts else None,
            fact.only_there,
        )
        for ecosystem in builtin_ecosystems()
        for fact in ecosystem.program_call
    )


def called_by_sources(view: ImageView) -> Iterator[tuple[str, str]]:
    """(program, source file) for every literal call in the application's sources."""
    for path, text in source_texts(view):
        calls = next((each for each in _calls() if path.endswith(each.files)), None)
        if calls is not None:
            yield from ((name, path) for name in _called(text, calls))


def called_by_settings(view: ImageView) -> Iterator[tuple[str, str]]:
    """(program, file of settings or variable) for values that name a program of the image: command
    lines and paths anywhere, any value in a file that a source which starts programs names."""
    starters = [text for _, text in source_texts(view) if _starts_programs(text)]
    for path, text in settings_texts(view):
        handed = any(posixpath.basename(path) in source for source in starters)
        patterns = (*_SETTINGS, _VALUE) if handed else _SETTINGS
        yield from ((word, path) for word in _programs(view, patterns, text))
    for name, value in view.config.environment.items():
        found = _programs(view, _SETTINGS, f"{name}={value}") if name != "PATH" else ()
        yield from ((word, f"variable {name}") for word in found)


def _programs(view: ImageView, patterns: Iterable[re.Pattern[str]], text: str) -> list[str]:
    words = {match["text"]: None for pattern in patterns for match in pattern.finditer(text)}
    return [word for word in words if not word.startswith(".") and _is_program(view, word)]


def _is_program(view: ImageView, word: str) -> bool:
    if "/" in word and not word.startswith("/"):
        return False
    node = view.command(word)
    return node is not None and node.mode & 0o111 != 0


def _starts_programs(text: str) -> bool:
    return any(each.starts is not None and each.starts.search(text) for each in _calls())


def _called(text: str, calls: _Calls) -> dict[str, None]:
    starts = calls.starts is not None and calls.starts.search(text) is not None
    if calls.only_there and not starts:
        return {}
    found: dict[str, None] = {}
    for match in calls.pattern.finditer(text):
        found.update(dict.fromkeys(called_programs(match["text"])))
    if starts:
        found.update(dict.fromkeys(match["text"] for match in _LISTS.finditer(text)))
    return found


def called_by_packages(view: ImageView) -> Iterator[tuple[str, str]]:
    """(program, package) for packages that are there to drive a program."""
    driven = {
        (e.name, name): program for e in builtin_ecosystems() for name, program in e.drives.items()
    }
    for package in view.packages:
        program = driven.get((package.ecosystem, plain_name(package.name)))
        if program:
            yield program, f"{package.ecosystem} package {package.name}"
