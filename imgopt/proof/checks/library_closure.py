"""Shared-library closure: every library that an ELF file asks for is found where its loader looks.

Only differences count. A library that the original did not find either is none, and neither is an
optional part of a base image (`_tkinter` of a slim Python) that was never opened.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from imgopt.image.tree import Node
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.optional_parts import optional_part
from imgopt.inspect.system.libraries import Unresolved, elf_files, library_path, unresolved
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, judged
from imgopt.proof.example import LIBRARIES, Mutation

NAME = "library closure"
_FOR_SCREENS = re.compile(
    r"/(?:_tkinter\.[^/]*|lib(?:awt_xawt|splashscreen|jsound|jawt|fontmanager))\.so$"
)
"""Python's and Java's modules that official slim and headless images ship without the libraries
they need."""


def check_library_closure(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: frozenset[str] | None = None,
    named: Sequence[str] = (),
) -> Outcome:
    """Every NEEDED library and program loader of the candidate. `opened`: paths that the original
    opened, if known; `named`: packages that the author installs by name."""
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


def _was_unresolved(original: ImageView, missing: Unresolved) -> bool:
    """The same path, or (for a tree that moved) a file of the same name that lacked it there as
    well."""
    node = original.file(missing.path)
    if node is not None:
        return _lacks(original, node, missing.library)
    return missing.library in _missing_by_name(original, posixpath.basename(missing.path))


def _lacks(view: ImageView, node: Node, library: str) -> bool:
    elf = view.elf(node)
    return elf is not None and any(
        missing.library == library for missing in unresolved(view, node, elf)
    )


def _missing_by_name(view: ImageView, name: str) -> set[str]:
    nodes = (node for node in view.tree.files() if node.name == name)
    pairs = ((node, view.elf(node)) for node in nodes)
    return {
        missing.library
        for node, elf in pairs
        if elf is not None
        for missing in unresolved(view, node, elf)
    }


def _excuse(
    original: ImageView, candidate: ImageView, missing: Unresolved, opened: frozenset[str] | None
) -> str | None:
    """A part of a base image that the base itself ships incomplete, or one for screens, unless it
    was opened."""
    if opened is not None and missing.path in opened:
        return None
    below = candidate.base_view
    if below is not None:
        node = below.file(missing.path)
        if node is not None and _lacks(below, node, missing.library):
            return "its base image ships it without this library, and the original did not open it"
    before = original.file(missing.path)
    from_base = before is None or original.in_base(before)
    if from_base and opened is not None and _FOR_SCREENS.search(missing.path):
        return "a part for graphical screens that the original did not open"
    return None


def _item(original: ImageView, missing: Unresolved) -> Item:
    """With the place where the original has the library, for the repair."""
    node = original.file(missing.path)
    elf = original.elf(node) if node is not None else None
    path = (
        library_path(original, node, elf, missing.library)
        if node is not None and elf is not None
        else None
    )
    if missing.library.startswith("/"):
        path = missing.library
    return Item("missing-library", missing.library, path or "", missing.path)


CHECK = Check(
    NAME,
    "shared libraries and loaders that programs ask for, found as their loader finds them",
    lambda given: check_library_closure(
        given.original, given.candidate, given.allowances, opened=given.files, named=given.named
    ),
    (
        Mutation("a library is lost", "libgreet.so.1", without=(f"{LIBRARIES}/libgreet.so.1",)),
        Mutation(
            "what a library needs is lost", "libwords.so.1", without=(f"{LIBRARIES}/libwords.so.1",)
        ),
        Mutation(
            "a program's loader is lost",
            "ld-linux-x86-64.so.2",
            without=("lib64/ld-linux-x86-64.so.2",),
        ),
    ),
)
