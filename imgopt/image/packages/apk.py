"""Alpine packages: lib/apk/db/installed, a record per package with its directories (F:) and files
(R:)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.image.packages.model import Found, Paths
from imgopt.image.tree import Node

_DATABASES = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_CONSTRAINT = re.compile(r"[<>=~].*")
_MAX = 64 << 20


def find(paths: Paths) -> Iterator[Found]:
    for database in _DATABASES:
        node = paths.get(database)
        if node is not None and node.inode is not None:
            wanted = _wanted(paths)
            for record in node.read(_MAX).decode("utf-8", "surrogateescape").split("\n\n"):
                if record.strip():
                    yield from _package(paths, node, record, wanted)
            return


def _package(
    paths: Paths, node: Node, record: str, wanted: frozenset[str] | None
) -> Iterator[Found]:
    fields: dict[str, str] = {}
    files: list[str] = []
    directory = ""
    for line in record.split("\n"):
        key, _, value = line.partition(":")
        if key == "F":
            directory = value
        elif key == "R":
            files.append(f"/{directory}/{value}" if directory else f"/{value}")
        else:
            fields.setdefault(key, value)
    if fields.get("P"):
        yield Found(
            ecosystem="apk",
            name=fields["P"],
            version=fields.get("V", ""),
            metadata=node,
            claims=paths.files(files),
            architecture=fields.get("A", ""),
            depends=tuple(
                (name,) for name in _names(fields.get("D", "")) if not name.startswith("!")
            ),
            provides=tuple(_names(fields.get("p", ""))),
            auto=fields["P"] not in wanted if wanted is not None else None,
        )


def _wanted(paths: Paths) -> frozenset[str] | None:
    """Packages that `apk add` was told by name; None where the list is gone."""
    node = paths.get("/etc/apk/world")
    if node is None or node.inode is None:
        return None
    return frozenset(_names(node.read(_MAX).decode("utf-8", "replace")))


def _names(text: str) -> Iterator[str]:
    return (_CONSTRAINT.sub("", item) for item in text.split())
