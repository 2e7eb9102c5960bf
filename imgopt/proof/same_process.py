"""Which process of a candidate does the work of which process of the original.

A process is known by its program and its words. What stood above the service's own process in the
original, because a launcher was started first, has no counterpart where the start is another one on
purpose.
"""

from __future__ import annotations

import ast
import contextlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from imgopt.image.packages.names import plain_name
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import NOT_LANGUAGES, package_root
from imgopt.inspect.start.runners import runners
from imgopt.inspect.start.start_words import SHELLS
from imgopt.proof.allowances import Allowances
from imgopt.run.pictures import Picture, Process

_TITLE = re.compile(r"[\s:]")
_DRAWN = re.compile(r"\d{3,}|[0-9a-f]{8,}|(?<=[./_-])[A-Za-z0-9_]{6,}(?=$|/)")

Kind = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Processes that do the same work: those of each run of the original, and the candidate's."""

    before: tuple[Process, ...]
    after: Process
    exact: bool = True
    """The words are the same."""


@dataclass(frozen=True, slots=True)
class Paired:
    """`lost` and `new` are what only one side has, `launchers` what stood above a process that both
    have, `fewer` the kinds of which the candidate has another number."""

    pairs: tuple[Pair, ...] = ()
    lost: tuple[Process, ...] = ()
    new: tuple[Process, ...] = ()
    launchers: tuple[Process, ...] = ()
    counts: tuple[tuple[Process, int, int], ...] = ()


@dataclass(frozen=True)
class Spelling:
    """How words are compared: paths by the file that they lead to, moved as it is allowed."""

    view: ImageView
    allowances: Allowances = field(default_factory=Allowances)

    def kind(self, process: Process) -> Kind:
        words = tuple(word for word in process.arguments if word)
        if words and _TITLE.search(words[0]) and len(words) == 1:
            return (self.program(process), words[0])
        return (
            self.program(process),
            *(self._word(process.folder, word) for word in _unwrapped(words[1:])),
        )

    def program(self, process: Process) -> str:
        """A shell by the name that it was called by: which file does it is another in each base."""
        called = posixpath.basename(process.arguments[0]) if process.arguments else ""
        if called in SHELLS:
            return called
        return posixpath.basename(self._moved(process.program))

    def _word(self, folder: str, word: str) -> str:
        if word.startswith("-") or len(word) > 300 or "\n" in word:
            return word
        node = self.view.file(posixpath.normpath(posixpath.join(folder, word)))
        if node is None:
            return word
        return self._of_package(node.path) or self._moved(node.path)

    def _of_package(self, path: str) -> str:
        """A file of a language's package by the package: an environment of its own has it elsewhere
        ("gunicorn: bin/gunicorn"). Empty for others."""
        owner = self.view.owner(path)
        if owner is None or owner.ecosystem in NOT_LANGUAGES:
            return ""
        root = package_root(owner.metadata)
        inside = path.startswith(f"{root}/")
        name = posixpath.relpath(path, root) if inside else f"bin/{posixpath.basename(path)}"
        return f"{plain_name(owner.name)}: {name}"

    def _moved(self, path: str) -> str:
        return self.allowances.places(path)[-1][0]


def _unwrapped(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a program that a launcher runs by words of its own."""
    text = " ".join(words)
    for pattern in _wraps():
        match = pattern.search(text)
        if match:
            with contextlib.suppress(ValueError, SyntaxError):
                return tuple(map(str, ast.literal_eval(match["words"])))
    return words


@cache
def _wraps() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(one.wraps, re.DOTALL) for one in runners().values() if one.wraps)


def pair(before: Sequence[Picture], ours: Spelling, after: Picture, theirs: Spelling) -> Paired:
    """Of one moment: `before` has the picture of each run of the original."""
    exact = _same_in_all([{ours.kind(p) for p in one.processes} for one in before])
    kinds = [_by_kind(picture.processes, ours, exact) for picture in before]
    same = _same_in_all([set(found) for found in kinds])
    stable = {kind: [found[kind] for found in kinds] for kind in kinds[0] if kind in same}
    given = _by_kind(after.processes, theirs, exact)
    pairs: list[Pair] = []
    lost: list[tuple[Kind, list[list[Process]]]] = []
    for kind, runs in stable.items():
        if kind in given:
            pairs += _pairs(runs, given[kind])
        else:
            lost.append((kind, runs))
    seen = {_masked(kind) for found in kinds for kind in found}
    left = {kind: found for kind, found in given.items() if _masked(kind) not in seen}
    for kind, runs in list(lost):
        alike = [other for other in left if kind[0] == other[0]]
        if len(alike) == 1:
            pairs += _pairs(runs, left.pop(alike[0]), exact=False)
            lost.remove((kind, runs))
    above = _above([p for one in pairs for p in one.before[:1]], before[0].processes)
    gone = [runs[0][0] for _, runs in lost]
    over = _above([one.after for one in pairs], after.processes)
    new = [found[0] for found in left.values() if found[0].number not in over]
    return Paired(
        tuple(pairs),
        tuple(process for process in gone if process.number not in above),
        tuple(new),
        tuple(process for process in gone if process.number in above),
        tuple(_counts(stable, given)),
    )


def _by_kind(
    processes: Iterable[Process], spelling: Spelling, exact: frozenset[Kind]
) -> dict[Kind, list[Process]]:
    """By kind, drawn numbers and names aside where every run of the original has others. Without
    what was put into the container from outside, as commands of a probe are."""
    found: dict[Kind, list[Process]] = {}
    for process in processes:
        if process.parent or process.number == 1:
            kind = spelling.kind(process)
            found.setdefault(kind if kind in exact else _masked(kind), []).append(process)
    return found


def _same_in_all(kinds: list[set[Kind]]) -> frozenset[Kind]:
    return frozenset(kinds[0]).intersection(*kinds[1:])


def _masked(kind: Kind) -> Kind:
    return (kind[0], *(_DRAWN.sub("#", word) for word in kind[1:]))


def _pairs(runs: list[list[Process]], given: list[Process], *, exact: bool = True) -> list[Pair]:
    """The first of each run: those of one kind were started alike."""
    return [Pair(tuple(run[0] for run in runs), given[0], exact)]


def _above(processes: Iterable[Process], others: Iterable[Process]) -> frozenset[int]:
    """Numbers of the processes that started these, or that started what started them."""
    parents = {process.number: process.parent for process in others}
    found: set[int] = set()
    for process in processes:
        number = process.parent
        while number and number not in found:
            found.add(number)
            number = parents.get(number, 0)
    return frozenset(found)


def _counts(
    stable: dict[Kind, list[list[Process]]], given: dict[Kind, list[Process]]
) -> Iterable[tuple[Process, int, int]]:
    for kind, runs in stable.items():
        counts = Counter(len(run) for run in runs)
        if kind in given and len(counts) == 1 and len(given[kind]) not in counts:
            yield runs[0][0], len(runs[0]), len(given[kind])
