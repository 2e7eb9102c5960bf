"""deps-stage: what is installed before the source comes is copied from a stage that ends there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from imgopt.dockerfile import Edit, Instruction, Stage
from imgopt.dockerfile.typed import From
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.before_copy import last_run
from imgopt.rewrite.final.before_source import BeforeSource, touched
from imgopt.rewrite.final.build_tools import RemovableTools, removable_tools
from imgopt.rewrite.final.fates import overlap
from imgopt.rewrite.final.final_stage import FinalStage, run_lines
from imgopt.rewrite.final.packages_stage import renamed, stage_names
from imgopt.rewrite.image_examples import (
    NODE_MODULES,
    NODE_SOURCE,
    NODE_TEXT,
    PYTHON_BUILD,
    SOURCE,
    WORKDIR,
    node_example,
    python_example,
)
from imgopt.rewrite.lines.quoting import folded
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

LEAST_BYTES = 5_000_000
"""Less than this is read in a hundredth of a second: not worth a stage."""
_NEARLY_ALL = 0.9


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Divides the builder in front of the first COPY of the context that has nearly all that is
    installed above it."""
    evidence, final = situation.evidence, situation.final
    if evidence is None or final is None:
        return
    division = _best(situation, final)
    if division is not None:
        yield division.change()


@dataclass(frozen=True)
class _Place:
    """A step of the builder that copies something of the context, and what is above it."""

    situation: Situation
    builder: str
    number: int

    @property
    def stage(self) -> Stage:
        return self.situation.stage

    @property
    def source(self) -> Instruction:
        return self.stage.instructions[self.number]

    @property
    def is_bare(self) -> bool:
        """Whether the stage goes on from another one that has a name, and does nothing above this
        step."""
        steps = {item.keyword for item in self.stage.instructions[1 : self.number]} & {
            "RUN",
            "COPY",
            "ADD",
            "WORKDIR",
        }
        return not steps and self.stage.parent is not None and bool(self.stage.parent.name)

    @property
    def is_behind_early(self) -> bool:
        """Whether what the builder does early stands above."""
        last = last_run(self.stage)
        return (
            not self.is_bare
            and last is not None
            and self.stage.instructions.index(last) < self.number
        )

    @property
    def names(self) -> tuple[str, str]:
        """Of the stage that ends here, and of the one that tidies up."""
        packages, production = stage_names(self.situation)
        parent = self.stage.parent.name if self.is_bare and self.stage.parent is not None else None
        return parent or packages, production

    def edits(
        self, early: tuple[str, ...], tidying: tuple[str, ...], gone: Instruction | None
    ) -> tuple[Edit, ...]:
        """`early` stays above, `tidying` gets a stage of its own; `gone` is a step that moved
        there."""
        typed, (packages, production) = self.stage.start.typed, self.names
        assert isinstance(typed, From)
        middle = f"FROM {packages} AS {production}\n{self._text(tidying)}\n" if tidying else ""
        removed = (Edit(gone.extent.start, gone.extent.end, ""),) if gone is not None else ()
        if self.is_bare:
            return (self._before(self.stage.start, middle), *removed)
        text = f"{self._text(early)}\n{middle}FROM {packages} AS {self.builder}\n"
        return (renamed(typed, packages), self._before(self.source, text), *removed)

    def _before(self, item: Instruction, text: str) -> Edit:
        at = item.comments[0].start if item.comments else item.extent.start
        eol = self.situation.dockerfile.eol
        blank = self.situation.dockerfile.text[:at].endswith(eol * 2)
        return Edit(at, at, (text.removeprefix("\n") if blank else text).replace("\n", eol))

    def _text(self, commands: tuple[str, ...]) -> str:
        above = self.stage.instructions[self.number - 1]
        return as_root(
            run_lines(commands), self.situation.dockerfile, above, self.situation.evidence
        )


@dataclass(frozen=True)
class _Division:
    """The builder in two parts: the first one has what the copies of the numbers `settled` hold."""

    place: _Place
    final: FinalStage
    settled: frozenset[int]
    size: int
    """Of those copies, in bytes."""
    moved: tuple[str, ...]
    """Commands that only concern what is settled, and would stand behind the source."""
    tools: Instruction | None
    """The step that removes tools, where it moves too."""
    removal: str

    def change(self) -> Change:
        early = self.final.early if self.place.is_behind_early else ()
        tidying = (*((self.removal,) if self.tools is not None else ()), *self.moved)
        packages, production = self.place.names
        name = production if tidying else packages
        copies = enumerate(self.final.copies)
        final = replace(
            self.final,
            copies=tuple(
                replace(copy, stage=name) if number in self.settled else copy
                for number, copy in copies
            ),
            early=tuple(one for one in self.final.early if one not in (*early, *self.moved)),
            prepare=tuple(one for one in self.final.prepare if one not in self.moved),
        )
        because = (
            f"{self.size / 1e6:.1f} MB are copied from a stage that ends where the source comes: an"
            " edit of the"
        )
        because += " source has BuildKit read none of it again"
        return Change(
            because,
            self.place.source.line,
            self.place.edits(early, tidying, self.tools),
            final=final,
        )


def _best(situation: Situation, final: FinalStage) -> _Division | None:
    """The first place above which nearly all is that is above the last one."""
    stage = situation.stage
    if stage is not situation.dockerfile.stages[-1] or not isinstance(stage.start.typed, From):
        return None
    before = BeforeSource(situation, final.copies, (*final.early, *final.prepare))
    places = (_Place(situation, final.builder, number) for number in before.sources)
    removable = removable_tools(situation)
    found = [
        one for place in places if (one := _division(place, final, before, removable)) is not None
    ]
    most = max((one.size for one in found), default=0)
    return next((one for one in found if one.size >= max(LEAST_BYTES, _NEARLY_ALL * most)), None)


def _division(
    place: _Place, final: FinalStage, before: BeforeSource, removable: RemovableTools
) -> _Division | None:
    """None where a new step behind this place may write what nobody knows of, or where nothing is
    settled above it."""
    tools = None
    behind: list[tuple[str, ...]] = []
    for item in before.new_steps(place.number):
        if _is_removal(item, removable, place.stage):
            tools = item
        elif touched(item.value):
            behind.append(touched(item.value))
        else:
            return None
    own = {
        one: touched(one)
        for one in (*(() if place.is_behind_early else final.early), *final.prepare)
    }
    removal = folded(removable.command)
    if tools is not None:
        own[removal] = tuple(removable.paths)
    settled = _settled(before.settled(place.number), final, own, behind)
    if not settled:
        return None
    moved = [one for one in own if frozenset() < _concerned(own[one], final) <= settled]
    tools = tools if removal in moved else None
    commands = tuple(one for one in moved if one != removal)
    return _Division(place, final, settled, before.bytes_of(settled), commands, tools, removal)


def _is_removal(item: Instruction, removable: RemovableTools, stage: Stage) -> bool:
    """Whether it is the step that removes tools, and no USER had to be set for it."""
    above = stage.instructions[stage.instructions.index(item) - 1]
    return (
        bool(removable.command)
        and item.value.split() == removable.command.split()
        and above.keyword != "USER"
    )


def _concerned(paths: tuple[str, ...], final: FinalStage) -> frozenset[int]:
    """Numbers of the copies that hold something of these paths."""
    copies = enumerate(final.copies)
    return frozenset(
        number
        for number, copy in copies
        if any(overlap(source, path) for source in copy.sources for path in paths)
    )


def _settled(
    settled: frozenset[int],
    final: FinalStage,
    own: dict[str, tuple[str, ...]],
    behind: list[tuple[str, ...]],
) -> frozenset[int]:
    """Without the copies that a step which stays behind the source concerns: a command moves only
    as a whole."""
    concerned = [_concerned(paths, final) for paths in own.values()]
    settled -= frozenset(number for paths in behind for number in _concerned(paths, final))
    while True:
        fewer = settled - frozenset(
            n for numbers in concerned if not numbers <= settled for n in numbers
        )
        if fewer == settled:
            return settled
        settled = fewer


STRATEGY = Strategy(
    name="deps-stage",
    does="Copies packages from a stage that edits leave alone.",
    why=(
        "BuildKit finds a COPY --from again by the contents of what is copied, and reads all of it"
        " whenever the stage did anything new. Copied from the stage that takes the source,"
        " installed packages are read after each edit: 0.7 s per gigabyte here. A stage that ends"
        " in front of the source is found by its key, and the removal of tools and the compilation"
        " of bytecode stand in a stage beside it, which an edit leaves alone too."
    ),
    safety="evidence",
    doubt=92,
    references=(
        "https://github.com/moby/buildkit/blob/master/docs/dev/solver.md",
        "https://docs.docker.com/build/cache/optimize/",
    ),
    rewrite=rewrite,
    refuses=(
        "Less than 5 MB are installed in front of the source; a step behind the source writes to"
        " the same folders, or a new one to a place that cannot be told."
    ),
    evidence_examples=(
        node_example(
            "too small to be worth a stage",
            before=NODE_TEXT,
            layers=(WORKDIR, NODE_SOURCE, NODE_MODULES),
        ),
        python_example("nothing is installed", before=PYTHON_BUILD, layers=(WORKDIR, SOURCE)),
    ),
)
