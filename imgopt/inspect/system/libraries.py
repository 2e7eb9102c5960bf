"""Shared libraries: what an ELF file asks for, and where its loader finds that."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.elf import Elf
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A library, or a program's loader, that is not found; `path` is the file that asks for it."""

    library: str
    path: str


@cache
def library_endings() -> tuple[str, ...]:
    """Endings of libraries that an interpreter loads as modules, by their names no libraries."""
    return tuple(ending for one in builtin_ecosystems() for ending in one.library_endings)


def may_be_linked(name: str, mode: int) -> bool:
    """Whether a file of this name and mode may be a program or a library."""
    return bool(mode & 0o111) or ".so" in name or name.endswith(library_endings())


def elf_files(view: ImageView) -> Iterator[tuple[Node, Elf]]:
    """Programs and libraries; objects of static archives and debug files have no dynamic section to
    resolve."""
    for node in view.tree.files():
        if may_be_linked(node.name, node.mode) and node.size > 64:
            elf = view.elf(node)
            if elf is not None and elf.kind != "other":
                yield node, elf


def unresolved(view: ImageView, node: Node, elf: Elf) -> Iterator[Unresolved]:
    if elf.interpreter and not view.is_file(elf.interpreter):
        yield Unresolved(elf.interpreter, node.path)
    for name in elf.needed:
        if library_path(view, node, elf, name) is None:
            yield Unresolved(name, node.path)


def library_path(view: ImageView, node: Node, elf: Elf, name: str) -> str | None:
    """Where this library comes from. The search path that a program hands down to its libraries
    (DT_RPATH) and what is loaded already are not known here: both sides are judged alike, so what
    relies on them is no difference."""
    found = view.loader.find(
        name, elf.machine, posixpath.dirname(node.path), elf.runpath, elf.rpath
    )
    return found or _provided_by_loader(view, elf, name)


def _provided_by_loader(view: ImageView, elf: Elf, name: str) -> str | None:
    """musl's libc is its loader, under both names; the vDSO is no file at all."""
    if name.startswith(("linux-vdso", "linux-gate")):
        return name
    if view.loader.musl is not None and name.startswith(("libc.musl-", "libc.so")):
        return next((n.path for n in view.tree.walk("/lib") if n.name.startswith("ld-musl-")), None)
    return (
        elf.interpreter if elf.interpreter and posixpath.basename(elf.interpreter) == name else None
    )
