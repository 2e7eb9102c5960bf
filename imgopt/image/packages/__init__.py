"""Which packages are in a tree, which files they own, and how many bytes that is."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.image.packages import dpkg, python
from imgopt.image.packages.model import Found, Package, Packages, Paths, assign
from imgopt.image.tree import Node, Tree

__all__ = ["Package", "Packages", "find_packages"]


def find_packages(tree: Tree) -> Packages:
    """Reads every package database in the tree. System packages own a file before language packages do."""
    return assign(tree, _found(tree))


def _found(tree: Tree) -> Iterator[Found]:
    paths = Paths(tree)
    distributions: list[Node] = []
    for node in tree.root.nodes():
        if node.path.endswith(python.METADATA_ENDINGS):
            distributions.append(node)
    yield from dpkg.find(paths)
    yield from python.find(paths, distributions)
