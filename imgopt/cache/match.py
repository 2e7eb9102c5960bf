"""Which records of one build a second build finds again: BuildKit's two-level rule, with "unknown"
where it is honest.

A step is found if, for every input, its definition key or its content key leads to the same record;
a step that is found has the record's key, so that what follows can be found, too (buildkit
solver/edge.go, docs/dev/solver.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from imgopt.cache.flow import (
    below,
    canonical,
    fixed_part,
    is_under,
    landing_places,
    layers_of,
    overlaps,
)
from imgopt.cache.graph import Input, Vertex
from imgopt.cache.selection import Delta, PathDifference, compare, differences
from imgopt.cache.state import State

Verdict = Literal["hit", "miss", "unknown"]
Known = Callable[[Vertex, Vertex, int], bool | None]
"""What an earlier measurement says: (vertex before, vertex after, number of the input) -> content
is the same."""


@dataclass(frozen=True, slots=True)
class Sameness:
    """Whether an input's content is the same: True, False or None (only a build can know), and what
    differs."""

    same: bool | None
    differences: tuple[PathDifference, ...] = ()
    through: Vertex | None = None
    """The operation in another stage whose new run makes the answer."""


_SAME = Sameness(True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`record` is the vertex of the earlier build that is found; `candidates` the ones that may
    be."""

    verdict: Verdict
    record: Vertex | None = None
    candidates: tuple[Vertex, ...] = ()


@dataclass
class Matching:
    """The outcome of every vertex of `after`, given that `before` was built."""

    before: State
    after: State
    known: Known | None = None
    outcomes: dict[Vertex, Outcome] = field(default_factory=dict)
    delta: Delta = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.delta = differences(self.before.tree, self.after.tree)
        self._records: dict[object, list[Vertex]] = {}
        for vertex in self.before.graph.vertices:
            self._records.setdefault((vertex.kind, vertex.operation), []).append(vertex)
        for vertex in self.after.graph.vertices:
            self.outcomes[vertex] = self._outcome(vertex)

    def _outcome(self, vertex: Vertex) -> Outcome:
        possible: list[Vertex] = []
        for record in self._records.get((vertex.kind, vertex.operation), ()):
            found = self._all_inputs(record, vertex)
            if found:
                return Outcome("hit", record)
            if found is None:
                possible.append(record)
        possible += self._perhaps_same_image(vertex)
        return Outcome("unknown", None, tuple(possible)) if possible else Outcome("miss")

    def _perhaps_same_image(self, vertex: Vertex) -> list[Vertex]:
        """The earlier build's images that another name may stand for: BuildKit compares layers, not
        names."""
        if vertex.kind != "base" or dict(vertex.operation)["identified"]:
            return []
        platform = dict(vertex.operation)["--platform"]
        others = (one for one in self.before.graph.vertices if one.kind == "base")
        parts = ((one, dict(one.operation)) for one in others)
        return [
            one for one, part in parts if not part["identified"] and part["--platform"] == platform
        ]

    def _all_inputs(self, record: Vertex, vertex: Vertex) -> bool | None:
        if len(record.inputs) != len(vertex.inputs):
            return False
        answer: bool | None = True
        for number in range(len(vertex.inputs)):
            one = self.input_found(record, vertex, number)
            if one is False:
                return False
            answer = None if one is None else answer
        return answer

    def input_found(self, record: Vertex, vertex: Vertex, number: int) -> bool | None:
        """Whether this input leads to the record, by its definition key or by its content."""
        old, new = record.inputs[number], vertex.inputs[number]
        fast = self._fast(old, new)
        if fast or old.selection is None or new.selection is None:
            return fast
        return self.content(record, vertex, number).same

    def _fast(self, old: Input, new: Input) -> bool | None:
        if old.vertex is None or new.vertex is None or old.selection != new.selection:
            return False
        outcome = self.outcomes[new.vertex]
        if outcome.record is old.vertex:
            return True
        return None if old.vertex in outcome.candidates else False

    def content(self, record: Vertex, vertex: Vertex, number: int) -> Sameness:
        """Whether what the two read is the same, byte by byte."""
        old, new = record.inputs[number], vertex.inputs[number]
        assert old.selection is not None and new.selection is not None
        if old.vertex is None and new.vertex is None:
            found = compare(
                old.selection, self.before.tree, new.selection, self.after.tree, self.delta
            )
            return Sameness(not found, found)
        if old.vertex is None or new.vertex is None:
            return Sameness(None)
        answer = self._results(old, new)
        if answer.same is None and self.known is not None:
            measured = self.known(record, vertex, number)
            return (
                answer
                if measured is None
                else Sameness(measured, answer.differences, answer.through)
            )
        return answer

    def _results(self, old: Input, new: Input) -> Sameness:
        """The same paths of two stages' results."""
        assert old.vertex and new.vertex and old.selection and new.selection
        if old.vertex.kind == new.vertex.kind == "file":
            return Sameness(old.vertex.operation == new.vertex.operation, (), new.vertex)
        if old.selection != new.selection:
            return Sameness(None)
        answers = [
            self._path(old.vertex, new.vertex, fixed_part(source))
            for source in new.selection.sources
        ]
        return next(
            (a for a in answers if a.same is False),
            next((a for a in answers if a.same is None), _SAME),
        )

    def _path(self, old: Vertex, new: Vertex, path: str) -> Sameness:
        if self.outcomes[new].record is old:
            return _SAME
        was, now = layers_of(old, path), layers_of(new, path)
        if self.outcomes[now.bottom].record is not was.bottom:
            return Sameness(None, (), now.bottom)
        if len(was.writes) != len(now.writes) or any(
            one.operation != two.operation for one, two in zip(was.writes, now.writes, strict=False)
        ):
            return Sameness(None, (), now.writes[0] if now.writes else now.bottom)
        found = _SAME
        for index, (one, two) in enumerate(zip(was.writes, now.writes, strict=True)):
            answer = self._write(one, two, path)
            if answer.same is False and self._may_be_hidden(
                answer, was.writes[:index], list(below(was))
            ):
                answer = Sameness(None, answer.differences, two)
            if answer.same is False:
                return answer
            found = answer if answer.same is None else found
        return found

    def _write(self, old: Vertex, new: Vertex, path: str) -> Sameness:
        """Whether one copy puts the same things at or under `path`."""
        for number in range(1, len(new.inputs)):
            if old.inputs[number].selection is None or new.inputs[number].selection is None:
                continue
            answer = self.content(old, new, number)
            if answer.same is None or not (answer.same or answer.differences):
                return Sameness(None, answer.differences, new)
            judged = [self._lands(new, number, one, path) for one in answer.differences]
            if True in judged:
                return Sameness(False, answer.differences, new)
            if None in judged:
                return Sameness(None, answer.differences, new)
        return _SAME

    def _lands(
        self, vertex: Vertex, number: int, difference: PathDifference, path: str
    ) -> bool | None:
        """Whether a changed path surely ends up, with another content, at or under `path`."""
        selection = vertex.inputs[number].selection
        places = (
            landing_places(vertex, selection, difference)
            if selection and vertex.kind == "copy"
            else ()
        )
        destination = vertex.destination.path if vertex.destination else None
        if (
            not places
            or destination is None
            or not overlaps(canonical(destination), canonical(path))
        ):
            return None  # nobody knows, or a link that a RUN made may lead from there to here
        if difference.what == "mode" and dict(vertex.operation).get("--chmod"):
            return False  # every mode is set by the copy
        judged = [is_under(canonical(place), canonical(path)) for place in places]
        if all(judged):
            return (
                None
                if difference.what == "mode" and difference.after and difference.after.kind == "dir"
                else True
            )
        if any(judged) or any(overlaps(canonical(place), canonical(path)) for place in places):
            return None
        return False

    def _may_be_hidden(
        self, answer: Sameness, later: tuple[Vertex, ...], deeper: list[Vertex]
    ) -> bool:
        """Whether another copy may hold the same path: one above hides the change, one below may
        fill the gap."""
        if later:
            return True
        gaps = any(one.what in ("added", "removed", "kind") for one in answer.differences)
        return gaps and any(one.kind == "copy" for one in deeper)
