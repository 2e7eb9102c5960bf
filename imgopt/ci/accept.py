"""Takes a growth knowingly: with a reason, an author, and (where it should not last) a date."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from imgopt.ci.entries import Accepted, Entry, read_baseline, write_baseline
from imgopt.ci.gate import Checked
from imgopt.ci.git import Git
from imgopt.ci.store import locked
from imgopt.errors import InputError, Location
from imgopt.results.ci import Finding


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the user says. Without `until` it is for good, and what was measured becomes the new
    baseline."""

    because: str
    until: datetime.date | None = None
    by: str = ""


def read_acceptance(
    because: str, until: str | None, folder: Path, today: datetime.date
) -> Acceptance:
    """Raises InputError for an empty reason, and for a date that is none or past."""
    reason = " ".join(because.split())
    if not reason or not reason.isprintable():
        raise InputError(
            "--because needs a reason in words",
            hint='for instance --because "the model is part of it now"',
        )
    date = None
    if until is not None:
        try:
            date = datetime.date.fromisoformat(until)
        except ValueError:
            raise InputError(f"--until {until}: not a date", hint="write YYYY-MM-DD") from None
        if date < today:
            raise InputError(f"--until {until} is in the past", hint="give a date to come, or none")
    return Acceptance(reason, date, _author(folder))


def _author(folder: Path) -> str:
    try:
        return " ".join(Git.around(folder).user().split())
    except InputError:
        return ""


def accept(path: Path, checked: Sequence[Checked], acceptance: Acceptance) -> list[str]:
    """Writes the acceptance; returns the keys of the entries it was written to, none where nothing
    was found.

    `checked` was judged without earlier acceptances: this one takes their place. With a date the
    old entry stays and is what counts again after it. Raises InputError where there is no baseline.
    """
    with locked(path):
        entries = read_baseline(path)
        if entries is None:
            raise InputError(
                "there is no baseline to accept against",
                location=Location(str(path)),
                hint="imgopt ci baseline IMAGE",
            )
        changed = []
        for item in checked:
            if _to_accept(item):
                entries[item.entry.key] = _accepted(entries.get(item.entry.key), item, acceptance)
                changed.append(item.entry.key)
        if changed:
            write_baseline(path, entries)
    return changed


def _to_accept(item: Checked) -> list[Finding]:
    """Notes are no growth."""
    return [finding for finding in item.check.findings if finding.level != "info"]


def _accepted(old: Entry | None, item: Checked, acceptance: Acceptance) -> Entry:
    figures = {finding.id: finding.measured or 0 for finding in _to_accept(item)}
    accepted = Accepted(
        because=acceptance.because,
        by=acceptance.by,
        until=acceptance.until.isoformat() if acceptance.until else None,
        figures=dict(sorted(figures.items())),
    )
    entry = old if old is not None and acceptance.until is not None else item.entry
    return msgspec.structs.replace(entry, accepted=accepted)
