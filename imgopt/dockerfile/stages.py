"""Build stages and how they hang together: `FROM stage`, `COPY --from`, `RUN --mount=from=`.

Rules: moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go. A stage's name is kept in lower
case. FROM finds only earlier stages (the nearest of a name, which it must write in lower case);
`--from` finds the last one of a name without regard to case; only that of COPY takes a number, in a
mount it would be an image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from imgopt.dockerfile.expand import ExpansionError
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.reference import ImageReference
from imgopt.dockerfile.scope import Scope
from imgopt.dockerfile.spans import Span
from imgopt.dockerfile.typed import Copy, From, Located, Onbuild, Run
from imgopt.errors import InputError

_USERS = ("COPY", "RUN", "ONBUILD")


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage. `instructions` begins with its FROM. `name` is lower case, None without `AS`.

    `base` is the image; it is text when FROM names a stage (then `parent` is set) or the text, with
    its variables expanded, is not an image reference. `span` covers its instructions, first keyword
    to last character.
    """

    index: int
    name: str | None
    base: ImageReference | str
    parent: Stage | None
    instructions: tuple[Instruction, ...] = field(repr=False)
    platform: str | None = None

    @property
    def start(self) -> Instruction:
        """Its FROM."""
        return self.instructions[0]

    @property
    def line(self) -> int:
        return self.start.line

    @property
    def span(self) -> Span:
        return Span(self.start.span.start, self.instructions[-1].span.end)

    @property
    def said_base(self) -> str:
        """The base for a sentence: its name, or what FROM says where that leaves no name."""
        typed = self.start.typed
        return str(self.base) or (typed.image if isinstance(typed, From) else self.start.value)

    @property
    def is_scratch(self) -> bool:
        return self.parent is None and str(self.base) == "scratch"

    @property
    def root(self) -> Stage:
        """The stage at the bottom of the `FROM stage` chain, whose base is an image."""
        stage = self
        while stage.parent is not None:
            stage = stage.parent
        return stage

    @property
    def chain(self) -> tuple[Stage, ...]:
        """From the root to this stage."""
        chain = [self]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        return tuple(reversed(chain))

    def __str__(self) -> str:
        return self.name or str(self.index)


class Stages(tuple[Stage, ...]):
    """The stages of a file in order; `named` finds the last one of each name without a search,
    `used` remembers which stages a stage needs."""

    named: dict[str, Stage]
    used: dict[int, tuple[Stage, ...]]

    def __new__(cls, stages: Iterable[Stage]) -> Stages:
        made = super().__new__(cls, stages)
        made.named = {stage.name: stage for stage in made if stage.name}
        made.used = {}
        return made


def build_stages(instructions: tuple[Instruction, ...], scope: Scope) -> Stages:
    """Stages of well-formed FROM lines, which see the global `scope`; a malformed FROM still begins
    a stage, with an empty base."""
    first = next((at for at, item in enumerate(instructions) if item.stage >= 0), len(instructions))
    stages: list[Stage] = []
    named: dict[str, Stage] = {}
    for group in _groups(instructions[first:]):
        stage = _stage(len(stages), group, scope, named)
        stages.append(stage)
        if stage.name:
            named[stage.name] = stage
    return Stages(stages)


def _groups(instructions: tuple[Instruction, ...]) -> Iterator[tuple[Instruction, ...]]:
    begin = 0
    for at in range(1, len(instructions) + 1):
        if at == len(instructions) or instructions[at].stage != instructions[begin].stage:
            yield instructions[begin:at]
            begin = at


def _stage(
    index: int, group: tuple[Instruction, ...], scope: Scope, named: Mapping[str, Stage]
) -> Stage:
    typed = group[0].typed
    if not isinstance(typed, From):
        return Stage(index, None, "", None, group)
    text = _expanded(typed.image, scope)
    parent = named.get(text)
    base: ImageReference | str = text
    if parent is None:
        try:
            base = ImageReference.parse(text)
        except InputError:
            base = text
    platform = _expanded(typed.platform, scope) if typed.platform else None
    return Stage(index, str(typed.name) if typed.name else None, base, parent, group, platform)


def _expanded(text: str, scope: Scope) -> str:
    try:
        return scope.expand(text)
    except ExpansionError:
        return text


class FromWord(NamedTuple):
    """A `--from`. `number`: it may be that of a stage. For a mount the span is that of the whole
    `--mount` value."""

    word: Located
    number: bool


def from_words(instruction: Instruction) -> tuple[FromWord, ...]:
    """Every `from` of the instruction (COPY --from, RUN --mount=from=), what ONBUILD holds
    included."""
    if instruction.keyword not in _USERS:
        return ()
    typed = instruction.typed
    if isinstance(typed, Onbuild) and instruction.trigger is not None:
        return from_words(instruction.trigger)
    if isinstance(typed, Copy) and typed.from_:
        return (FromWord(typed.from_, True),)
    mounts = typed.mounts if isinstance(typed, Run) else ()
    return tuple(
        FromWord(Located(mount.from_, mount.span), False) for mount in mounts if mount.from_
    )


def find_stage(stages: tuple[Stage, ...], word: str, *, numbers: bool = True) -> Stage | None:
    """The stage that `--from=word` means: the last of that name, or the number; None for an image
    or a context.

    Without `numbers` it is the `from=` of a mount, where BuildKit takes a number for an image's
    name.
    """
    named = (stages if isinstance(stages, Stages) else Stages(stages)).named
    found = named.get(word.lower())
    if found is not None:
        return found
    if (
        numbers
        and word.isdecimal()
        and word.isascii()
        and len(word) < 10
        and int(word) < len(stages)
    ):
        return stages[int(word)]
    return None


def needs(stages: tuple[Stage, ...], stage: Stage) -> tuple[Stage, ...]:
    """The stages that `stage` uses directly, in file order."""
    if not isinstance(stages, Stages):
        stages = Stages(stages)
    known = stages.used.get(stage.index)
    if known is None:
        known = stages.used[stage.index] = _needs(stages, stage)
    return known


def _needs(stages: Stages, stage: Stage) -> tuple[Stage, ...]:
    found = {stage.parent.index} if stage.parent else set()
    for instruction in stage.instructions:
        for word, number in from_words(instruction):
            used = find_stage(stages, word, numbers=number)
            if used is not None:
                found.add(used.index)
    return tuple(stages[index] for index in sorted(found))


def reachable(stages: tuple[Stage, ...], target: Stage) -> tuple[Stage, ...]:
    """`target` and everything that building it builds, in file order."""
    seen = {target.index}
    waiting = [target]
    while waiting:
        for used in needs(stages, waiting.pop()):
            if used.index not in seen:
                seen.add(used.index)
                waiting.append(used)
    return tuple(stages[index] for index in sorted(seen))
