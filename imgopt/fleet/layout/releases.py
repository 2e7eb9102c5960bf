"""A project's commits as releases: which groups of packages, or the code, each of them changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imgopt.context.history import Commit, History, PathChange, Repository
from imgopt.dockerfile import IgnoreFile
from imgopt.errors import EnvironmentFailure
from imgopt.fleet.cost.estimate import MONTH
from imgopt.fleet.layout.grouping import GroupName, Names
from imgopt.fleet.layout.locks import Lock, changed, lock_of, pinned

_FROM = re.compile(r"^[ \t]*FROM[ \t]+.*$", re.IGNORECASE | re.MULTILINE)
_MOST = 16 << 20
"""Bytes of a lock file; a larger one is no list of packages."""


@dataclass(frozen=True, slots=True)
class Releases:
    """Oldest first. `per_month` None: their times do not tell. `packages`: what each group's
    changes were, by name."""

    changed: tuple[frozenset[GroupName], ...]
    per_month: float | None = None
    packages: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def rate(self, group: GroupName, per_month: float) -> float:
        """Changes a month."""
        if not self.changed:
            return 0.0
        return sum(group in each for each in self.changed) * per_month / len(self.changed)


@dataclass
class _Reader:
    """Blobs of the history, each read once."""

    repository: Repository
    names: Names
    dockerfile: str
    ignore: IgnoreFile | None
    languages: frozenset[str]
    counts: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    _known: dict[str, str] = field(default_factory=dict)

    def release(self, commit: Commit) -> frozenset[GroupName]:
        groups: set[GroupName] = set()
        for change in commit.changes:
            groups |= set(self._groups(change))
        return frozenset(groups)

    def _groups(self, change: PathChange) -> Iterator[GroupName]:
        lock = lock_of(change.path)
        if change.path == self.dockerfile:
            yield from self._of_dockerfile(change)
        elif lock is not None and lock.ecosystem in self.languages:
            yield from self._of_lock(change, lock)
        elif self.ignore is None or not self.ignore.excludes(change.path):
            yield "code"

    def _of_dockerfile(self, change: PathChange) -> Iterator[GroupName]:
        """Another FROM is another base; other lines make what they make anew, which is not known
        here."""
        before, after = (
            [match[0].split() for match in _FROM.finditer(self._text(side))]
            for side in (change.before, change.after)
        )
        if before and before != after:
            yield "base"

    def _of_lock(self, change: PathChange, lock: Lock) -> Iterator[GroupName]:
        before, after = (pinned(lock, self._text(side)) for side in (change.before, change.after))
        for name in sorted(changed(before, after)):
            self.counts[name] = self.counts.get(name, 0) + 1
            yield self.names.group(name, lock.ecosystem)

    def _text(self, side: tuple[int, str] | None) -> str:
        if side is None:
            return ""
        blob = side[1]
        if blob not in self._known:
            try:
                data = self.repository.blob(blob)
            except EnvironmentFailure:  # a partial clone has not brought it
                data, self.unread = b"", self.unread + 1
            self._known[blob] = data[:_MOST].decode("utf-8", "replace")
        return self._known[blob]


def releases_of(
    context: Path,
    dockerfile: str,
    ignore: IgnoreFile | None,
    names: Names,
    commits: int,
    languages: Collection[str],
) -> Releases | str:
    """The last commits that touch the context, or why there are none. The first of them made what
    was there: it is where the count begins, and no release itself. Lock files of other `languages`
    than those whose packages the image has are files as others are."""
    repository = Repository.of(context)
    if isinstance(repository, str):
        return repository
    found: History = repository.history(commits)
    if found.commits is None:
        return found.reason
    reader = _Reader(repository, names, dockerfile, ignore, frozenset(languages))
    ordered = [*reversed(found.commits)]
    first = [] if len(found.commits) == commits else ordered[:1]
    told = [commit for commit in ordered if commit not in first]
    made = tuple(reader.release(commit) for commit in told)
    if not made:
        return "one commit alone: nothing changed since"
    notes = [found.note] if found.note else []
    if reader.unread:
        notes.append(f"{reader.unread} versions of files are not in this clone: read as empty")
    times = [commit.time for commit in ordered]
    return Releases(made, _pace(times), dict(reader.counts), tuple(notes))


def _pace(times: list[int]) -> float | None:
    span = max(times) - min(times)
    return (len(times) - 1) * MONTH / span if span > 0 else None


def with_bases(
    releases: tuple[frozenset[GroupName], ...], per_month: float, base_changes: float
) -> tuple[frozenset[GroupName], ...]:
    """The same with a base that changes by itself, evenly spaced: no commit shows that."""
    if base_changes <= 0:
        return releases
    every = max(1.0, per_month / base_changes)
    extra = {round(number * every) for number in range(1, int(len(releases) / every) + 1)}
    return tuple(
        each | {"base"} if number in extra else each for number, each in enumerate(releases, 1)
    )
