"""The scenarios of `imgopt cache` as a benchmark can repeat them: an edit that no build saw before,
and its undoing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from imgopt.bench.arms import ArmSpec
from imgopt.cache.edits import Edit
from imgopt.cache.scenarios import Scenario, Skipped, scenarios
from imgopt.cache.state import State
from imgopt.context.files import list_files
from imgopt.context.history import churn
from imgopt.dockerfile import IgnoreFile, parse

REPEATABLE = (
    "no-change",
    "touch-only",
    "edit-source",
    "edit-test",
    "edit-docs",
    "edit-manifest",
    "edit-lock",
    "add-file",
    "build-arg",
)
"""A second chmod, deletion or renaming would find the first one's result in the cache."""
DEFAULT = ("no-change", "edit-source", "edit-manifest")


def choose(arm: ArmSpec, names: Sequence[str] = DEFAULT) -> list[Scenario | Skipped]:
    """Those of the named scenarios, with the files of this arm's project that they edit."""
    ignore = IgnoreFile.parse(arm.ignore) if arm.ignore else None
    state = State(
        parse(arm.text, arm.dockerfile),
        list_files(arm.context, ignore),
        ignore_text=arm.ignore,
        dockerfile_path=arm.dockerfile,
        target=arm.request.target,
        build_args=arm.request.build_args,
    )
    return list(scenarios(arm.context, state, churn(arm.project).counts or {}, names))


def undo(edit: Edit, folder: Path, pristine: Path) -> None:
    """Takes an edit of a copy back, also of files that the build does not get."""
    for path in edit.entries:
        original, copy = pristine / path, folder / path
        if original.is_symlink() or original.exists():
            shutil.copy2(original, copy, follow_symlinks=False)
        else:
            copy.unlink(missing_ok=True)
