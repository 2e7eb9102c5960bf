"""Replay: what the last commits would have cost, had each been built with this Dockerfile right
after its parent.

Commits are read from git's objects; nothing is checked out. Today's Dockerfile and ignore file
stand for all of them, so that two Dockerfiles can be compared on the same history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from imgopt.cache.graph import Step, Vertex
from imgopt.cache.predict import Prediction, predict
from imgopt.cache.selection import read_by
from imgopt.cache.state import State
from imgopt.cache.times import Times
from imgopt.context.files import Content, Entry
from imgopt.context.history import Commit, History, PathChange

_GIT = ".git"
_MONTH = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Marker:
    """A blob of the history: it is never read, its id tells it apart."""

    name: str
    size: int = 0

    @property
    def key(self) -> object:
        return self.name

    def read(self) -> bytes:
        return self.name.encode()

    def git_id(self, algorithm: str) -> str:
        return f"{algorithm}:{self.name}"


@dataclass(frozen=True, slots=True)
class CommitCost:
    """What one commit rebuilds. `seconds` None: a step's time is not known. `causes`: the lines
    whose own input changed, in file order."""

    id: str
    time: int
    missed: tuple[Step, ...]
    unknown: tuple[Step, ...]
    causes: tuple[Step, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class LineCost:
    """How often a line was the first to miss, and the seconds of everything that ran because of
    it."""

    step: Step
    commits: int
    seconds: float | None


@dataclass(frozen=True)
class ReplayCost:
    """One Dockerfile over the history. Seconds are of builds one after the other, so an upper bound
    where stages run in parallel; None where a step's time is not known. An unknown step counts as
    one that runs."""

    state: State
    commits: tuple[CommitCost, ...]
    lines: tuple[LineCost, ...]
    per_build: float | None
    per_month: float | None
    builds_per_month: float | None
    notes: tuple[str, ...] = ()


@dataclass
class Replay:
    """Plays commits against one Dockerfile; those that touch the same inputs cost the same and are
    worked out once."""

    state: State
    times: Times = field(default_factory=Times)
    _known: dict[frozenset[object], Prediction] = field(default_factory=dict)
    _readers: dict[str, frozenset[object]] = field(default_factory=dict)

    def run(self, history: History) -> ReplayCost:
        """The cost of every commit, newest first. `history.commits` must not be None."""
        assert history.commits is not None
        costs = tuple(self._commit(commit) for commit in history.commits)
        seconds = [cost.seconds for cost in costs]
        total = None if None in seconds else sum(one for one in seconds if one is not None)
        per_build = None if total is None or not costs else total / len(costs)
        rate = _per_month(costs)
        return ReplayCost(
            self.state,
            costs,
            tuple(self._lines(costs)),
            per_build,
            None if per_build is None or rate is None else per_build * rate,
            rate,
            tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        if self._reads_git:
            yield f"{_GIT} is copied into the image: every commit changes it"

    @cached_property
    def _copies_from_stages(self) -> bool:
        inputs = [one for vertex in self.state.graph.vertices for one in vertex.inputs]
        return any(one.vertex is not None and one.selection is not None for one in inputs)

    @cached_property
    def _reads_git(self) -> bool:
        return _GIT in self.state.tree and bool(self._reading(_GIT + "/HEAD"))

    def _commit(self, commit: Commit) -> CommitCost:
        changes = [*commit.changes]
        if self._reads_git:
            changes.append(PathChange(_GIT + "/HEAD", (0o100644, "before"), (0o100644, "after")))
        prediction = self._prediction(changes)
        if prediction is None:
            return CommitCost(commit.id, commit.time, (), (), (), 0.0)
        missed = tuple(one.step for one in prediction.steps if one.verdict == "miss")
        unknown = tuple(one.step for one in prediction.steps if one.verdict == "unknown")
        times = [self.times.of(step) for step in (*missed, *unknown)]
        seconds = None if None in times else sum(one for one in times if one is not None)
        return CommitCost(commit.id, commit.time, missed, unknown, _causes(prediction), seconds)

    def _prediction(self, changes: Iterable[PathChange]) -> Prediction | None:
        """The prediction for a set of changed paths; the same inputs touched give the same
        answer."""
        relevant = [
            (change, readers) for change in changes if (readers := self._reading(change.path))
        ]
        if not relevant:
            return None
        key: frozenset[object] = frozenset(reader for _, readers in relevant for reader in readers)
        if self._copies_from_stages:  # then it matters which path of an input changed
            key |= {
                (change.path, change.before is None, change.after is None) for change, _ in relevant
            }
        if key not in self._known:
            self._known[key] = self._predicted([change for change, _ in relevant])
        return self._known[key]

    def _predicted(self, changes: Iterable[PathChange]) -> Prediction:
        sides = [(change.path, change.before, change.after) for change in changes]
        before = self.state.tree.edited({path: _entry(side) for path, side, _ in sides})
        after = self.state.tree.edited({path: _entry(side) for path, _, side in sides})
        return predict(self.state.on(before), self.state.on(after))

    def _reading(self, path: str) -> frozenset[object]:
        """Which inputs of which vertices read this path of the context; empty for what is not
        sent."""
        found = self._readers.get(path)
        if found is None:
            found = self._readers[path] = (
                frozenset(self._find_readers(path)) if self._is_sent(path) else frozenset()
            )
        return found

    def _is_sent(self, path: str) -> bool:
        ignore = self.state.ignore
        return path in self.state.tree or ignore is None or not ignore.excludes(path)

    def _find_readers(self, path: str) -> Iterator[object]:
        for vertex in self.state.graph.vertices:
            for number, one in enumerate(vertex.inputs):
                if (
                    one.vertex is None
                    and one.selection
                    and read_by(one.selection, self.state.tree, path)
                ):
                    yield (id(vertex), number)

    def _lines(self, costs: Iterable[CommitCost]) -> Iterator[LineCost]:
        """The lines that start rebuilds, the dearest first; a commit's seconds go to its first
        cause."""
        commits: Counter[Step] = Counter()
        seconds: dict[Step, float | None] = {}
        for cost in costs:
            for step in cost.causes[:1]:
                commits[step] += 1
                old = seconds.get(step, 0.0)
                seconds[step] = None if old is None or cost.seconds is None else old + cost.seconds
        order = sorted(
            commits, key=lambda step: (-(seconds[step] or 0.0), -commits[step], step.line)
        )
        return (LineCost(step, commits[step], seconds[step]) for step in order)


def _causes(prediction: Prediction) -> tuple[Step, ...]:
    """The steps that miss by what they read themselves."""
    found = []
    for one in prediction.steps:
        vertex: Vertex = prediction.vertex(one.step)
        if one.verdict == "miss" and prediction.reasons.cause(vertex).origin is vertex:
            found.append(one.step)
    return tuple(found)


def _entry(side: tuple[int, str] | None) -> Entry | None:
    if side is None:
        return None
    mode, blob = side
    content: Content = _Marker(blob)
    return Entry("file", 0o755 if mode & 0o100 else 0o644, content)


def _per_month(costs: tuple[CommitCost, ...]) -> float | None:
    """Commits in 30 days at the pace of these; None for fewer than two or no time between them."""
    if len(costs) < 2:
        return None
    span = max(cost.time for cost in costs) - min(cost.time for cost in costs)
    return len(costs) * _MONTH / span if span > 0 else None
