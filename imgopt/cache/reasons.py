"""Why a step is found or not, in words: the file, the flag, the variable or the step before it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from imgopt.cache.graph import Vertex
from imgopt.cache.match import Matching
from imgopt.cache.selection import PathDifference
from imgopt.cache.stage import BASE_ENV

_SECRET = re.compile(r"pass|secret|token|key|credential|auth", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one vertex is not found. `kind`: content, operation, base, new, step (another step's
    miss) or stage.

    `detail` is a sentence part; `origin` is the vertex whose own change it is (itself unless kind
    is step or stage).
    """

    kind: str
    detail: str
    origin: Vertex
    paths: tuple[PathDifference, ...] = ()
    component: str = ""


class Reasons:
    """Explains the outcomes of one matching."""

    def __init__(self, matching: Matching) -> None:
        self.matching = matching
        self._causes: dict[Vertex, Cause] = {}
        self._counterparts = _counterparts(matching)

    def counterpart(self, vertex: Vertex) -> Vertex | None:
        """What this vertex was in the earlier build, as far as the two files correspond."""
        return self._counterparts.get(vertex)

    def sentence(self, vertex: Vertex) -> str:
        """The reason for the outcome of a vertex."""
        outcome = self.matching.outcomes[vertex]
        if outcome.verdict == "hit":
            return self._hit(vertex)
        cause = self.cause(vertex)
        return cause.detail

    def _hit(self, vertex: Vertex) -> str:
        again = [
            one.vertex
            for one in vertex.inputs
            if one.selection is not None and one.vertex is not None and self._missed(one.vertex)
        ]
        said = f"what it copies is the same, though {place(again[0])} runs again" if again else ""
        assumed = f"assuming that {vertex.assumption}" if vertex.assumption else ""
        return "; ".join(filter(None, (said, assumed))) or "nothing in its key changed"

    def _missed(self, vertex: Vertex) -> bool:
        return self.matching.outcomes[vertex].verdict != "hit"

    def cause(self, vertex: Vertex) -> Cause:
        """The cause of a miss or of an unknown, remembered."""
        if vertex not in self._causes:
            self._causes[vertex] = self._find(vertex)
        return self._causes[vertex]

    def _find(self, vertex: Vertex) -> Cause:
        outcome = self.matching.outcomes[vertex]
        record = outcome.candidates[0] if outcome.candidates else self._nearest(vertex)
        if record is None:
            return Cause("new", f"{short(vertex)}: no such step before", vertex)
        changed = operation_change(record, vertex)
        if changed is not None:
            kind = "base" if vertex.kind == "base" else "operation"
            return Cause(kind, f"{short(vertex)}: {changed[1]}", vertex, (), changed[0])
        return self._by_input(record, vertex)

    def _nearest(self, vertex: Vertex) -> Vertex | None:
        """The record to compare with: the counterpart, else one with the same operation."""
        twin = self.counterpart(vertex)
        if twin is not None and twin.kind == vertex.kind:
            return twin
        same = (
            b
            for b in self.matching.before.graph.vertices
            if (b.kind, b.operation) == (vertex.kind, vertex.operation)
        )
        return next(same, None)

    def _by_input(self, record: Vertex, vertex: Vertex) -> Cause:
        answers = [
            (n, self.matching.input_found(record, vertex, n)) for n in range(len(vertex.inputs))
        ]
        # the root file system comes first: what lies above decides before what the step itself
        # reads
        for wanted in (False, None):
            for number, answer in answers:
                if answer is wanted:
                    return self._input_cause(record, vertex, number)
        return Cause("step", f"{short(vertex)}: its inputs changed", vertex)

    def _input_cause(self, record: Vertex, vertex: Vertex, number: int) -> Cause:
        one = vertex.inputs[number]
        if one.selection is None:
            assert one.vertex is not None
            return self._upstream(vertex, one.vertex)
        answer = self.matching.content(record, vertex, number)
        if one.vertex is None:
            shown = _listed(answer.differences) or "what it reads cannot be told"
            return Cause("content", f"{short(vertex)}: {shown}", vertex, answer.differences)
        if answer.same is False and one.vertex.kind == "file":
            return Cause("operation", f"{short(vertex)}: its here-document changed", vertex)
        if answer.same is False:
            shown = _listed(answer.differences)
            return Cause(
                "stage",
                f"{short(vertex)}: {shown} in {place(answer.through)}",
                vertex,
                answer.differences,
            )
        if one.vertex.kind in ("base", "file", "remote"):
            return self._upstream(vertex, one.vertex)
        maker = place(answer.through) if answer.through is not None else "the stage it copies from"
        origin = self._origin(one.vertex, vertex)
        return Cause(
            "stage",
            f"{short(vertex)}: only a build can tell whether {maker} gives the same files",
            origin,
        )

    def _upstream(self, vertex: Vertex, before: Vertex) -> Cause:
        """The step before is not found, so this one cannot be."""
        inner = self.cause(before)
        if before.kind == "base" and self.matching.outcomes[before].verdict == "unknown":
            said = (
                f"{inner.detail.partition(': ')[2]}: only the images can tell whether they have the"
                " same layers"
            )
            return Cause("base", f"{short(vertex)}: {said}", before)
        if before.kind in ("base", "file"):
            return Cause(
                inner.kind,
                f"{short(vertex)}: {inner.detail.partition(': ')[2] or inner.detail}",
                before,
            )
        word = "runs again" if self.matching.outcomes[before].verdict == "miss" else "may run again"
        return Cause("step", f"{place(before)} {word}", inner.origin, inner.paths, inner.component)

    def _origin(self, source: Vertex, vertex: Vertex) -> Vertex:
        return self.cause(source).origin if self._missed(source) else vertex


def operation_change(before: Vertex, after: Vertex) -> tuple[str, str] | None:
    """The first part of the operation that differs: (its name, a sentence part)."""
    if before.kind != after.kind:
        return "keyword", "it is another kind of step"
    for (name, old), (_, new) in zip(before.operation, after.operation, strict=False):
        if old != new:
            return _component_change(name, old, new)
    return None


def _component_change(name: str, old: object, new: object) -> tuple[str, str]:
    if name == "environment":
        return _environment_change(_pairs(old), _pairs(new))
    if name == "command":
        return name, "its command changed"
    if name in ("document text", "--mount"):
        return name, f"{'its here-document' if name == 'document text' else '--mount'} changed"
    if name == "base version":
        return (
            name,
            (
                f"the base image changed from {_shown(old)} to {_shown(new)}"
                if old and new
                else "another base image"
            ),
        )
    return name, f"{name} {_shown(old)} became {_shown(new)}"


def _pairs(value: object) -> list[tuple[str, str]]:
    return list(value) if isinstance(value, tuple) else []


def _environment_change(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> tuple[str, str]:
    was, now = dict(old), dict(new)
    for name, value in new:
        if name not in was:
            return name, f"variable {_named(name)} was added"
        if was[name] != value:
            return name, _variable_change(name, was[name], value)
    gone = next((name for name, _ in old if name not in now), None)
    if gone is not None:
        return gone, f"variable {_named(gone)} is gone"
    return "environment", "the order of its variables changed"


def _variable_change(name: str, old: str, new: str) -> str:
    if name == BASE_ENV:
        return "the base image changed"
    if _SECRET.search(name):
        return f"variable {name} has another value"
    return f"variable {name} changed from {_shown(old)} to {_shown(new)}"


def _named(name: str) -> str:
    return "of the base image" if name == BASE_ENV else name


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        value = " ".join(map(str, value))
    text = str(value) if value not in ("", None, False) else "nothing"
    return text if len(text) <= 60 else text[:57] + "..."


def _listed(found: tuple[PathDifference, ...]) -> str:
    """The first differing path, and how many more."""
    own = [
        one for one in found if not (one.what == "added" and one.after and one.after.kind == "dir")
    ] or list(found)
    if not own:
        return ""
    return str(own[0]) + (f" (and {len(own) - 1} more)" if len(own) > 1 else "")


def short(vertex: Vertex) -> str:
    """An instruction in one short line."""
    if not vertex.steps:
        return {"base": "FROM", "file": "here-document"}.get(vertex.kind, vertex.kind)
    return shortened(vertex.steps[0].instruction)


def shortened(instruction: str, width: int = 60) -> str:
    text = " ".join(instruction.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def place(vertex: Vertex | None) -> str:
    """Where a vertex stands: `line 5 (RUN npm ci)`."""
    if vertex is None or not vertex.steps:
        return "the base image" if vertex is not None and vertex.kind == "base" else "another step"
    return f"line {vertex.steps[0].line} ({shortened(vertex.steps[0].instruction, 40)})"


def _counterparts(matching: Matching) -> dict[Vertex, Vertex]:
    """Pairs the steps of two files by stage and text, else by stage and position."""
    before, after = matching.before.graph.placed, matching.after.graph.placed
    pairs: dict[Vertex, Vertex] = {}
    by_text: dict[tuple[str, str], list[Vertex]] = {}
    by_place: dict[tuple[str, int], Vertex] = {}
    for step, vertex in before:
        by_text.setdefault((step.stage, step.instruction), []).append(vertex)
        by_place[step.stage, step.index] = vertex
    for step, vertex in after:
        same = by_text.get((step.stage, step.instruction))
        twin = same.pop(0) if same else by_place.get((step.stage, step.index))
        if twin is not None:
            pairs.setdefault(vertex, twin)
    for vertex, twin in list(pairs.items()):
        _pair_inputs(vertex, twin, pairs)
    return pairs


def _pair_inputs(vertex: Vertex, twin: Vertex, pairs: dict[Vertex, Vertex]) -> None:
    """Bases and here-documents are no steps: they correspond by who uses them."""
    for one, other in zip(vertex.inputs, twin.inputs, strict=False):
        if (
            one.vertex
            and other.vertex
            and one.vertex.kind == other.vertex.kind
            and not one.vertex.steps
        ):
            pairs.setdefault(one.vertex, other.vertex)
