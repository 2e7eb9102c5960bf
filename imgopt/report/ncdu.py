"""ncdu's export format (version 1.2): `imgopt analyze IMAGE --ncdu | ncdu -f-` browses the final
tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from imgopt import __version__
from imgopt.image import Node, Tree, printable


def ncdu(tree: Tree, name: str) -> Iterator[str]:
    """Pieces of the JSON text, so that a million files need no million objects."""
    head = {"progname": "imgopt", "progver": __version__, "timestamp": 0}
    yield f"[1,2,{json.dumps(head)},"
    stack: list[Node | str] = [tree.root]
    first = True
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            first = False
            continue
        comma = "" if first else ",\n"
        record = json.dumps(_record(item, name))
        if item.children is None:
            yield f"{comma}{record}"
            first = False
            continue
        yield f"{comma}[{record}"
        first = False
        stack.append("]")
        stack.extend(item.children[key] for key in sorted(item.children, reverse=True))
    yield "]\n"


def _record(node: Node, name: str) -> dict[str, Any]:
    record: dict[str, Any] = {"name": printable(node.name) or name}
    if node.inode is not None:
        record |= {"asize": node.size, "dsize": node.size, "ino": id(node.inode) & 0x7FFFFFFF}
        if node.inode.links > 1:
            record["hlnkc"] = True
    elif node.children is None:
        record["notreg"] = True
    return record
