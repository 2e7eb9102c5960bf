"""What is found first once a search path has another folder in front: a program, or a module, that
hides another one of its name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.modules import library_modules, modules_in
from imgopt.proof.absent_packages import language_tools


def hidden_program(view: ImageView, folder: str, later: Iterable[str]) -> str:
    """A program of one of the `later` folders that another one in `folder` hides; "" for none. What
    is the same file hides nothing, and a virtual environment means to."""
    if view.is_file(posixpath.join(posixpath.dirname(folder), "pyvenv.cfg")):
        return ""
    for name in sorted(view.names(folder)):
        ours = _program(view, folder, name)
        theirs = (_program(view, other, name) for other in later if ours is not None)
        hidden = next((found for found in theirs if found is not None), None)
        if ours is not None and hidden is not None and not _is_same(ours, hidden):
            return name
    return ""


def _program(view: ImageView, folder: str, name: str) -> Node | None:
    node = view.file(posixpath.join(folder, name))
    return node if node is not None and node.mode & 0o111 else None


def _is_same(one: Node, other: Node) -> bool:
    return one.inode is other.inode or one.digest == other.digest


def hidden_module(view: ImageView, folders: Sequence[str]) -> str:
    """A module of the language's own library, or of its packages, that one in these folders hides
    where they come first; "" for none. Of installers two may lie beside each other."""
    own = tuple(posixpath.normpath(folder) for folder in folders if folder)
    named = {name for folder in own for name in modules_in(view, folder)}
    for name, path in sorted(library_modules(view, without=own).items()):
        if name in named and not _is_tool(view, path):
            return name
    return ""


def _is_tool(view: ImageView, path: str) -> bool:
    owner = view.owner(path) or view.owner(f"{path}/__init__.py")
    return owner is not None and (owner.ecosystem, owner.name) in language_tools(seen=True)
