"""A copy of the context to change and build: own inodes, the same times and modes; the user's files
are only read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from imgopt.context.files import DiskContent, Tree
from imgopt.errors import EnvironmentFailure, InputError, Location


def copy_tree(source: Path, tree: Tree, target: Path) -> None:
    """Copies the paths of a tree. Links are copied as links; nothing is hard-linked, so no edit can
    reach the user's files. Raises EnvironmentFailure where there is no space."""
    folders: list[tuple[Path, int]] = []
    try:
        for path, entry in tree.entries.items():
            made = target / path
            if entry.kind == "dir":
                made.mkdir(parents=True, exist_ok=True)
                folders.append((made, entry.mode))
            elif entry.kind == "link":
                made.symlink_to(entry.link)
            elif isinstance(entry.content, DiskContent):
                _copy_file(source / path, made, entry.mode)
        for made, mode in reversed(folders):
            made.chmod(mode)
    except shutil.SameFileError:
        raise InputError(
            "the copy would be the context itself", location=Location(str(source))
        ) from None
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot copy the context: {error}",
            hint="free space in the temporary directory, or set TMPDIR",
        ) from None


def _copy_file(source: Path, target: Path, mode: int) -> None:
    shutil.copyfile(source, target, follow_symlinks=False)
    target.chmod(mode)
    about = source.lstat()
    os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))
