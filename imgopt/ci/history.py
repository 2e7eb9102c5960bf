"""Sizes over time, from the baseline's own git history: no service keeps them."""

from __future__ import annotations

from pathlib import Path

from imgopt.ci.entries import Entry, parse_baseline
from imgopt.ci.git import FileCommit, Git
from imgopt.errors import InputError, Location
from imgopt.image import printable
from imgopt.results.ci import Metric
from imgopt.results.history import HistoryResult, ImageHistory, Point


def history(path: Path, metric: Metric, limit: int = 200) -> HistoryResult:
    """The last `limit` commits of the file. Raises InputError where it has none."""
    git = Git.around(path.parent)
    commits = git.commits_of(path, limit)
    if not commits:
        raise InputError(
            "no commit has this file", location=Location(str(path)), hint="commit it first"
        )
    points: dict[str, list[Point]] = {}
    entries: dict[str, Entry] = {}
    notes: list[str] = []
    for commit in reversed(commits):
        try:
            data = git.file_at(commit.id, path)
            found = {} if data is None else parse_baseline(data, path.name)
        except InputError as error:
            notes.append(f"{commit.id[:10]} is left out: {error.message}")
            continue
        for key, entry in found.items():
            _add(points.setdefault(key, []), entries.get(key), entry, commit, metric)
        entries.update(found)
    images = [
        ImageHistory(name=entries[key].image, platform=entries[key].platform, points=points[key])
        for key in sorted(points)
    ]
    return HistoryResult(
        metric=metric, baseline=path.name, commits=len(commits), images=images, notes=notes
    )


def _add(
    points: list[Point], before: Entry | None, entry: Entry, commit: FileCommit, metric: Metric
) -> None:
    if before is not None and before.sizes == entry.sizes and before.accepted == entry.accepted:
        return
    old, new = before.sizes.of(metric) if before else None, entry.sizes.of(metric)
    chains = [
        item.base.chain if item is not None and item.base is not None else ""
        for item in (before, entry)
    ]
    accepted = entry.accepted is not None and (before is None or before.accepted != entry.accepted)
    points.append(
        Point(
            commit=commit.id,
            time=commit.time,
            author=printable(commit.author),
            subject=printable(commit.subject),
            sizes=entry.sizes,
            delta=new - old if old is not None and new is not None else None,
            base_changed=before is not None and chains[0] != chains[1],
            because=entry.accepted.because if accepted and entry.accepted else "",
        )
    )
