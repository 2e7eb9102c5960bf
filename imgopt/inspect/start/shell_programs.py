"""The programs that a shell script names, by a real parse of it (tree-sitter-bash)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imgopt.dockerfile.shelltree import bash_parser
from imgopt.inspect.words import words

if TYPE_CHECKING:
    from tree_sitter import Node

SHELLS_OWN = frozenset(
    words(
        ". : [ [[ alias bg break builtin cd command compgen complete continue declare dirs disown"
        " echo enable eval exec exit export false fg getopts hash help history jobs kill let local"
        " logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt"
        " source suspend test times trap true type typeset ulimit umask unalias unset wait"
    )
)
"""Commands of a shell itself: no program is started for them."""
_PREFIXES = ("exec", "command", "builtin", "time", "nohup", "nice")
"""Words that run the command after them."""


def called_programs(text: str) -> tuple[str, ...]:
    """Names of programs in the order of their first call: literal words, no builtins, no functions
    of the script."""
    root = bash_parser().parse(text.encode("utf-8", "replace")).root_node
    functions: set[str] = set()
    names: dict[str, None] = {}
    for node in _walk(root):
        if node.type == "function_definition":
            functions.add(_text(node.child_by_field_name("name")))
        elif node.type == "command":
            names.update(dict.fromkeys(_names(node)))
    return tuple(
        n for n in names if n and n[0] != "-" and n not in functions and n not in SHELLS_OWN
    )


def _names(command: Node) -> Iterator[str]:
    """The command's name; behind `exec` and its like, the word after them and their options."""
    parts = [
        child
        for child in command.named_children
        if child.type in ("command_name", "word", "string", "raw_string")
    ]
    for part in parts:
        literal = (
            part.named_children[0] if part.type == "command_name" and part.named_children else part
        )
        if any(child.type != "string_content" for child in literal.named_children):
            return  # an expansion: known only at run time
        name = _text(literal).strip("'\"")
        yield name
        if name not in _PREFIXES and not name.startswith("-"):
            return


def _walk(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.named_children))


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""
