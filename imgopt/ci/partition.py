"""Bytes by path in few lines: the files and folders that matter, everything else in the folder
above. Sums exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

_SHARES = 60
"""A path gets its own line from a 60th of all bytes on, so there are at most 61 lines."""


def partition(files: Mapping[str, int]) -> dict[str, int]:
    """Lines of path -> bytes; a folder's line holds what none of its own deeper lines holds."""
    total = sum(files.values())
    threshold = max(1, total // _SHARES)
    children: dict[str, set[str]] = defaultdict(set)
    for path in files:
        while path != "/" and path not in children[parent := parent_of(path)]:
            children[parent].add(path)
            path = parent
    lines: dict[str, int] = {}
    rests: dict[str, int] = {}
    for path in _deepest_first(children):
        rest = files.get(path, 0) + sum(rests.pop(child, 0) for child in children.get(path, ()))
        if rest >= threshold or (path == "/" and rest):
            lines[path] = rest
        else:
            rests[path] = rest
    return dict(sorted(lines.items()))


def _deepest_first(children: Mapping[str, set[str]]) -> list[str]:
    order, waiting = [], ["/"]
    while waiting:
        path = waiting.pop()
        order.append(path)
        waiting.extend(children.get(path, ()))
    return order[::-1]


def parent_of(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def line_of(path: str, lines: Iterable[str] | Mapping[str, int]) -> str:
    """The line that a path falls into: itself or the nearest folder above; "/" where there is
    none."""
    while path not in lines and path != "/":
        path = parent_of(path)
    return path


def narrowed(line: str, growth: int, files: Mapping[str, int]) -> str:
    """The deepest file or folder below `line` that holds nine tenths of a growth; `files` are those
    of the line."""
    sums: dict[str, int] = defaultdict(int)
    for path, size in files.items():
        at = path
        while at not in (line, "/"):
            sums[at] += size
            at = parent_of(at)
    holding = [path for path, size in sums.items() if 10 * size >= 9 * growth]
    return max(holding, key=lambda path: (path.count("/"), path), default=line)
