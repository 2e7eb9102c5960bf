"""Tests of the project that ask a running service, as the names and the texts of its files tell."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.tests import OwnTests
from imgopt.context.listing import list_sizes
from imgopt.errors import ImgoptError
from imgopt.inspect.sources.texts import is_foreign

_ASKS = re.compile(
    r"localhost:|127\.0\.0\.1|\b(?:IMGOPT|BASE|API|SERVICE|SERVER|APP|TEST)_?URL\b", re.IGNORECASE
)
_LONGEST = 1 << 20
_MOST_FILES = 500


def own_tests(folder: Path) -> tuple[str, str]:
    """A command that runs them, and one of them; ("", "") where there are none. An ignore file says
    nothing here: tests are often kept out of the image."""
    texts = dict(_asking(folder))
    for fact in _facts():
        found = [path for path, text in texts.items() if _fits(fact, path, text)]
        if found:
            below = posixpath.commonpath([posixpath.dirname(path) for path in found]) or "."
            return fact.command.replace("{folder}", shlex.quote(below)), found[0]
    return "", ""


def _facts() -> Iterator[OwnTests]:
    for one in builtin_ecosystems():
        yield from one.own_tests


def _fits(fact: OwnTests, path: str, text: str) -> bool:
    return _named(fact, path) and (not fact.says or re.search(fact.says, text) is not None)


def _named(fact: OwnTests, path: str) -> bool:
    return any(fnmatchcase(posixpath.basename(path), pattern) for pattern in fact.files)


def _asking(folder: Path) -> Iterator[tuple[str, str]]:
    """The tests that name an address."""
    installed = {name for one in builtin_ecosystems() for name in one.installed}
    named = [
        path
        for path, size in sorted(_sizes(folder).items())
        if size <= _LONGEST
        and not is_foreign(f"/{path}")
        and not installed & set(path.split("/"))
        and any(_named(fact, path) for fact in _facts())
    ]
    for path in named[:_MOST_FILES]:
        try:
            text = (folder / path).read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if _ASKS.search(text):
            yield path, text


def _sizes(folder: Path) -> Mapping[str, int]:
    try:
        return list_sizes(folder)
    except (ImgoptError, OSError):
        return {}
