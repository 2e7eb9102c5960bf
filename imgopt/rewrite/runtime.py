"""What the kept files need from the system: shared libraries, interpreters of scripts, and files that were opened.

Each answer names a path of the original's file system and who asked for it, so that the next step can look up the
package that owns it, or copy it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from imgopt.image.tree import Node, Tree
from imgopt.proof.libraries import library_path
from imgopt.proof.side import Side


@dataclass
class RuntimeNeeds:
    """What the new base lacks."""

    files: dict[str, str] = field(default_factory=dict)
    """Path as it is asked for (a link such as /usr/lib/x/libpq.so.5 stays one) -> who asked for it."""
    sonames: set[str] = field(default_factory=set)
    """Every library that something kept asks for by name."""
    dynamic: bool = False
    """Whether anything needs the dynamic loader."""


def runtime_needs(
    side: Side, roots: Iterable[tuple[str, str]], new_base: Tree | None, kept: frozenset[str]
) -> RuntimeNeeds:
    """Follows libraries, loaders and shebangs from `roots` (path, who asks) down to what the new base holds."""
    needs = RuntimeNeeds()
    seen: set[str] = set()
    stack = list(roots)
    while stack:
        path, asked_by = stack.pop()
        node = side.file(path)
        if node is None or path in seen:
            continue
        seen.add(path)
        if path not in kept and node.path not in kept:
            if new_base is not None and new_base.resolve(path) is not None:
                continue
            needs.files[path] = asked_by
        stack += [(wanted, node.path) for wanted in _wanted(side, node, needs)]
    return needs


def _wanted(side: Side, node: Node, needs: RuntimeNeeds) -> Iterator[str]:
    words = side.shebang(node)
    if words:
        yield from _interpreter(side, words)
        return
    elf = side.elf(node)
    if elf is None:
        return
    if elf.interpreter:
        needs.dynamic = True
        yield elf.interpreter
    for name in elf.needed:
        needs.sonames.add(name)
        path = library_path(side, node, elf, name)
        if path is not None and path.startswith("/"):
            yield path


def _interpreter(side: Side, words: tuple[str, ...]) -> Iterator[str]:
    yield words[0]
    if posixpath.basename(words[0]) == "env" and len(words) > 1:
        names = [word for word in words[1].split() if not word.startswith("-") and "=" not in word]
        program = side.command(names[0]) if names else None
        if program is not None:
            yield program.path
