"""The build graph as BuildKit's solver sees it: operations, their inputs, and which of them a
Dockerfile line made.

BuildKit keys a step by the digest of its operation and, for each input, one of two keys: the
input's own (definition) key, or the digest of the selected content of its result
(docs/dev/solver.md). A root file system has only the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from imgopt.cache.selection import Selection

Component = tuple[str, object]
"""One named part of an operation, hashable: ("workdir", "/app")."""

VertexKind = Literal["base", "scratch", "run", "copy", "workdir", "file", "merge", "remote"]


@dataclass(frozen=True, slots=True)
class Step:
    """One cacheable step as BuildKit counts it. `stage` is its name as builds show it ("" in a file
    with one unnamed stage); `index` counts the stage's RUN, COPY, ADD and WORKDIR from 0."""

    stage: str
    stage_index: int
    index: int
    line: int
    keyword: str
    instruction: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a file operation writes: an absolute path, or None where the base image's working
    directory is needed to know. `directory` is True when it surely names a directory to write
    into."""

    path: str | None
    directory: bool


@dataclass(frozen=True, slots=True)
class Input:
    """`vertex` None is the build context. `selection` set means: the content key counts, too."""

    vertex: Vertex | None
    selection: Selection | None = None


@dataclass(frozen=True, eq=False)
class Vertex:
    """One operation. Vertices are interned per graph, so equal operations on equal inputs are one
    object."""

    kind: VertexKind
    operation: tuple[Component, ...]
    inputs: tuple[Input, ...] = ()
    steps: list[Step] = field(default_factory=list)
    destination: Destination | None = None
    assumption: str = ""
    """What the prediction takes for granted ("https://… still serves the same bytes")."""

    @property
    def root(self) -> Vertex | None:
        """The vertex whose file system this one works on."""
        return self.inputs[0].vertex if self.inputs else None


@dataclass
class Graph:
    """All vertices that the target needs, inputs before their users; `steps` in file order."""

    vertices: list[Vertex] = field(default_factory=list)
    placed: list[tuple[Step, Vertex]] = field(default_factory=list)
    interned: dict[object, Vertex] = field(default_factory=dict)

    def add(
        self,
        kind: VertexKind,
        operation: Iterable[Component],
        inputs: Iterable[Input] = (),
        destination: Destination | None = None,
        assumption: str = "",
    ) -> Vertex:
        """The vertex for this operation: the one that is there already, or a new one."""
        parts, sources = tuple(operation), tuple(inputs)
        key = (kind, parts, sources)
        found = self.interned.get(key)
        if found is None:
            found = Vertex(kind, parts, sources, [], destination, assumption)
            self.interned[key] = found
            self.vertices.append(found)
        return found

    def place(self, step: Step, vertex: Vertex) -> None:
        """Says that this line of the Dockerfile is that vertex."""
        vertex.steps.append(step)
        self.placed.append((step, vertex))
