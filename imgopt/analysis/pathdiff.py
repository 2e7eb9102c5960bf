"""Where in the tree the bytes changed: few rows, whose sum is the whole change."""

from __future__ import annotations

from dataclasses import dataclass, field

from imgopt.image import Tree, printable
from imgopt.results.figures import PathFigure

_ROWS = 40
_SMALL = 0.02
"""Of all that changed: smaller children of a directory share one row."""


@dataclass(slots=True)
class _Branch:
    """Live bytes and files below one path in both trees; `moved` sums what grew and what shrank,
    without sign."""

    path: str
    before: int = 0
    after: int = 0
    files_before: int = 0
    files_after: int = 0
    moved: int = 0
    children: dict[tuple[str, bool], _Branch] = field(default_factory=dict)
    """By name, and whether it is a folder: a path may be a file before and a folder after."""


def changed_paths(before: Tree, after: Tree) -> list[PathFigure]:
    """Largest change first. Rows are files, whole folders, or "FOLDER/*" for what is small in a
    folder."""
    root = _Branch("/")
    one, other = _sizes(before), _sizes(after)
    for path in one.keys() | other.keys():
        size, new_size = one.get(path), other.get(path)
        if size != new_size:
            _add(root, path, size, new_size)
    rows = _expanded(root) if root.moved else []
    return sorted(
        (_figure(row) for row in rows), key=lambda row: (-abs(row.after - row.before), row.path)
    )


def _sizes(tree: Tree) -> dict[str, int]:
    """Bytes by path; of several names of one file only the first in order counts."""
    seen: set[int] = set()
    sizes: dict[str, int] = {}
    for node in tree.walk():
        if node.inode is not None and id(node.inode) not in seen:
            seen.add(id(node.inode))
            sizes[node.path] = node.size
    return sizes


def _add(root: _Branch, path: str, before: int | None, after: int | None) -> None:
    parts = path.split("/")[1:]
    branch, place = root, ""
    _count(root, before, after)
    for depth, part in enumerate(parts, 1):
        place = f"{place}/{part}"
        branch = branch.children.setdefault((part, depth < len(parts)), _Branch(place))
        _count(branch, before, after)


def _count(branch: _Branch, before: int | None, after: int | None) -> None:
    branch.before += before or 0
    branch.after += after or 0
    branch.files_before += before is not None
    branch.files_after += after is not None
    branch.moved += abs((after or 0) - (before or 0))


def _expanded(root: _Branch) -> list[_Branch]:
    """Opens the branch that moved most, again and again, until there are enough rows."""
    least = max(1, int(root.moved * _SMALL))
    closed: list[_Branch] = []
    open_ = [root]
    while open_ and len(closed) + len(open_) < _ROWS:
        open_.sort(key=lambda branch: branch.moved)
        branch = open_.pop()
        if not branch.children:
            closed.append(branch)
            continue
        large = [child for child in branch.children.values() if child.moved >= least]
        small = [child for child in branch.children.values() if child.moved < least]
        if not large:
            closed.append(branch)
            continue
        open_ += large
        if small:
            closed.append(_together(f"{branch.path.rstrip('/')}/*", small))
    return closed + open_


def _together(path: str, branches: list[_Branch]) -> _Branch:
    return _Branch(
        path,
        sum(each.before for each in branches),
        sum(each.after for each in branches),
        sum(each.files_before for each in branches),
        sum(each.files_after for each in branches),
        sum(each.moved for each in branches),
    )


def _figure(branch: _Branch) -> PathFigure:
    return PathFigure(
        path=printable(branch.path),
        before=branch.before,
        after=branch.after,
        files_before=branch.files_before,
        files_after=branch.files_after,
    )
