"""Which copies of the final stage hold nothing that a step behind the source wrote: a stage that
ends where the source comes has them, too.

BuildKit finds a COPY --from by the contents of what is copied, and reads them anew whenever the
stage did anything new: an edit of the source has gigabytes of packages read to find that they are
the same. A stage above the source is found by its own key, and nothing of it is read (moby/buildkit
docs/dev/solver.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf

from imgopt.analysis.steps import EQUAL, Step, likeness, read_steps
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.typed import Copy as CopyInstruction
from imgopt.rewrite.effects import pruned
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import overlap
from imgopt.rewrite.final.final_stage import Copy
from imgopt.rewrite.strategy import Situation

_LIKE = 1.5
"""At least half of the words of two RUNs are the same: strategies add and remove options."""
_PATH = re.compile(r"(?<![^\s'\"=])/[^\s'\";&|]+")


@dataclass(frozen=True)
class BeforeSource:
    """The finished stage, seen from the place of each COPY that brings something of the context."""

    situation: Situation
    copies: tuple[Copy, ...]
    commands: tuple[str, ...] = ()
    """Shell commands that prepare what is copied."""

    @property
    def evidence(self) -> Evidence:
        assert self.situation.evidence is not None
        return self.situation.evidence

    @cached_property
    def sources(self) -> tuple[int, ...]:
        """Where in the stage something of the context is copied, in file order."""
        items = enumerate(self.situation.stage.instructions)
        return tuple(number for number, item in items if reads_context(item))

    @cached_property
    def made_at(self) -> Mapping[int, float]:
        """Layer of the original -> number of the step in the stage that makes it now: -1 for what
        comes from a base or from a stage above, infinity for what cannot be told."""
        stage = self.situation.stage
        above = [(-1, item) for part in stage.chain[:-1] for item in part.instructions[1:]]
        items = [*above, *enumerate(stage.instructions)]
        base = self.evidence.base_layers
        found: dict[int, float] = dict.fromkeys(range(base), -1)
        for step in read_steps(self.evidence.view.image):
            if step.layer is not None and step.layer >= base:
                found[step.layer] = _place(step, items)
        return found

    @cached_property
    def _layers(self) -> tuple[frozenset[int], ...]:
        """For each copy, the layers that wrote or removed something of what it copies."""
        at: dict[str, list[int]] = {}
        found: list[set[int]] = [set() for _ in self.copies]
        for number, copy in enumerate(self.copies):
            gathered = self._gathered(copy)
            found[number] |= {0} if gathered else set()
            for path in self.evidence.real((*copy.sources, *gathered)) if not copy.stage else ():
                at.setdefault(path.rstrip("/"), []).append(number)
        for path, fact in self.evidence.facts.items():
            for number in (n for above in _and_above(path) for n in at.get(above, ())):
                found[number].add(fact.layer)
        for path, layer in self._removed():
            for source in (source for source in at if overlap(source, path)):
                for number in at[source]:
                    found[number].add(layer)
        return tuple(map(frozenset, found))

    def _gathered(self, copy: Copy) -> tuple[str, ...]:
        """What the commands name that make a folder which the original has not."""
        if any(source.rstrip("/") in self.evidence.facts for source in copy.sources):
            return ()
        named = (touched(one) for one in self.commands)
        return tuple(
            path
            for paths in named
            if any(overlap(a, b) for a in paths for b in copy.sources)
            for path in paths
        )

    def _removed(self) -> Iterator[tuple[str, int]]:
        for layer in self.evidence.view.image.layers[self.evidence.base_layers :]:
            for entry in layer.entries():
                if entry.kind in ("whiteout", "opaque"):
                    yield entry.path, layer.index

    def settled(self, place: int) -> frozenset[int]:
        """Numbers of the copies whose contents are there before the step number `place`, and stay
        so."""
        asked = (*self.situation.project.repairs.paths, *pruned(self.situation.effects))
        return frozenset(
            number
            for number, copy in enumerate(self.copies)
            if self._layers[number]
            and all(self.made_at.get(layer, inf) < place for layer in self._layers[number])
            and not any(overlap(source, path) for source in copy.sources for path in asked)
        )

    def bytes_of(self, numbers: Iterable[int]) -> int:
        """What the copies hold, in bytes."""
        sources = {path.rstrip("/") for number in numbers for path in self.copies[number].sources}
        facts = self.evidence.facts.items()
        return sum(fact.size for path, fact in facts if not sources.isdisjoint(_and_above(path)))

    def new_steps(self, place: int) -> Iterator[Instruction]:
        """RUNs at `place` or behind it that the original has not: what they write is not
        measured."""
        steps = [step for step in read_steps(self.evidence.view.image) if step.keyword == "RUN"]
        for item in self.situation.stage.instructions[place:]:
            if item.keyword == "RUN" and not any(likeness(step, item) >= _LIKE for step in steps):
                yield item


def _place(step: Step, items: Iterable[tuple[int, Instruction]]) -> float:
    """Where the step that is most like this one stands, the last of equals."""
    scored = [(likeness(step, item), number) for number, item in items]
    best = max(scored, default=(0.0, 0))
    return best[1] if best[0] >= (_LIKE if step.keyword == "RUN" else EQUAL) else inf


def reads_context(item: Instruction) -> bool:
    """Whether it is a COPY or ADD of something of the context."""
    typed = item.typed
    return isinstance(typed, CopyInstruction) and typed.from_ is None and bool(typed.sources)


def touched(command: str) -> tuple[str, ...]:
    """The absolute paths that a shell command of ours names."""
    return tuple(
        path.rstrip("/") for path in _PATH.findall(command.replace("\\\n", " ")) if path.strip("/")
    )


def _and_above(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
