"""The gate from Python: what `imgopt ci check` and `imgopt ci baseline` do, without printing or exiting."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgopt.ci.baseline import Entry
from imgopt.ci.building import built
from imgopt.ci.check import Checked, Gate, check_images
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


def load_project(folder: Path, config: Path | None = None, file: Path | None = None) -> Project:
    """`file` is the baseline that was named on the command line. Raises InputError for a wrong configuration."""
    found, path = load_config(folder, config)
    settings = read_settings(found.ci, path)
    base = path.parent if path is not None else folder
    if file is not None:
        import msgspec

        settings = msgspec.structs.replace(settings, baseline=str(file.resolve()))
    return Project(settings, base, found)


def run_check(
    subjects: Sequence[Subject], project: Project, *, against: str | None = None, against_image: str | None = None,
    today: datetime.date | None = None, pull: bool = False, suggest: bool = True,
) -> tuple[CiResult, list[Checked]]:  # fmt: skip
    """As `check`, with the entries that would record what was measured."""
    entries: Mapping[str, Entry] | None
    if against_image is not None:
        entries, name = _entries_of_image(subjects, against_image, project, pull), against_image
    else:
        entries, name = read_entries(project.baseline, against)
    gate = Gate(
        settings=project.settings,
        entries=entries,
        baseline=project.settings.baseline,
        against=name,
        today=today or datetime.date.today(),
        pull=pull,
        suggest=suggest,
    )
    return check_images(subjects, gate)


def _entries_of_image(subjects: Sequence[Subject], reference: str, project: Project, pull: bool) -> Mapping[str, Entry]:
    """The other image, measured as a baseline would record it, under the name of the one that is checked."""
    from dataclasses import replace

    gate = Gate(project.settings, None, "", reference, pull=pull, suggest=False)
    others = [replace(subject, reference=reference, dockerfile=None, context=None) for subject in subjects]
    _, checked = check_images(others, gate)
    return {item.entry.key: item.entry for item in checked}


def check(
    images: Sequence[str] = (), *, folder: Path | str = ".", against: str | None = None,
    against_image: str | None = None, rules: Mapping[str, Any] | None = None, dockerfile: Path | None = None,
    today: datetime.date | None = None, pull: bool = False,
) -> CiResult:  # fmt: skip
    """Holds images ("REFERENCE" or "NAME=REFERENCE") against the baseline of the project in `folder`.

    `rules` goes over those of the configuration, in the same form. `against` is a git revision: then the baseline of
    the merge base counts; `against_image` another image. The result's `status` is "passed", "warned", "failed" or
    "no-baseline". Raises children of ImgoptError.

    >>> check(["app=app:dev"], rules={"total": ["error", {"max": "250 MB"}]}).status    # doctest: +SKIP
    'passed'
    """
    project = load_project(Path(folder))
    if rules:
        project = _with_rules(project, rules)
    subjects = find_subjects(images, project.settings, Where(project.folder, dockerfile=dockerfile))
    result, _ = run_check(
        subjects, project, against=against, against_image=against_image, today=today, pull=pull
    )  # fmt: skip
    return result


def _with_rules(project: Project, rules: Mapping[str, Any]) -> Project:
    import msgspec

    read = read_settings({"rules": dict(rules)}).rules
    chosen = {name.replace("_", "-"): read[name.replace("_", "-")] for name in rules}
    settings = msgspec.structs.replace(project.settings, rules={**project.settings.rules, **chosen})
    return Project(settings, project.folder, project.config)


def baseline(images: Sequence[str] = (), *, folder: Path | str = ".", dockerfile: Path | None = None) -> Path:
    """Records the images in the project's baseline file and returns its path."""
    from imgopt.ci.record import record

    project = load_project(Path(folder))
    subjects = find_subjects(images, project.settings, Where(project.folder, dockerfile=dockerfile))
    with built(subjects, project.config, rebuild=False, say=_quiet) as ready:
        record(project.baseline, run_check(ready, project, suggest=False)[1])
    return project.baseline


def _quiet(_: str) -> None:
    """From Python, builds are not announced."""
