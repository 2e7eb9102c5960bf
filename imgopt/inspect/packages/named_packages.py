"""Packages that stand as a string where a run may read it: a view engine in settings, a transport
in a source, an optional partner in another package's manifest.

`app.set("view engine", "pug")` loads a package that no import names. Which strings are names of
packages nobody can tell; a package whose whole name stands there is not known to be useless.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from imgopt.inspect.files.settings_files import settings_texts
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.json_manifests import (
    json_manifests,
    keys,
    read_manifest,
    read_object,
)

_LITERAL = re.compile(r"""(["'`])([@\w][\w@./-]{0,120})\1""")
_PLAIN = re.compile(
    r"(?m)(?:^[ \t]*(?:export[ \t]+)?[\"']?[\w. -]{1,60}[\"']?[ \t]*[:=]|^[ \t]*-)[ \t]*"
    r"([@\w][\w@./-]{0,120})[ \t]*,?[ \t]*$"
)
"""`engine: pug`, `ENGINE=pug`, `- pug`."""


def named_in(texts: Iterable[tuple[str, str]], names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(name, path) of each package whose name is a whole string of a source, alone or with a path
    behind it (`pug/lib/x`)."""
    for path, text in texts:
        for match in _LITERAL.finditer(text):
            name = package_of(match[2])
            if name in names:
                yield name, path


def named_in_settings(view: ImageView, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The same in files of settings, where strings may stand without quotes."""
    texts = settings_texts(view)
    yield from named_in(texts, names)
    for path, text in texts:
        for match in _PLAIN.finditer(text):
            if package_of(match[1]) in names:
                yield package_of(match[1]), path
    for key, value in view.config.environment.items():
        if package_of(value) in names:
            yield package_of(value), f"variable {key}"


def partners(view: ImageView, manifests: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, manifest) of what packages say that they use where it is there."""
    sections = {kind.file: kind.partners for kind in json_manifests()}
    for path in manifests:
        about = read_object(view, path)
        for section in sections.get(posixpath.basename(path), ()):
            yield from ((name, path) for name in keys(about.get(section)))


def listed_packages(view: ImageView) -> frozenset[str]:
    """Names in the manifest of the working directory, or of the folder above it."""
    found: set[str] = set()
    for kind in json_manifests():
        for folder in (view.workdir, posixpath.dirname(view.workdir)):
            about = read_manifest(view, folder, kind)
            found.update(name for section in kind.listed for name in keys(about.get(section)))
    return frozenset(found)


def package_of(word: str) -> str:
    """`pug` of `pug/lib/x`, `@a/b` of `@a/b/c`."""
    parts = word.split("/")
    return posixpath.join(*parts[:2]) if word.startswith("@") else parts[0]
