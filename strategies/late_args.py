"""late-args: what every build has anew (a commit, a date) stands behind the steps without use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from imgopt.dockerfile import Dockerfile, Edit, Instruction, Stage
from imgopt.dockerfile.moves import block, block_text, delete_all, insert_after
from imgopt.dockerfile.typed import Arg, Env, Label, Pairs
from imgopt.rewrite.order.stamps import is_read_by_tools, is_stamp, reader_of, stamped_by_ci
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy
from imgopt.strategies.late_args_examples import EXAMPLES

_NAMES = re.compile(r"\$\{?([A-Za-z_]\w*)")
_MAKES_LAYERS = ("RUN", "COPY", "ADD", "WORKDIR")


@dataclass(frozen=True)
class _Group:
    """ARG, ENV and LABEL lines that pass a value on to each other: they move together."""

    items: tuple[Instruction, ...]
    because: str
    """How it is known that every build has another value."""

    @property
    def names(self) -> set[str]:
        """The variables that they set."""
        return {key for item in self.items if item.keyword != "LABEL" for key in _keys(item)}

    @property
    def used(self) -> set[str]:
        """The variables that their values name."""
        return {name for item in self.items for name in _used(item)}


@dataclass(frozen=True)
class _Move:
    items: tuple[Instruction, ...]
    to: Instruction
    """The first instruction that reads a value of them, else the last that makes a layer."""
    is_read: bool
    passed: int
    """How many RUN steps need not run again any more."""
    because: str


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every stage that the build uses; what stands above the first stage is nothing to a RUN."""
    project = situation.project
    stages = [
        stage
        for stage in situation.dockerfile.reachable(project.target)
        if {"ARG", "ENV"} & _keywords(stage) and "RUN" in _keywords(stage)
    ]
    given = any("ARG" in _keywords(stage) for stage in stages)
    by_ci = stamped_by_ci(project.context, project.ecosystems) if given else {}
    for stage in stages:
        yield from _stage(situation, stage, by_ci)


def _keywords(stage: Stage) -> set[str]:
    return {item.keyword for item in stage.instructions}


def _stage(situation: Situation, stage: Stage, by_ci: Mapping[str, str]) -> Iterator[Change | Skip]:
    moved: set[int] = set()
    moves: dict[int, list[_Move]] = {}
    for item in stage.instructions:
        because = _is_new_in_every_build(situation, item, by_ci)
        if not because or item.line in moved:
            continue
        group = _group(situation, stage.instructions, item, by_ci, because)
        move = _move(situation, stage.instructions, group)
        if isinstance(move, Skip):
            yield move
        elif move is not None:
            moved |= {one.line for one in group.items}
            moves.setdefault(move.to.line, []).append(move)
    for together in moves.values():
        yield _change(situation, together)


def _is_new_in_every_build(
    situation: Situation, item: Instruction, by_ci: Mapping[str, str]
) -> str:
    """How it is known that every build has another value of all that an ARG or ENV sets; "" where
    it is not so."""
    typed = item.typed
    if not isinstance(typed, Arg | Env) or not typed.pairs:
        return ""
    ecosystems = situation.project.ecosystems
    said = ""
    for pair in typed.pairs:
        file = by_ci.get(pair.key, "") if isinstance(typed, Arg) else ""
        if is_read_by_tools(pair.key, ecosystems) or not (file or is_stamp(pair.key, ecosystems)):
            return ""
        said = said or (f"{file} gives it" if file else "by its name")
    return said


def _group(
    situation: Situation,
    items: Sequence[Instruction],
    first: Instruction,
    by_ci: Mapping[str, str],
    because: str,
) -> _Group:
    """`first` with what passes its value on, and what else that passes on."""
    behind = [item for item in items if item.span.start > first.span.start]
    group = _Group((first,), because)
    while True:
        more = [
            item
            for item in behind
            if item not in group.items
            and (
                _passes_on(item, group.names)
                or (
                    group.used & set(_keys(item)) and _is_new_in_every_build(situation, item, by_ci)
                )
            )
        ]
        if not more:
            return group
        found = sorted((*group.items, *more), key=lambda item: item.span.start)
        group = _Group(tuple(found), because)


def _passes_on(item: Instruction, names: Iterable[str]) -> bool:
    """An ENV all of whose values are made of them, or a LABEL that has one of them."""
    typed = item.typed
    if isinstance(typed, Env):
        return all(set(_NAMES.findall(pair.value or "")) & set(names) for pair in typed.pairs)
    return isinstance(typed, Label) and bool(_used(item) & set(names))


def _move(situation: Situation, items: Sequence[Instruction], group: _Group) -> _Move | Skip | None:
    """Where the group goes: in front of its first reader, else behind the last layer. None where no
    RUN stands between."""
    first = group.items[0]
    others = [
        item for item in items if item.span.start > first.span.start and item not in group.items
    ]
    reader, why = _first_reader(situation, others, group)
    end = reader.span.start if reader is not None else len(situation.dockerfile.text)
    passed = [item for item in others if item.keyword == "RUN" and item.span.start < end]
    if not passed:
        return _refused(reader, why, group)
    to = reader or [item for item in others if item.keyword in _MAKES_LAYERS][-1]
    moved = tuple(item for item in group.items if item.span.start < to.span.start)
    return _Move(moved, to, reader is not None, len(passed), group.because)


def _refused(reader: Instruction | None, why: str, group: _Group) -> Skip | None:
    """Worth a word where a RUN is in the way that does not say whether it reads the value."""
    if reader is None or reader.keyword != "RUN":
        return None
    if any(name in reader.value for name in group.names):
        return None
    first = group.items[0]
    return Skip(f"`{first.keyword} {first.value[:50]}` stays: {why} may read it", first.line)


def _first_reader(
    situation: Situation, items: Iterable[Instruction], group: _Group
) -> tuple[Instruction | None, str]:
    for item in items:
        why = _held_by(situation, item, group)
        if why:
            return item, why
    return None, ""


def _held_by(situation: Situation, item: Instruction, group: _Group) -> str:
    """Why the group cannot pass an instruction: it reads a value, or sets what the group is made
    of."""
    for name in sorted(group.names):
        reader = reader_of(situation, item, name)
        if reader:
            return reader
    keys = {key for one in group.items for key in _keys(one)}
    sets = group.used if isinstance(item.typed, Arg | Env) else keys
    if isinstance(item.typed, Pairs) and sets & set(_keys(item)):
        return f"{item.keyword} in line {item.line}"
    return ""


def _keys(item: Instruction) -> list[str]:
    return [pair.key for pair in item.typed.pairs] if isinstance(item.typed, Pairs) else []


def _used(item: Instruction) -> set[str]:
    """The variables that its keys and values name."""
    pairs = item.typed.pairs if isinstance(item.typed, Pairs) else ()
    return {name for pair in pairs for name in _NAMES.findall(f"{pair.key} {pair.value or ''}")}


def _spaced(dockerfile: Dockerfile, item: Instruction) -> str:
    """Its lines; under a comment of its own, with the empty line that stood above."""
    start = block(dockerfile, item).start
    text = block_text(dockerfile, item)
    apart = start < item.span.start and dockerfile.text[:start].endswith(dockerfile.eol * 2)
    return dockerfile.eol + text if apart else text


def _change(situation: Situation, moves: Sequence[_Move]) -> Change:
    dockerfile = situation.dockerfile
    found = [item for move in moves for item in move.items]
    items = sorted(found, key=lambda item: item.span.start)
    text = "".join(_spaced(dockerfile, item) for item in items)
    to = moves[0].to
    at = block(dockerfile, to).start
    added = Edit(at, at, text) if moves[0].is_read else insert_after(dockerfile, to, text)
    names = dict.fromkeys(key for item in items if item.keyword != "LABEL" for key in _keys(item))
    passed = max(move.passed for move in moves)
    steps = "1 step that does" if passed == 1 else f"{passed} steps that do"
    because = f"every build has another {', '.join(names)} ({moves[0].because}): {steps}"
    edits = (*delete_all(dockerfile, items), added)
    return Change(f"{because} not read it ran again", items[0].line, edits)


STRATEGY = Strategy(
    name="late-args",
    does="Moves a commit or date behind steps without use for it.",
    why=(
        "ARG and ENV are part of what BuildKit compares for every RUN behind them. A commit hash, a"
        " date or a run number above an installation makes it run again in every build, though it"
        " has no use for the value. Put in front of the first step that reads it, else at the end"
        " of the stage, it costs nothing, and the image has the same variables."
    ),
    safety="text",
    references=(
        "https://docs.docker.com/reference/dockerfile/#impact-on-build-caching",
        "https://docs.docker.com/build/cache/invalidation/#build-arguments",
        "https://github.com/opencontainers/image-spec/blob/main/annotations.md",
    ),
    rewrite=rewrite,
    examples=EXAMPLES,
    refuses=(
        "It stays in front of a step that names the variable or may read it by itself: a build"
        " command, a script, an installation of the project itself, anything that is not known."
    ),
    wrong="every build has another value of it, so every step behind it runs again",
    doubt=95,
)
