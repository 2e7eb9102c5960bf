"""Writes what was measured into the baseline: all of it, or only where an image became smaller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from imgopt.ci.codecs import other_codecs
from imgopt.ci.entries import Entry, read_baseline, write_baseline
from imgopt.ci.gate import Checked
from imgopt.ci.store import locked
from imgopt.results.ci import Metric

Say = Callable[[str], None]


def record(
    path: Path,
    checked: Sequence[Checked],
    *,
    ratchet: Metric | None = None,
    say: Say = lambda _: None,
) -> list[str]:
    """Replaces the entries of the images; returns the keys of those that changed.

    With `ratchet`, entries only go down in that metric: a larger image keeps its old entry, as does
    one whose layers are compressed otherwise where the metric is that of compressed bytes (`say`
    hears of it); a new image is added. An acceptance ends with the entry it was made for. Raises
    InputError for a damaged file, which stays as it is.
    """
    with locked(path):
        entries = read_baseline(path) or {}
        changed = []
        for item in checked:
            old = entries.get(item.entry.key)
            if ratchet is not None and old is not None and not _lower(item, old, ratchet, say):
                continue
            if old != item.entry:
                entries[item.entry.key] = item.entry
                changed.append(item.entry.key)
        if changed or not path.exists():
            write_baseline(path, entries)
    return changed


def _lower(item: Checked, old: Entry, metric: Metric, say: Say) -> bool:
    codecs = other_codecs(old, item.facts) if metric == "wire" else None
    if codecs:
        say(
            f"kept {old.key}: the layers are compressed otherwise ({codecs}), which is no smaller"
            " image; `imgopt ci baseline` without --ratchet records it"
        )
    return not codecs and _smaller(item.entry, old, metric)


def _smaller(new: Entry, old: Entry, metric: Metric) -> bool:
    now, before = new.sizes.of(metric), old.sizes.of(metric)
    return now is not None and before is not None and now < before
