"""Which instruction of a Dockerfile made which layer of an image, and where the base ends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from imgopt.analysis import Step, match_lines, read_steps
from imgopt.dockerfile import Dockerfile, Instruction
from imgopt.image import Image


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a layer: the instruction without its build arguments (they may be secret), and
    where it is written."""

    text: str
    instruction: Instruction | None = None

    @property
    def key(self) -> str:
        """A short hash of the text, blanks folded: the same instruction has the same key in every
        build."""
        return hashlib.sha256(" ".join(self.text.split()).encode("utf-8", "replace")).hexdigest()[
            :12
        ]


@dataclass(frozen=True, slots=True)
class Origins:
    """One origin per layer. `base_layers` is None where it is not known which layers came with the
    base."""

    layers: tuple[Origin, ...]
    base_layers: int | None
    lines: bool = False
    """True where the Dockerfile could be laid beside the image's history."""


def find_origins(image: Image, dockerfile: Dockerfile | None, target: str | None = None) -> Origins:
    """Pairs layers with instructions; without a Dockerfile (or with another's) the history's words
    are all there is."""
    steps = read_steps(image)
    matched = (
        match_lines(steps, dockerfile, target)
        if dockerfile is not None and dockerfile.stages
        else steps
    )
    lines = dockerfile is not None and _fits(matched, dockerfile, target)
    matched = matched if lines else steps
    made = [step for step in matched if step.layer is not None]
    base = None
    if lines and not any(step.base is None for step in made):
        base = sum(bool(step.base) for step in made)
    return Origins(tuple(_origin(step, dockerfile) for step in made), base, lines)


def _fits(steps: Sequence[Step], dockerfile: Dockerfile, target: str | None) -> bool:
    """Whether this file built the image: half of its instructions stand word for word in the
    history."""
    if not dockerfile.stages:
        return False
    wanted = sum(len(stage.instructions) - 1 for stage in dockerfile.target(target).chain)
    return 0 < wanted <= 2 * sum(step.confidence == "matched" for step in steps)


def guess_base(image: Image) -> int | None:
    """Layers of the base as the history alone suggests: a base ends with its own CMD or ENTRYPOINT.
    None: no sign."""
    made = [step for step in read_steps(image) if step.layer is not None]
    return (
        None if any(step.base is None for step in made) else sum(bool(step.base) for step in made)
    )


def _origin(step: Step, dockerfile: Dockerfile | None) -> Origin:
    found = (
        dockerfile.at_line(step.line) if dockerfile is not None and step.line is not None else None
    )
    return Origin(step.instruction, found)
