"""Node packages: every directory of a node_modules with a package.json (npm, pnpm, yarn), and
yarn's zip cache."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from imgopt.image.packages.model import Found
from imgopt.image.tree import Node

_MAX = 4 << 20
_ZIP = re.compile(
    r"^(?P<name>.+)-npm-(?P<version>\d[^-]*(?:-[a-z][^-]*)?)-[0-9a-f]{10}(?:-[0-9a-f]+)?\.zip$"
)


class _Manifest(msgspec.Struct):
    name: str = ""
    version: str = ""
    dependencies: dict[str, str] | None = None


def find(folders: Iterable[Node], zips: Iterable[Node]) -> Iterator[Found]:
    """Packages below the given node_modules folders; an inner package owns its files before an
    outer one does."""
    packages = [package for folder in folders for package in _packages(folder)]
    for directory in sorted(packages, key=lambda node: (-node.path.count("/"), node.path)):
        found = _package(directory)
        if found is not None:
            yield found
    for node in zips:
        match = _ZIP.match(node.name)
        if match:
            yield Found("node", match["name"], match["version"], node, (node,))


def _packages(folder: Node) -> Iterator[Node]:
    for name, child in (folder.children or {}).items():
        if child.kind != "dir" or name.startswith("."):
            continue
        if name.startswith("@"):
            yield from (
                scoped for scoped in (child.children or {}).values() if scoped.kind == "dir"
            )
        else:
            yield child


def _package(directory: Node) -> Found | None:
    metadata = (directory.children or {}).get("package.json")
    if metadata is None or metadata.inode is None:
        return None
    try:
        manifest = msgspec.json.decode(metadata.read(_MAX), type=_Manifest, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        manifest = _Manifest()
    depends = tuple((name,) for name in manifest.dependencies or ())
    name = manifest.name or "/".join(directory.path.rpartition("/node_modules/")[2].split("/"))
    return Found("node", name, manifest.version, metadata, (directory,), depends=depends)
