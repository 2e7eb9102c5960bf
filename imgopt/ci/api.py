"""The gate from Python: what `imgopt ci check` and `imgopt ci baseline` do, without printing or
exiting."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from imgopt.ci.building import Say, built
from imgopt.ci.entries import Entry
from imgopt.ci.gate import Checked, Gate, check_images
from imgopt.ci.record import record
from imgopt.ci.settings import CiSettings, read_settings
from imgopt.ci.store import read_entries
from imgopt.ci.subjects import Subject, Where, find_subjects
from imgopt.config import Config, load_config
from imgopt.results.ci import CiResult


@dataclass(frozen=True)
class Project:
    """The gate's settings, and the folder that their paths start from."""

    settings: CiSettings
    folder: Path
    config: Config

    @property
    def baseline(self) -> Path:
        return self.folder / self.settings.baseline


def check(
    images: Sequence[str] = (),
    *,
    folder: Path | str = ".",
    against: str | None = None,
    against_image: str | None = None,
    rules: Mapping[str, Any] | None = None,
    dockerfile: Path | None = None,
    today: datetime.date | None = None,
    pull: bool = False,
) -> CiResult:
    """Holds images ("REFERENCE" or "NAME=REFERENCE") against the baseline of the project in
    `folder`.

    `rules` goes over those of the configuration, in the same form. `against` is a git revision:
    then the baseline of the merge base counts; `against_image` another image. The result's `status`
    is "passed", "warned", "failed" or "no-baseline". Raises children of ImgoptError.

    >>> rules = {"total": ["error", {"max": "250 MB"}]}
    >>> check(["app=app:dev"], rules=rules).status  # doctest: +SKIP
    'passed'
    """
    project = load_project(Path(folder))
    if rules:
        project = _with_rules(project, rules)
    subjects = find_subjects(images, project.settings, Where(project.folder, dockerfile=dockerfile))
    with built(subjects, project.config, rebuild=False, say=_quiet, keep_going=True) as ready:
        return run_check(
            ready, project, against=against, against_image=against_image, today=today, pull=pull
        )[0]


def baseline(
    images: Sequence[str] = (), *, folder: Path | str = ".", dockerfile: Path | None = None
) -> Path:
    """Records the images in the project's baseline file and returns its path."""
    project = load_project(Path(folder))
    subjects = find_subjects(images, project.settings, Where(project.folder, dockerfile=dockerfile))
    run_record(subjects, project, say=_quiet)
    return project.baseline


def load_project(folder: Path, config: Path | None = None, file: Path | None = None) -> Project:
    """`file` is the baseline that was named on the command line. Raises InputError for a wrong
    configuration."""
    found, path = load_config(folder, config)
    settings = read_settings(found.ci, path)
    if file is not None:
        settings = msgspec.structs.replace(settings, baseline=str(file.resolve()))
    return Project(settings, path.parent if path is not None else folder, found)


def run_check(
    subjects: Sequence[Subject],
    project: Project,
    *,
    against: str | None = None,
    against_image: str | None = None,
    today: datetime.date | None = None,
    pull: bool = False,
    suggest: bool = True,
    accepted: bool = True,
) -> tuple[CiResult, list[Checked]]:
    """As `check`, with the entries that would record what was measured; `accepted` False ignores
    acceptances."""
    entries: Mapping[str, Entry] | None
    if against_image is not None:
        entries, name = _entries_of_image(subjects, against_image, project, pull), against_image
    else:
        entries, name = read_entries(project.baseline, against)
    if entries is not None and not accepted:
        entries = {
            key: msgspec.structs.replace(entry, accepted=None) for key, entry in entries.items()
        }
    gate = Gate(
        settings=project.settings,
        entries=entries,
        baseline=project.settings.baseline,
        against=name,
        today=today or datetime.date.today(),
        pull=pull,
        build_args=project.config.build.args,
        suggest=suggest,
    )
    return check_images(subjects, gate)


def run_record(
    subjects: Sequence[Subject],
    project: Project,
    *,
    rebuild: bool = False,
    pull: bool = False,
    ratchet: bool = False,
    say: Say,
) -> tuple[list[str], list[str]]:
    """Measures and records; the keys of the entries that changed, and of all. A damaged baseline is
    not replaced."""
    with built(subjects, project.config, rebuild=rebuild, say=say) as ready:
        _, checked = check_images(ready, _fresh_gate(project, pull))
    changed = record(
        project.baseline, checked, ratchet=project.settings.metric if ratchet else None, say=say
    )
    return changed, [item.entry.key for item in checked]


def _entries_of_image(
    subjects: Sequence[Subject], reference: str, project: Project, pull: bool
) -> Mapping[str, Entry]:
    """The other image, measured as a baseline would record it, under the name of the one that is
    checked."""
    others = [
        replace(subject, reference=reference, dockerfile=None, context=None) for subject in subjects
    ]
    _, checked = check_images(others, _fresh_gate(project, pull))
    return {item.entry.key: item.entry for item in checked}


def _fresh_gate(project: Project, pull: bool) -> Gate:
    """Compares with nothing: only what is measured counts."""
    return Gate(
        settings=project.settings,
        entries=None,
        baseline=project.settings.baseline,
        against="",
        pull=pull,
        build_args=project.config.build.args,
        suggest=False,
    )


def _with_rules(project: Project, rules: Mapping[str, Any]) -> Project:
    read = read_settings({"rules": dict(rules)}).rules
    chosen = {name: read[name] for name in (key.replace("_", "-") for key in rules)}
    settings = msgspec.structs.replace(project.settings, rules={**project.settings.rules, **chosen})
    return replace(project, settings=settings)


def _quiet(_: str) -> None:
    """From Python, builds are not announced."""
