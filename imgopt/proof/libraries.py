"""Shared-library closure: every library that an ELF file asks for is found where its loader looks.

Only differences count. A library that the original did not find either is none, and neither is an optional part of a
base image (`_tkinter` of a slim Python) that was never opened.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imgopt.image.elf import Elf
from imgopt.image.tree import Node
from imgopt.proof.model import Allowances, Check, Item, judged
from imgopt.proof.optional import optional_part
from imgopt.proof.side import Side

NAME = "library closure"
_FOR_SCREENS = re.compile(r"/(?:_tkinter\.[^/]*|lib(?:awt_xawt|splashscreen|jsound|jawt|fontmanager))\.so$")
"""Python's and Java's modules that official slim and headless images ship without the libraries they need."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A library, or a program's loader, that is not found; `path` is the file that asks for it."""

    library: str
    path: str


def check_library_closure(
    original: Side,
    candidate: Side,
    allowances: Allowances,
    *,
    opened: frozenset[str] | None = None,
    named: Sequence[str] = (),
) -> Check:
    """Every NEEDED library and program loader of the candidate. `opened`: paths that the original opened, if known;
    `named`: packages that the author installs by name."""
    items: list[Item] = []
    allowed: list[str] = []
    files = libraries = 0
    for node, elf in elf_files(candidate):
        files += 1
        libraries += len(elf.needed)
        for missing in unresolved(candidate, node, elf):
            if _was_unresolved(original, missing):
                continue
            reason = (
                _excuse(original, candidate, missing, opened)
                or allowances.configuration.get(f"library:{node.path}")
                or optional_part(candidate, node.path, named, opened)
            )
            if reason:
                allowed.append(f"{missing.path} lacks {missing.library}: {reason}")
            else:
                items.append(_item(original, missing))
    detail = f"{libraries} needed libraries of {files} ELF files looked up as their loader does"
    return judged(NAME, detail, items, allowed)


def elf_files(side: Side) -> Iterator[tuple[Node, Elf]]:
    """Programs and libraries; objects of static archives and debug files have no dynamic section to resolve."""
    for node in side.tree.files():
        if (node.mode & 0o111 or ".so" in node.name or node.name.endswith(".node")) and node.size > 64:
            elf = side.elf(node)
            if elf is not None and elf.kind != "other":
                yield node, elf


def unresolved(side: Side, node: Node, elf: Elf) -> Iterator[Unresolved]:
    if elf.interpreter and not side.is_file(elf.interpreter):
        yield Unresolved(elf.interpreter, node.path)
    for name in elf.needed:
        if library_path(side, node, elf, name) is None:
            yield Unresolved(name, node.path)


def library_path(side: Side, node: Node, elf: Elf, name: str) -> str | None:
    """Where this library comes from. The search path that a program hands down to its libraries (DT_RPATH) and what is
    loaded already are not known here: both sides are judged alike, so what relies on them is no difference."""
    found = side.loader.find(name, elf.machine, posixpath.dirname(node.path), elf.runpath, elf.rpath)
    return found or _provided_by_loader(side, elf, name)


def _provided_by_loader(side: Side, elf: Elf, name: str) -> str | None:
    """musl's libc is its loader, under both names; the vDSO is no file at all."""
    if name.startswith(("linux-vdso", "linux-gate")):
        return name
    if side.loader.musl is not None and name.startswith(("libc.musl-", "libc.so")):
        return next((n.path for n in side.tree.walk("/lib") if n.name.startswith("ld-musl-")), None)
    return elf.interpreter if elf.interpreter and posixpath.basename(elf.interpreter) == name else None


def closure(side: Side, paths: Iterable[str]) -> dict[str, str]:
    """Paths of all libraries that these files need, directly or not, each with the file that asked for it first."""
    found: dict[str, str] = {}
    queue = list(paths)
    seen = set(queue)
    while queue:
        path = queue.pop()
        node = side.file(path)
        elf = side.elf(node) if node is not None else None
        if node is None or elf is None:
            continue
        wanted = [library_path(side, node, elf, name) for name in elf.needed]
        for library in (*wanted, elf.interpreter):
            if library and library not in seen:
                seen.add(library)
                queue.append(library)
                found[library] = path
    return found


def _was_unresolved(original: Side, missing: Unresolved) -> bool:
    """The same path, or (for a tree that moved) a file of the same name that lacked it there as well."""
    node = original.file(missing.path)
    if node is not None:
        return _lacks(original, node, missing.library)
    return missing.library in _missing_by_name(original, posixpath.basename(missing.path))


def _lacks(side: Side, node: Node, library: str) -> bool:
    elf = side.elf(node)
    return elf is not None and any(missing.library == library for missing in unresolved(side, node, elf))


def _missing_by_name(side: Side, name: str) -> set[str]:
    nodes = (node for node in side.tree.files() if node.name == name)
    pairs = ((node, side.elf(node)) for node in nodes)
    return {missing.library for node, elf in pairs if elf is not None for missing in unresolved(side, node, elf)}


def _excuse(original: Side, candidate: Side, missing: Unresolved, opened: frozenset[str] | None) -> str | None:
    """A part of a base image that the base itself ships incomplete, or one for screens, unless it was opened."""
    if opened is not None and missing.path in opened:
        return None
    below = candidate.base_side
    if below is not None:
        node = below.file(missing.path)
        if node is not None and _lacks(below, node, missing.library):
            return "its base image ships it without this library, and the original did not open it"
    before = original.file(missing.path)
    from_base = before is None or original.in_base(before)
    if from_base and opened is not None and _FOR_SCREENS.search(missing.path):
        return "a part for graphical screens that the original did not open"
    return None


def _item(original: Side, missing: Unresolved) -> Item:
    """With the place where the original has the library, for the repair."""
    node = original.file(missing.path)
    elf = original.elf(node) if node is not None else None
    path = library_path(original, node, elf, missing.library) if node is not None and elf is not None else None
    if missing.library.startswith("/"):
        path = missing.library
    return Item("missing-library", missing.library, path or "", missing.path)
