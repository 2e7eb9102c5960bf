"""What a path inside a stage's result consists of: which COPY wrote it, and on top of which RUN's
result.

A COPY that writes elsewhere leaves a path as it was, so `COPY --from=builder /opt/venv` can be
decided although a later `COPY . /app` of the builder runs again. What a RUN that runs again writes
can only be known by a build.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from imgopt.cache.glob import has_wildcards
from imgopt.cache.graph import Vertex
from imgopt.cache.selection import PathDifference, Selection

_MERGED = re.compile(r"/(bin|sbin|lib|lib32|lib64|libx32)(?=/|\Z)")
_MAKES_LINK = re.compile(r"\bln\s|symlink|\bmount\b")


@dataclass(frozen=True, slots=True)
class Layers:
    """The writes that may touch a path, newest first, and what lies below them all."""

    writes: tuple[Vertex, ...]
    bottom: Vertex


def layers_of(vertex: Vertex, path: str) -> Layers:
    """How `path` came to be in the result of `vertex`."""
    writes: list[Vertex] = []
    linked = _link_makers(vertex)
    at = vertex
    while at.root is not None and at.kind in ("copy", "workdir", "merge"):
        if _may_write(at, path, linked):
            writes.append(at)
        at = at.root
    return Layers(tuple(writes), at)


def below(layers: Layers) -> Iterator[Vertex]:
    """Every operation of the same stage chain under the bottom."""
    at: Vertex | None = layers.bottom.root
    while at is not None:
        yield at
        at = at.root


def _link_makers(vertex: Vertex) -> str:
    """The text of the RUNs below that may turn directories into links."""
    texts: list[str] = []
    at: Vertex | None = vertex
    while at is not None:
        if at.kind == "run":
            text = str(dict(at.operation)["command"])
            texts += [text] if _MAKES_LINK.search(text) else []
        at = at.root
    return "\n".join(texts)


def _may_write(vertex: Vertex, path: str, linked: str) -> bool:
    destination = vertex.destination
    if destination is None or destination.path is None:
        return True
    here = destination.path
    return overlaps(canonical(here), canonical(path)) or (here != "/" and here in linked)


def canonical(path: str) -> str:
    """`/lib/x` and `/usr/lib/x` are one place in merged-usr images; `/var/run` is `/run`."""
    path = re.sub(r"^/var/run(?=/|\Z)", "/run", path)
    return _MERGED.sub(r"/usr/\1", path, count=1) if _MERGED.match(path) else path


def overlaps(one: str, other: str) -> bool:
    """Whether one path is the other or lies under it."""
    return is_under(one, other) or is_under(other, one)


def is_under(path: str, top: str) -> bool:
    return top == "/" or path == top or path.startswith(top + "/")


def fixed_part(source: str) -> str:
    """The absolute directory or file that a source surely lies in: the part before its first
    wildcard."""
    parts: list[str] = []
    for part in source.split("/"):
        if has_wildcards(part):
            break
        parts.append(part)
    return posixpath.normpath("/" + "/".join(parts))


def landing_places(
    vertex: Vertex, selection: Selection, difference: PathDifference
) -> tuple[str, ...]:
    """Where a copy puts a changed path; more than one where only the base image could tell; empty
    for unknown."""
    destination = vertex.destination
    if (
        destination is None
        or destination.path is None
        or selection.parents
        or len(selection.sources) != 1
    ):
        return ()
    source = selection.sources[0]
    path, here = difference.path, destination.path
    if has_wildcards(source):
        depth = source.count("/") + 1
        parts = path.split("/")
        inside = "/".join(parts[depth:])
        return (posixpath.join(here, inside or parts[-1]),)
    if source and path == source:
        into = posixpath.join(here, posixpath.basename(source))
        return (into,) if destination.directory else (here, into)
    if source and not path.startswith(source + "/"):
        return ()  # the source is a link
    return (posixpath.join(here, path[len(source) :].lstrip("/")),)
