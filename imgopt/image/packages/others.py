"""Conda packages (conda-meta/*.json) and Ruby gems (specifications/*.gemspec)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from imgopt.image.packages.model import Found, Paths
from imgopt.image.tree import Node

_MAX = 64 << 20
_GEM = re.compile(r"^(?P<name>.+?)-(?P<version>\d[\w.]*)(?:-[\w-]+)?$")


class _Conda(msgspec.Struct):
    name: str
    version: str = ""
    files: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()


def find_conda(paths: Paths, folders: Iterable[Node]) -> Iterator[Found]:
    """`folders` are the conda-meta directories; files are relative to the directory above."""
    for folder in sorted(folders, key=lambda node: node.path):
        prefix = folder.path.rpartition("/")[0]
        for name, node in sorted((folder.children or {}).items()):
            if node.inode is None or not name.endswith(".json"):
                continue
            try:
                record = msgspec.json.decode(node.read(_MAX), type=_Conda, strict=False)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            claims = (*paths.files(f"{prefix}/{file}" for file in record.files), node)
            depends = tuple((item.split()[0],) for item in record.depends if item.split())
            yield Found("conda", record.name, record.version, node, claims, depends=depends)


def find_gems(paths: Paths, folders: Iterable[Node]) -> Iterator[Found]:
    """`folders` are directories named specifications, with a gemspec for each gem beside them in
    gems/."""
    for folder in sorted(folders, key=lambda node: node.path):
        home = folder.path.rpartition("/")[0]
        for name, node in sorted((folder.children or {}).items()):
            match = _GEM.match(name.removesuffix(".gemspec")) if name.endswith(".gemspec") else None
            if match is None or node.inode is None:
                continue
            places = (
                paths.get(f"{home}/{place}/{name.removesuffix('.gemspec')}")
                for place in ("gems", "doc")
            )
            claims = (node, *(place for place in places if place is not None))
            yield Found("gem", match["name"], match["version"], node, claims)
