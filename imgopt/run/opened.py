"""What a run of the original opened and executed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """What a run of the original opened; `executed` is a part of `files`. Paths as the container
    sees them."""

    files: frozenset[str]
    executed: frozenset[str] = frozenset()


def with_sources(paths: Iterable[str]) -> frozenset[str]:
    """With the source of every bytecode file: Python takes `__pycache__/a.cpython-311.pyc` only
    where a.py is."""
    found = set(paths)
    for path in list(found):
        source = source_of(path)
        if source:
            found.add(source)
    return frozenset(found)


def source_of(path: str) -> str | None:
    folder, name = posixpath.split(path)
    if not name.endswith(".pyc") or not folder.endswith("/__pycache__"):
        return None
    return f"{posixpath.dirname(folder)}/{name.partition('.')[0]}.py"
