"""Files with several names: what goes with some of the names, and what all of them weigh."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from imgopt.image.tree import Inode, Node, Tree


def distinct(nodes: Iterable[Node]) -> list[Inode]:
    """The files behind these names, each once."""
    return list({id(node.inode): node.inode for node in nodes if node.inode is not None}.values())


def freed(nodes: Iterable[Node]) -> int:
    """Bytes that are saved when these names go: none of a file that has a name elsewhere."""
    names: dict[int, int] = defaultdict(int)
    files: dict[int, Inode] = {}
    for node in {id(node): node for node in nodes}.values():
        if node.inode is not None:
            names[id(node.inode)] += 1
            files[id(node.inode)] = node.inode
    return sum(file.entry.size for key, file in files.items() if names[key] == file.links)


def other_names(tree: Tree) -> set[int]:
    """Nodes (by id) that are a further name of a file: all but the first in the order of the
    tree."""
    first: dict[int, Node] = {}
    others: set[int] = set()
    for node in tree.files():
        if node.inode is not None and node.inode.links > 1:
            known = first.get(id(node.inode))
            if known is None or node.path.split("/") < known.path.split("/"):
                first[id(node.inode)], node = node, known or node
            if node is not first[id(node.inode)]:
                others.add(id(node))
    return others
