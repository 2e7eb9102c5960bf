"""Names of files and folders, looked up in a context: patterns, folders as a whole, words of a
command."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from imgopt.rewrite.strategy import ContextFiles


def present(context: ContextFiles, pattern: str) -> list[str]:
    """Files of the context that match a glob, or that lie in the folder of that name."""
    if pattern in context.sizes:
        return [pattern]
    inside = context.below(pattern.rstrip("/"))
    if "*" not in pattern:
        return inside
    folder = posixpath.dirname(pattern[: pattern.index("*")] + "x")
    return sorted({*inside, *(path for path in context.below(folder) if _fits(path, pattern))})


def _fits(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def whole(context: ContextFiles, path: str) -> list[str]:
    """The files that a pattern names; a folder as one part, with a slash at its end."""
    found = present(context, path)
    return (
        [path.rstrip("/") + "/"]
        if found and any(one.startswith(path.rstrip("/") + "/") for one in found)
        else found
    )


def parts_of(context: ContextFiles, folder: str, names: Iterable[str]) -> list[str]:
    """Those files and whole folders that are there."""
    return [part for name in names for part in whole(context, join(folder, name))]


def names_file(word: str, context: ContextFiles, folder: str, *, after_option: bool) -> bool:
    """Whether a word names a file or a folder that is there. A bare word does only where it is a
    file's name, behind an option or with a dot: packages have bare names."""
    path = word.removeprefix("@").removeprefix("file://")
    if not path.strip("./") or "://" in path:
        return False
    place = join(folder, path)
    if place in context.sizes:
        return "/" in path or "." in path or after_option
    return "/" in path and bool(present(context, place))


def fits_any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def between_folders(inner: str, outer: str) -> Iterator[str]:
    """A folder and those around it, up to the outer one."""
    yield inner
    while inner not in ("", "/") and inner != outer:
        inner = posixpath.dirname(inner)
        yield inner


def join(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name)).removeprefix("./")
