"""Python distributions: *.dist-info with RECORD, *.egg-info with installed-files.txt or the
packages named on top."""

from __future__ import annotations

import csv
import posixpath
import re
from collections.abc import Iterable, Iterator

from imgopt.image.packages.model import Found, Paths, stanzas
from imgopt.image.packages.names import plain_name
from imgopt.image.tree import Node

_MAX = 64 << 20
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
METADATA_ENDINGS = (".dist-info", ".egg-info")


def find(paths: Paths, candidates: Iterable[Node]) -> Iterator[Found]:
    """Distributions among the nodes whose names end in METADATA_ENDINGS."""
    for node in sorted(candidates, key=lambda each: each.path):
        found = _egg_file(node) if node.inode is not None else _distribution(paths, node)
        if found is not None:
            yield found


def _distribution(paths: Paths, directory: Node) -> Found | None:
    children = directory.children or {}
    metadata = children.get("METADATA") or children.get("PKG-INFO")
    if metadata is None or metadata.inode is None:
        return None
    fields = next(stanzas(_text(metadata, 1 << 20)), {})
    site = directory.path.rpartition("/")[0]
    record, installed = children.get("RECORD"), children.get("installed-files.txt")
    if record is not None and record.inode is not None:
        names = _recorded(_text(record), site)
    elif installed is not None and installed.inode is not None:
        names = (
            posixpath.normpath(f"{directory.path}/{line}")
            for line in _text(installed).split("\n")
            if line
        )
    else:
        names = _top_level(children.get("top_level.txt"), site)
    claims = (*_nodes(paths, names), directory)
    return _found(fields, metadata, claims)


def _egg_file(node: Node) -> Found | None:
    """Debian and distutils write the metadata as one file; the contents belong to somebody else's
    list."""
    fields = next(stanzas(_text(node, 1 << 20)), {})
    return _found(fields, node, (node,)) if "name" in fields else None


def _found(fields: dict[str, str], metadata: Node, claims: tuple[Node, ...]) -> Found | None:
    if "name" not in fields:
        return None
    return Found(
        ecosystem="python",
        name=fields["name"],
        version=fields.get("version", ""),
        metadata=metadata,
        claims=claims,
        depends=_requirements(_text(metadata, 1 << 20)),
    )


def _requirements(text: str) -> tuple[tuple[str, ...], ...]:
    """Names of Requires-Dist without extras; environment markers are not evaluated."""
    header = text.partition("\n\n")[0]
    lines = (
        line.partition(":")[2].strip()
        for line in header.split("\n")
        if line.startswith("Requires-Dist:")
    )
    names = (_REQUIREMENT.match(line) for line in lines if "extra ==" not in line)
    return tuple((plain_name(match[0]),) for match in names if match)


def _recorded(text: str, site: str) -> Iterator[str]:
    for row in csv.reader(text.replace("\0", "").splitlines()):
        if row and row[0]:
            yield posixpath.normpath(row[0] if row[0].startswith("/") else f"{site}/{row[0]}")


def _top_level(node: Node | None, site: str) -> Iterator[str]:
    for line in _text(node, 1 << 16).split() if node is not None and node.inode is not None else ():
        if "/" not in line and line not in (".", ".."):
            yield f"{site}/{line}"
            yield f"{site}/{line}.py"


def _nodes(paths: Paths, names: Iterable[str]) -> tuple[Node, ...]:
    nodes = (paths.get(name) for name in names)
    return tuple(node for node in nodes if node is not None)


def _text(node: Node, limit: int = _MAX) -> str:
    return node.read(limit).decode("utf-8", "surrogateescape")
