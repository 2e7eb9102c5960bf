"""The paths that the words of a shell command name, as far as a Dockerfile tells: variables, `~`,
`cd` and braces."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from imgopt.dockerfile.shellwords import ShellWord

UNKNOWN = "$"
"""Stands in a path for what only the running shell knows."""
_VARIABLE = re.compile(r"\$\{(\w+)(?::?[-=?+]([^}]*))?\}|\$(\w+)")
_COMPUTED = re.compile(r"\$\([^)]*\)|`[^`]*`|\$\{[^}]*\}")
_BRACES = re.compile(r"\{([^{},]*(?:,[^{},]*)+)\}")


def named_paths(word: ShellWord, values: Mapping[str, str], here: str) -> Iterator[str]:
    """Absolute paths, globs as they are; one that begins with a variable of which nothing is known
    begins with `$`.

    `values`: the variables in force, HOME among them; `here`: the working directory.
    """
    text = word.value if word.value is not None else _filled(word.text, values)
    if text.startswith("-"):
        return
    for path in _unbraced(text):
        if path == "~" or path.startswith("~/"):
            path = values["HOME"] + path[1:]
        yield path if path.startswith(("/", UNKNOWN)) else posixpath.join(here, path)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text of a word with its variables' values, without quotes."""

    def value(found: re.Match[str]) -> str:
        return values.get(found[1] or found[3]) or found[2] or UNKNOWN

    return _COMPUTED.sub(UNKNOWN, _VARIABLE.sub(value, text)).replace('"', "").replace("'", "")


def _unbraced(text: str) -> Iterator[str]:
    """`a/{b,c}` is two paths, in shells that read it so."""
    found = _BRACES.search(text)
    if found is None:
        yield text
        return
    for part in found[1].split(","):
        yield from _unbraced(text[: found.start()] + part + text[found.end() :])
