"""Writes what was measured into the baseline: all of it, or only where an image became smaller."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imgopt.ci.entries import Entry, read_baseline, write_baseline
from imgopt.ci.gate import Checked
from imgopt.ci.store import locked
from imgopt.results.ci import Metric


def record(path: Path, checked: Sequence[Checked], *, ratchet: Metric | None = None) -> list[str]:
    """Replaces the entries of the images; returns the keys of those that changed.

    With `ratchet`, entries only go down in that metric: a larger image keeps its old entry, a new
    image is added. An acceptance ends with the entry it was made for. Raises InputError for a
    damaged file, which stays as it is.
    """
    with locked(path):
        entries = read_baseline(path) or {}
        changed = []
        for item in checked:
            old = entries.get(item.entry.key)
            if ratchet is not None and old is not None and not _smaller(item.entry, old, ratchet):
                continue
            if old != item.entry:
                entries[item.entry.key] = item.entry
                changed.append(item.entry.key)
        if changed or not path.exists():
            write_baseline(path, entries)
    return changed


def _smaller(new: Entry, old: Entry, metric: Metric) -> bool:
    now, before = new.sizes.of(metric), old.sizes.of(metric)
    return now is not None and before is not None and now < before
