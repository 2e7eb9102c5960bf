"""Many paths made few: the folders and files worth showing, and an explicit rest, so that every sum
still holds."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from imgopt.results.figures import PathFigure


@dataclass(frozen=True, slots=True)
class Node:
    """A leaf to show: bytes and files before and after. `rest` counts the entries that it stands
    for, 0 for itself."""

    path: str
    before: int
    after: int
    files_before: int
    files_after: int
    rest: int = 0

    @property
    def weight(self) -> int:
        return max(self.before, self.after)


@dataclass(slots=True)
class _Folder:
    before: int = 0
    after: int = 0
    files_before: int = 0
    files_after: int = 0
    others: int = 0
    """Entries of the folder itself that came as one figure."""
    children: dict[str, _Folder] | None = None
    """None for most: they are files."""

    def add(self, other: PathFigure | _Folder) -> None:
        self.before += other.before
        self.after += other.after
        self.files_before += other.files_before
        self.files_after += other.files_after


def leaves(figures: Iterable[PathFigure], limit: int) -> list[Node]:
    """At most about `limit` nodes that sum to the figures, the heaviest folders opened first;
    sorted by weight.

    Entries of a folder that would be smaller than 1/(2 * limit) of everything are one node
    together, with `rest`.
    """
    root = _grow(figures)
    small = (max(root.before, root.after)) / (2 * limit)
    heap: list[tuple[float, str, _Folder]] = [(0.0, "", root)]
    done: list[Node] = []
    while heap and len(heap) + len(done) < limit:
        _, path, folder = heapq.heappop(heap)
        if not folder.children:
            done.append(_node(f"{path}/" if folder.others else path or "/", folder, folder.others))
            continue
        for child_path, child in _opened(path, folder, small, done):
            heapq.heappush(heap, (-max(child.before, child.after), child_path, child))
    done += [
        _node(f"{path}/" if folder.children else path or "/", folder) for _, path, folder in heap
    ]
    return sorted(done, key=lambda node: (-node.weight, node.path, node.rest))


def _grow(figures: Iterable[PathFigure]) -> _Folder:
    """The folders with the sums of all that is below them."""
    root = _Folder()
    links: list[tuple[_Folder, _Folder]] = []
    known: dict[str, _Folder] = {}
    for figure in figures:
        head, _, name = figure.path.rpartition("/")
        folder = known.get(head)
        if folder is None:
            folder = known[head] = _descend(root, head.split("/"), links)
        if name:
            folder = _child(folder, name, links)
        folder.add(figure)
        folder.others += figure.others
    for parent, child in reversed(
        links
    ):  # made before its children, so that it is summed up after them
        parent.add(child)
    return root


def _descend(
    folder: _Folder, names: Iterable[str], links: list[tuple[_Folder, _Folder]]
) -> _Folder:
    for name in filter(None, names):
        folder = _child(folder, name, links)
    return folder


def _child(folder: _Folder, name: str, links: list[tuple[_Folder, _Folder]]) -> _Folder:
    if folder.children is None:
        folder.children = {}
    child = folder.children.get(name)
    if child is None:
        child = folder.children[name] = _Folder()
        links.append((folder, child))
    return child


def _opened(
    path: str, folder: _Folder, small: float, done: list[Node]
) -> list[tuple[str, _Folder]]:
    """The children worth a node; the others go to `done` as one rest. Bytes of the folder itself
    count there too."""
    children = folder.children or {}
    tiny = {
        name for name, child in children.items() if child.before < small and child.after < small
    }
    hidden = tiny if len(tiny) > 1 else set()
    kept = [(f"{path}/{name}", child) for name, child in children.items() if name not in hidden]
    rest = _Folder(folder.before, folder.after, folder.files_before, folder.files_after)
    for _, child in kept:
        rest.before -= child.before
        rest.after -= child.after
        rest.files_before -= child.files_before
        rest.files_after -= child.files_after
    if rest.before or rest.after or rest.files_before or rest.files_after:
        done.append(_node(f"{path}/", rest, max(len(hidden) + folder.others, 1)))
    return kept


def _node(path: str, folder: _Folder, rest: int = 0) -> Node:
    return Node(path, folder.before, folder.after, folder.files_before, folder.files_after, rest)


def reduced(figures: Iterable[PathFigure], limit: int) -> list[PathFigure]:
    """The same figures in at most about `limit`, with the same sums, sorted by path."""
    return sorted(map(as_figure, leaves(figures, limit)), key=lambda figure: figure.path)


def as_figure(node: Node) -> PathFigure:
    """A node as what it was made of, so that fewer nodes can be made from many."""
    return PathFigure(
        path=node.path,
        before=node.before,
        after=node.after,
        files_before=node.files_before,
        files_after=node.files_after,
        others=node.rest,
    )


def totals(nodes: Iterable[Node]) -> tuple[int, int]:
    """Bytes before and after of all nodes."""
    both = [(node.before, node.after) for node in nodes]
    return sum(before for before, _ in both), sum(after for _, after in both)
