"""Large trees that several layers hold beside other files: the same bytes stored once for each
layer."""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from imgopt.fleet.findings.database import Database
from imgopt.fleet.findings.weights import View, repositories
from imgopt.results.registry import Tree

_SMALLEST_FILE = 64 << 10
_SMALLEST_TREE = 1 << 20
_DUPLICATES = """
select list_sort(list(distinct blob)) blobs, digest, any_value(size), min(path)
from files where kind = 'file' and size >= ? group by digest having count(distinct blob) > 1
"""


@dataclass
class _Cluster:
    """Files that the same layers hold."""

    bytes: int = 0
    paths: list[tuple[int, str]] = field(default_factory=list)


def duplicate_trees(
    view: View, database: Database, told: Iterable[frozenset[str]], smallest: int = _SMALLEST_TREE
) -> list[Tree]:
    """Largest saving first. `told` are sets of layers that are the same as a whole; what only they
    have in common is no finding of its own."""
    known = list(told)
    clusters: dict[tuple[str, ...], dict[str, _Cluster]] = defaultdict(
        lambda: defaultdict(_Cluster)
    )
    for blobs, _, size, path in database.rows(_DUPLICATES, [_SMALLEST_FILE]):
        held = tuple(blob for blob in blobs if blob in view.users)
        if len(held) < 2 or any(frozenset(held) <= group for group in known):
            continue
        cluster = clusters[held][name_of(path)]
        cluster.bytes += size
        cluster.paths.append((size, path))
    trees = [
        _tree(view, name, blobs, cluster)
        for blobs, by_name in clusters.items()
        for name, cluster in by_name.items()
        if cluster.bytes >= smallest
    ]
    return sorted(trees, key=lambda tree: (-tree.saved_bytes, tree.name, tree.path))


def _tree(view: View, name: str, blobs: tuple[str, ...], cluster: _Cluster) -> Tree:
    images = view.images_of(blobs)
    return Tree(
        name=name,
        path=_common(path for _, path in cluster.paths),
        files=len(cluster.paths),
        bytes=cluster.bytes,
        copies=len(blobs),
        repositories=repositories(images),
        images=len(images),
    )


def _common(paths: Iterable[str]) -> str:
    """The folder that all lie in; of one file its path."""
    listed = list(paths)
    return listed[0] if len(listed) == 1 else os.path.commonpath(listed)


@lru_cache
def _kinds() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    data = tomllib.loads(Path(__file__).with_name("trees.toml").read_text(encoding="utf-8"))
    return tuple(
        (each["name"], re.compile("|".join(each["paths"]), re.I), each["fix"])
        for each in data["tree"]
    )


@lru_cache(maxsize=100_000)
def name_of(path: str) -> str:
    """>>> name_of("/srv/model.gguf"), name_of("/opt/app/data.bin")
    ('model weights', 'files')
    """
    return next((name for name, rule, _ in _kinds() if rule.search(path)), "files")


def fix_of(name: str) -> str:
    """What to do about a tree of that name."""
    own = "put these files into one layer of a base that the images share"
    return next((fix for kind, _, fix in _kinds() if kind == name), own)


def by_name(trees: Sequence[Tree]) -> list[tuple[str, list[Tree]]]:
    """The trees of each name, the name with most to save first."""
    found: dict[str, list[Tree]] = defaultdict(list)
    weights: Counter[str] = Counter()
    for tree in trees:
        found[tree.name].append(tree)
        weights[tree.name] += tree.saved_bytes
    return [(name, found[name]) for name, _ in weights.most_common()]
