"""Which packages are in a tree, which files they own, and how many bytes that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from imgopt.image.packages import apk, binaries, dpkg, java, node, others, python, rpm, runtimes
from imgopt.image.packages.model import Found, Package, Packages, Paths, assign
from imgopt.image.packages.unread import find_unread
from imgopt.image.tree import Node, Tree

__all__ = ["Package", "Packages", "find_packages"]

_SMALLEST_PROGRAM = 256 << 10
"""Bytes; no Go or Rust program is smaller."""


def find_packages(tree: Tree, *, databases_only: bool = False) -> Packages:
    """Reads every package database in the tree. System packages own a file before language packages
    do. With `databases_only` no program and no archive of packages is looked into."""
    paths = Paths(tree)
    candidates = _scan(tree)
    if databases_only:
        candidates = _Candidates(
            candidates.python, candidates.node_modules, conda=candidates.conda, gems=candidates.gems
        )
    system = [*dpkg.find(paths), *apk.find(paths), *rpm.find(paths)]
    owned = {claim.path for found in system for claim in found.claims}
    programs = [each for each in candidates.programs if each.path not in owned]
    language = _language_packages(paths, candidates)
    return assign(
        tree,
        [*system, *language, *binaries.find(programs), *runtimes.find(paths, candidates.releases)],
        find_unread(paths, system),
    )


@dataclass(slots=True)
class _Candidates:
    python: list[Node] = field(default_factory=list)
    node_modules: list[Node] = field(default_factory=list)
    zips: list[Node] = field(default_factory=list)
    archives: list[Node] = field(default_factory=list)
    conda: list[Node] = field(default_factory=list)
    gems: list[Node] = field(default_factory=list)
    programs: list[Node] = field(default_factory=list)
    releases: list[Node] = field(default_factory=list)


def _language_packages(paths: Paths, candidates: _Candidates) -> Iterator[Found]:
    yield from others.find_conda(paths, candidates.conda)
    yield from python.find(paths, candidates.python)
    yield from node.find(candidates.node_modules, candidates.zips)
    yield from java.find(candidates.archives)
    yield from others.find_gems(paths, candidates.gems)


def _scan(tree: Tree) -> _Candidates:
    """One walk over the tree, by names only."""
    found = _Candidates()
    by_name = {
        "node_modules": found.node_modules,
        "conda-meta": found.conda,
        "specifications": found.gems,
    }
    for each in tree.root.nodes():
        path = each.path
        if each.children is not None:
            target = by_name.get(path[path.rfind("/") + 1 :])
            if target is not None:
                target.append(each)
            elif path.endswith(python.METADATA_ENDINGS):
                found.python.append(each)
        elif each.inode is not None:
            if path.endswith(java.ENDINGS):
                found.archives.append(each)
            elif path.endswith(("/release", "/VERSION")):
                found.releases.append(each)
            elif path.endswith(".zip") and "/.yarn/" in path:
                found.zips.append(each)
            elif path.endswith(python.METADATA_ENDINGS):
                found.python.append(each)
            elif each.mode & 0o111 and each.size >= _SMALLEST_PROGRAM:
                found.programs.append(each)
    return found
