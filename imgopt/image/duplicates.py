"""The same bytes at another path of the final tree."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from imgopt.image.tree import Inode, Tree

_COMPARED = 16 << 20
SMALLEST = 4096
"""Bytes; smaller files are not compared: thousands of equal ones weigh nothing."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Files with equal contents. `layers[i]` ships `paths[i]`."""

    digest: str
    size: int
    paths: tuple[str, ...]
    layers: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """What all copies but one weigh."""
        return self.size * (len(self.paths) - 1)


def find_duplicates(tree: Tree) -> tuple[Duplicate, ...]:
    """Largest first. Contents are read only where sizes (and checksums that cost nothing) are
    equal."""
    first_paths: dict[int, tuple[str, Inode]] = {}
    for node in tree.files():
        if node.inode is not None and node.size >= SMALLEST:
            known = first_paths.get(id(node.inode))
            if known is None or node.path < known[0]:
                first_paths[id(node.inode)] = (node.path, node.inode)
    groups: dict[tuple[int, bytes], list[tuple[str, Inode]]] = defaultdict(list)
    by_size: dict[int, list[tuple[str, Inode]]] = defaultdict(list)
    for item in first_paths.values():
        by_size[item[1].entry.size].append(item)
    for size, items in by_size.items():
        if len(items) > 1:
            all_known = all(inode.entry.checksum for _, inode in items)
            for item in items:
                groups[size, item[1].entry.checksum if all_known else b""].append(item)
    found = [
        duplicate for items in groups.values() if len(items) > 1 for duplicate in _equal(items)
    ]
    return tuple(sorted(found, key=lambda duplicate: (-duplicate.bytes, duplicate.paths)))


def _equal(items: list[tuple[str, Inode]]) -> list[Duplicate]:
    return [
        Duplicate(
            digest,
            same[0][1].entry.size,
            tuple(path for path, _ in sorted(same, key=lambda item: item[0])),
            tuple(inode.layer.index for _, inode in sorted(same, key=lambda item: item[0])),
        )
        for digest, same in _by_contents(items)
        if len(same) > 1
    ]


def _by_contents(items: list[tuple[str, Inode]]) -> Iterable[tuple[str, list[tuple[str, Inode]]]]:
    """Small files that are equal to the first one are compared with it: to hash only that one is
    half the work."""
    inode = items[0][1]
    if inode.entry.size <= _COMPARED and inode.entry.sparse_header < 0:
        first = inode.layer.read(inode.entry)
        if all(other.layer.read(other.entry) == first for _, other in items[1:]):
            return [(f"sha256:{hashlib.sha256(first).hexdigest()}", items)]
    by_digest: dict[str, list[tuple[str, Inode]]] = defaultdict(list)
    for path, inode in items:
        by_digest[inode.layer.file_digest(inode.entry)].append((path, inode))
    return by_digest.items()
