"""The application's own sources as text: what a program does on a path that no probe takes is read
there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered

_LONGEST = 1 << 20
_MOST_BYTES = 64 << 20


@cache
def _endings() -> frozenset[str]:
    return frozenset(ending for one in builtin_ecosystems() for ending in one.source_endings)


@cache
def _compiled() -> tuple[str, ...]:
    return tuple(ending for one in builtin_ecosystems() for ending in one.compiled)


@cache
def _foreign() -> tuple[str, ...]:
    return tuple(folder for ecosystem in builtin_ecosystems() for folder in ecosystem.foreign)


@cache
def _build_scripts() -> frozenset[str]:
    return frozenset(name for ecosystem in builtin_ecosystems() for name in ecosystem.build_scripts)


@remembered
def source_texts(view: ImageView) -> tuple[tuple[str, str], ...]:
    """(path, text) of each source of the application, in the order of paths; 1 MiB each and 64 MiB
    together at most.

    Packages, tests and what only builds run are left out."""
    return tuple(_texts(view))


def _texts(view: ImageView) -> Iterator[tuple[str, str]]:
    read = 0
    for node in application_files(view):
        if node.inode is None or not is_source(node.name) or node.size > _LONGEST:
            continue
        if (
            read > _MOST_BYTES
            or node.name in _build_scripts()
            or is_foreign(node.path)
            or is_test(node.path)
        ):
            continue
        read += node.size
        yield node.path, node.read().decode("utf-8", "replace")


@remembered
def written_texts(view: ImageView) -> tuple[tuple[str, str], ...]:
    """Those of them that somebody wrote: without large ones of few lines, which tools make of many
    sources and which take long to look through."""
    return tuple(
        (path, text)
        for path, text in source_texts(view)
        if len(text) < _LARGE or text.count("\n") > len(text) / _LONG_LINES
    )


_LARGE, _LONG_LINES = 1 << 16, 200


@remembered
def loading_texts(view: ImageView) -> tuple[tuple[str, str], ...]:
    """(path, text) of each source of an installed Python package above the base that loads
    libraries by their names; 256 MiB are looked through at most."""
    return tuple(_loading(view))


def _loading(view: ImageView) -> Iterator[tuple[str, str]]:
    read = 0
    for node in view.tree.files():
        if (
            node.layer < view.base_layers
            or not node.name.endswith(".py")
            or not _PYTHON_PACKAGE.search(node.path)
        ):
            continue
        if node.size > _LONGEST or read > _MOST_OF_PACKAGES or is_test(node.path):
            continue
        read += node.size
        data = node.read()
        if any(sign in data for sign in _LOADING):
            yield node.path, data.decode("utf-8", "replace")


_PYTHON_PACKAGE = re.compile(r"/(?:site|dist)-packages/(?!pip/|setuptools/|_distutils_hack/)")
_LOADING = (b"find_library", b"CDLL", b"LoadLibrary", b"dlopen")
_MOST_OF_PACKAGES = 256 << 20


def is_source(path: str) -> bool:
    """Whether it is a source by its ending."""
    return posixpath.splitext(path)[1] in _endings()


def is_compiled(path: str) -> bool:
    """A source that is no part of what ships: the program that is made of it is."""
    return path.endswith(_compiled())


def is_foreign(path: str) -> bool:
    """Brought by a package manager."""
    return any(folder in path for folder in _foreign())


def is_test(path: str) -> bool:
    folder, name = posixpath.split(path)
    parts = folder.split("/")
    stem = name.partition(".")[0]
    named = (
        stem.startswith("test_") or stem.endswith("_test") or ".test." in name or ".spec." in name
    )
    return named or any(
        part in ("test", "tests", "__tests__", "e2e", "spec", "cypress") for part in parts
    )
