"""What the kept files need from the system: shared libraries, interpreters of scripts, and files
that were opened.

Each answer names a path of the original's file system and who asked for it, so that the next step
can look up the package that owns it, or copy it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from imgopt.image.tree import Node, Tree
from imgopt.inspect.files.contents import go_build
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.libraries import library_path


@dataclass
class RuntimeNeeds:
    """What the new base lacks."""

    files: dict[str, str] = field(default_factory=dict)
    """Path as it is asked for (a link such as /usr/lib/x/libpq.so.5 stays one) -> who asked for
    it."""
    sonames: set[str] = field(default_factory=set)
    """Every library that something kept asks for by name."""
    dynamic: bool = False
    """Whether anything needs the dynamic loader."""


def runtime_needs(
    view: ImageView,
    roots: Iterable[tuple[str, str]],
    new_base: Tree | None,
    kept: frozenset[str],
    scripts: Callable[[str], bool],
    *,
    static: bool = False,
) -> RuntimeNeeds:
    """Follows libraries, loaders and shebangs from `roots` (path, who asks) down to what the new
    base holds.

    `scripts` says of which scripts the interpreter counts: many a package ships some that a service
    never starts. `static`: Go programs will be linked without shared libraries."""
    needs = RuntimeNeeds()
    seen: set[str] = set()
    stack = list(roots)
    while stack:
        path, asked_by = stack.pop()
        node = view.file(path)
        if node is None or path in seen:
            continue
        seen.add(path)
        if path not in kept and node.path not in kept:
            if new_base is not None and has_path(new_base, path):
                continue
            needs.files[path] = asked_by
        stack += [
            (wanted, node.path) for wanted in _wanted(view, node, needs, scripts, static=static)
        ]
    return needs


def is_shared_library(path: str) -> bool:
    name = posixpath.basename(path)
    return ".so." in name or name.endswith(".so")


MERGED = ("/bin/", "/sbin/", "/lib/", "/lib64/")


def has_path(tree: Tree, path: str) -> bool:
    """Whether a tree has a path, also where only one of the two images has /usr merged."""
    if tree.resolve(path) is not None:
        return True
    if path.startswith("/usr") and path.startswith(tuple("/usr" + root for root in MERGED)):
        return tree.resolve(path.removeprefix("/usr")) is not None
    return path.startswith(MERGED) and tree.resolve("/usr" + path) is not None


def _wanted(
    view: ImageView,
    node: Node,
    needs: RuntimeNeeds,
    scripts: Callable[[str], bool],
    *,
    static: bool,
) -> Iterator[str]:
    words = view.shebang(node)
    if words:
        yield from _interpreter(view, words) if scripts(node.path) else ()
        return
    elf = view.elf(node)
    if elf is None or (static and go_build(node) is not None):
        return
    if elf.interpreter:
        needs.dynamic = True
        yield elf.interpreter
    for name in elf.needed:
        needs.sonames.add(name)
        path = library_path(view, node, elf, name)
        if path is not None and path.startswith("/"):
            yield path


def _interpreter(view: ImageView, words: tuple[str, ...]) -> Iterator[str]:
    yield words[0]
    if posixpath.basename(words[0]) == "env" and len(words) > 1:
        names = [word for word in words[1].split() if not word.startswith("-") and "=" not in word]
        program = view.command(names[0]) if names else None
        if program is not None:
            yield program.path
