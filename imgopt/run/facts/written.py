"""What a program wrote while it ran, by the folders that would have to be writable for it."""

from __future__ import annotations

import os
import posixpath
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgopt.engine import Change, Container
from imgopt.image.tree import Tree
from imgopt.results.run_facts import Written
from imgopt.run.facts.first_answer import began

_MOST_FOLDERS = 40
_MOST_EXAMPLES = 3
_MOST_IN_VOLUME = 20_000
_STICKY = 0o1000
_CLOCK = 1.0
"""Files of a volume are the image's own where they are older than the start, by a second."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One path that was written; `bytes` None: a folder."""

    path: str
    bytes: int | None


def written(container: Container, tree: Tree, volumes: Iterable[str]) -> list[Written]:
    """Of a container that runs or has ended; `tree` is the image's file system, `volumes` are the
    places where something is mounted that may be written. Sizes are 0 where this machine cannot
    see the container's files."""
    seen = container.inspect()
    upper = ((seen.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir") or ""
    pid = int(seen["State"].get("Pid") or 0)
    roots = [Path(upper)] if upper else []
    roots += [Path(f"/proc/{pid}/root")] if pid else []
    marks = marks_of(container.changes(), lambda path: _seen(roots, path))
    found = by_folder(marks, tree)
    if pid:
        begun = began(seen["State"])
        for volume in sorted(set(volumes)):
            found += _in_volume(Path(f"/proc/{pid}/root"), volume, begun)
    return sorted(found, key=lambda one: (-one.bytes, one.folder))[:_MOST_FOLDERS]


def marks_of(
    changes: Sequence[Change], seen: Callable[[str], os.stat_result | None]
) -> tuple[Mark, ...]:
    """Written paths of `docker diff`: folders that only hold another change are left out."""
    above = {
        str(parent) for change in changes for parent in Path(change.path).parents
    }  # of those that changed
    marks = []
    for change in changes:
        found = seen(change.path) if change.kind != "deleted" else None
        folder = found is not None and stat.S_ISDIR(found.st_mode)
        if change.path in above or (folder and change.kind == "modified"):
            continue
        size = found.st_size if found is not None and stat.S_ISREG(found.st_mode) else 0
        marks.append(Mark(change.path, None if folder else size))
    return tuple(marks)


def by_folder(marks: Iterable[Mark], tree: Tree) -> list[Written]:
    """One entry for each folder that has to be writable."""
    groups: defaultdict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        groups[folder_for(mark.path, tree)].append(mark)
    return [_entry(folder, group) for folder, group in sorted(groups.items())]


def folder_for(path: str, tree: Tree) -> str:
    """The folder to mount something writable at, so that this path can be written and the least of
    the image's own files is hidden: one that the image has and that is empty, or that everybody may
    write to; else the new folder; else the one that the file lies in."""
    parts = [part for part in path.split("/") if part]
    place, node = "/", tree.root
    for part in parts[:-1]:
        child = (node.children or {}).get(part)
        if child is None or child.kind != "dir":
            break
        place, node = posixpath.join(place, part), child
        if node.mode & _STICKY:
            return place
    if not node.children:
        return place
    below = path.removeprefix(place).lstrip("/").split("/")
    return posixpath.join(place, below[0]) if len(below) > 1 else place


def hides(folder: str, tree: Tree) -> bool:
    """Whether the image has files of its own there that something mounted would hide."""
    node = tree.resolve(folder)
    return node is not None and bool(node.children)


def _entry(folder: str, marks: Sequence[Mark], *, volume: bool = False) -> Written:
    files = [mark for mark in marks if mark.bytes is not None]
    largest = sorted(files, key=lambda mark: (-(mark.bytes or 0), mark.path))
    return Written(
        folder=folder,
        bytes=sum(mark.bytes or 0 for mark in files),
        files=len(files),
        volume=volume,
        examples=[mark.path for mark in largest[:_MOST_EXAMPLES]],
    )


def _in_volume(root: Path, volume: str, begun: float) -> list[Written]:
    top = root / volume.lstrip("/")
    marks: list[Mark] = []
    for folder, _, names in os.walk(top):
        for name in names:
            found = _lstat(Path(folder, name))
            if found is not None and found.st_mtime >= begun - _CLOCK:
                inside = posixpath.join("/", str(Path(folder, name).relative_to(root)))
                marks.append(Mark(inside, found.st_size))
        if len(marks) > _MOST_IN_VOLUME:
            break
    return [_entry(volume, marks, volume=True)] if marks else []


def _seen(roots: Sequence[Path], path: str) -> os.stat_result | None:
    found = (_lstat(root / path.lstrip("/")) for root in roots)
    return next((one for one in found if one is not None), None)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def volumes_of(config: Mapping[str, object], more: Iterable[str]) -> tuple[str, ...]:
    """Places of the image's VOLUME lines and what is mounted for writing beside them."""
    declared = config.get("Volumes")
    own = declared if isinstance(declared, dict) else {}
    return tuple(dict.fromkeys((*own, *more)))
