"""The Go programs of an image that were built from its own source: what flags of `go build` would
change."""

from __future__ import annotations

import re

from imgopt.image.elf import is_elf
from imgopt.image.tree import Node
from imgopt.inspect.files.contents import go_build
from imgopt.rewrite.evidence import Evidence

_PUBLISHED = re.compile(r"mod\t[^\t]*\t[^\t]*\th1:")
"""A main module with a checksum came from the module proxy (`go install NAME@VERSION`), not from a
folder."""


def go_programs(evidence: Evidence) -> tuple[Node, ...]:
    """The programs above the base that Go built from a folder, by what it wrote into them
    (debug/buildinfo)."""
    files = (
        fact.path
        for fact in evidence.delta
        if fact.kind == "file" and fact.mode & 0o111 and fact.size
    )
    nodes = [node for path in files if (node := evidence.view.file(path)) is not None]
    return tuple(node for node in nodes if is_elf(evidence.view.head(node)) and _is_own(node))


def _is_own(node: Node) -> bool:
    settings = go_build(node)
    return bool(settings) and not any(_PUBLISHED.match(line) for line in settings or ())
