"""The text of a script beside its tree: here-documents read too far, offsets in characters."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from imgopt.dockerfile.shellmodel import (
    Command,
    ShellNode,
)

if TYPE_CHECKING:
    from tree_sitter import Node

STATEMENTS = {
    "command",
    "list",
    "pipeline",
    "redirected_statement",
    "subshell",
    "compound_statement",
    "negated_command",
    "variable_assignment",
    "variable_assignments",
    "declaration_command",
    "unset_command",
    "if_statement",
    "for_statement",
    "c_style_for_statement",
    "while_statement",
    "case_statement",
    "function_definition",
    "test_command",
}


def heredoc_rest(node: Node) -> list[Node]:
    """What the tree puts into a here-document though it follows on the same line."""
    redirects = [child for child in node.named_children if child.type == "heredoc_redirect"]
    return [child for redirect in redirects for child in redirect.children]


def after_heredoc(node: Node) -> list[tuple[str, Node]]:
    """`cat <<X && b`: the operator and `b`."""
    if node.type != "redirected_statement":
        return []
    rest = heredoc_rest(node)
    return [
        (sign.type, right)
        for sign, right in pairwise(rest)
        if sign.type in ("&&", "||") and right.type in STATEMENTS
    ]


def in_background(node: ShellNode) -> ShellNode:
    return replace(node, background=True) if isinstance(node, Command) else node


def moved(command: Command, cwd: str | None, operator: str) -> str | None:
    """The directory after a command."""
    name = command.name
    if name in ("pushd", "popd", "chdir") or (name == "cd" and operator == "||"):
        return None
    if name != "cd":
        return cwd
    places = [word.value for word in command.arguments if word.value not in ("--", "-P", "-L")]
    place = places[0] if len(places) == 1 else None
    if place is None or place == "-" or any(word.special for word in command.arguments):
        return None
    if place.startswith("/"):
        return posixpath.normpath(place)
    return None if cwd is None else posixpath.normpath(posixpath.join(cwd, place))


def char_offsets(text: str) -> list[int]:
    """For every byte offset of the encoded text, the character offset."""
    offsets = []
    for index, char in enumerate(text):
        offsets += [index] * len(char.encode("utf-8", "surrogatepass"))
    return [*offsets, len(text)]
