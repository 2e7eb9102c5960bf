"""A file before it is text, and what becomes of one that lies there already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imgopt.deploy.in_place import InPlace, nodes_of
from imgopt.deploy.model import HEAD
from imgopt.deploy.yaml_tree import (
    Noted,
    Tree,
    bare,
    comment_text,
    flow,
    rendered,
    scalar,
    value_of,
)
from imgopt.errors import InputError, Location
from imgopt.results.deploy import DeployFile, Figure

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Draft:
    """One document: `head` is its first line, by which we know it again."""

    path: str
    does: str
    tree: Tree
    head: str = ""

    def new(self) -> DeployFile:
        return DeployFile(path=self.path, text=rendered(self.tree, self.head), does=self.does)


def is_ours(text: str) -> bool:
    first = text.partition("\n")[0]
    return first.startswith("# ") and HEAD in first


def merged(
    draft: Draft, path: str, text: str, document: int = 0
) -> tuple[DeployFile, list[str], list[str]]:
    """A file that is there, changed in place; what changed, and what could not. Raises
    InputError."""
    file = Path(path)
    roots = nodes_of(text, file)
    root = roots[document] if document < len(roots) else None
    if root is None:
        raise InputError(
            "is empty", location=Location(path), hint="remove it, or give another folder"
        )
    edit = InPlace(text, file)
    edit.put(root, draft.tree)
    after = _with_head(edit.result(), draft.head)
    return DeployFile(path=path, text=after, before=text, does=draft.does), edit.changed, edit.left


def _with_head(text: str, head: str) -> str:
    """The first line says which run the figures are from."""
    if not head or not is_ours(text):
        return text
    first, end, rest = text.partition("\n")
    return f"# {comment_text(head)}{chr(13) if first.endswith(chr(13)) else ''}{end}{rest}"


def figures_of(tree: Tree, where: str = "") -> Iterator[Figure]:
    """Every value of a tree that says where it is from."""
    if isinstance(tree, Noted):
        kind, _, origin = tree.note.partition(": ")
        yield Figure(
            name=where, value=_shown(tree.value), origin=origin, measured=kind == "measured"
        )
    value = value_of(tree)
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from figures_of(one, f"{where}.{key}" if where else str(key))
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from figures_of(one, f"{where}[{_named(one)}]")


def _named(tree: Tree) -> str:
    value = bare(tree)
    return str(value.get("name", "")) if isinstance(value, Mapping) else ""


def _shown(tree: Tree) -> str:
    value = bare(tree)
    if isinstance(value, Mapping) or any(isinstance(one, Mapping) for one in _listed(value)):
        return ""  # many values: the file shows them
    text = flow(value) if isinstance(value, list) else scalar(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
