"""Where the baseline lies: the file as it is here, or as it was at the merge base with another
branch."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imgopt.ci.entries import Entry, parse_baseline, read_baseline
from imgopt.ci.git import Git
from imgopt.errors import EnvironmentFailure, Location


def read_entries(path: Path, revision: str | None) -> tuple[dict[str, Entry] | None, str]:
    """The entries (None: there is no such file) and what to call them. Raises InputError for
    damage."""
    if revision is None:
        return read_baseline(path), path.name
    git = Git.around(path.parent)
    commit = git.merge_base(revision)
    name = f"{path.name} at {commit[:10]}, the merge base with {revision}"
    data = git.file_at(commit, path)
    return (None if data is None else parse_baseline(data, f"{commit[:10]}:{path.name}")), name


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the baseline for a read-change-write, so that two runs at once lose nothing.

    The lock is on the folder: a lock file beside the baseline would be left in the user's
    repository.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _open_folder(path.parent) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    except PermissionError as error:
        raise EnvironmentFailure(
            f"cannot be locked: {error.strerror}", location=Location(str(path))
        ) from None


@contextmanager
def _open_folder(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
