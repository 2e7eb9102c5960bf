"""Each run gets its own copy of what the user mounts for writing: runs start alike, and the user's
files stay as they are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from imgopt.engine import Session
from imgopt.engine.session import remove_tree

_MOST_BYTES = 512 << 20
_MOST_FILES = 50_000


@contextmanager
def fresh_mounts(
    session: Session, mounts: Sequence[str], *, as_is: bool = True
) -> Iterator[tuple[str, ...]]:
    """The mounts with copied sources. Volumes, sockets, `:ro` mounts what is above 512 MiB or
    50,000 files and what we may not read are used as they are; with `as_is` False for reading
    alone."""
    copies: list[Path] = []
    given: list[str] = []
    try:
        for mount in mounts:
            source, _, target = mount.partition(":")
            path = Path(source).expanduser()
            if not source.startswith((".", "~", "/")) or _read_only(target) or not _is_small(path):
                given.append(mount if as_is or _read_only(target) else f"{mount}:ro")
                continue
            copies.append(session.temp_tree("mount"))
            copies[-1].chmod(0o755)
            copy = copies[-1] / "copy"
            done = subprocess.run(
                ["cp", "-a", "--", str(path.resolve()), str(copy)], capture_output=True, check=False
            )
            whole = mount if as_is else f"{mount}:ro"
            given.append(f"{copy}:{target}" if done.returncode == 0 else whole)
        yield tuple(given)
    finally:
        for copy in copies:
            remove_tree(copy)


def _read_only(target: str) -> bool:
    return "ro" in target.partition(":")[2].split(",")


def _is_small(path: Path) -> bool:
    if path.is_file():
        return path.stat().st_size <= _MOST_BYTES
    if not path.is_dir():
        return False
    files = size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            files += 1
            size += Path(folder, name).lstat().st_size
            if files > _MOST_FILES or size > _MOST_BYTES:
                return False
    return True
