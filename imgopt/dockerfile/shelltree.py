"""From tree-sitter-bash's tree to our shell model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from imgopt.dockerfile.shellmodel import (
    Assignment,
    Command,
    Compound,
    Group,
    Item,
    Pipeline,
    Redirection,
    ShellNode,
    commands_of,
)
from imgopt.dockerfile.shelltext import (
    STATEMENTS,
    after_heredoc,
    char_offsets,
    heredoc_rest,
    in_background,
    moved,
)
from imgopt.dockerfile.shellwords import ShellWord, read_word
from imgopt.dockerfile.spans import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_DEEPEST = 120
_OPERATORS = {"&&": "&&", "||": "||", ";": ";", "&": "&", "\n": ";", ";;": ";"}
_DECLARATIONS = ("declaration_command", "unset_command")
_SUBSTITUTED = re.compile(r"`|[$<>]\(")
_SUBSTITUTIONS = ("command_substitution", "process_substitution")


class Unreadable(Exception):
    """The text has something in it that is not understood with certainty; the message says what."""


@cache
def bash_parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


class TreeReader:
    """Reads one text. `place(start, end)` gives the file span of `text[start:end]`."""

    def __init__(self, text: str, place: Callable[[int, int], Span]) -> None:
        self._text = text
        self._place = place
        self._bytes = text.encode("utf-8", "surrogatepass")
        self._chars = None if len(self._bytes) == len(text) else char_offsets(text)
        self._cwd: str | None = "."
        self._conditional = 0
        self._depth = 0
        self.substituted: list[Command] = []

    def read(self) -> tuple[Item, ...]:
        """Raises Unreadable."""
        root = bash_parser().parse(self._bytes).root_node
        if root.has_error:
            raise Unreadable("the shell text has a part that cannot be read")
        return tuple(self._items(root.children))

    def _offset(self, byte: int) -> int:
        return byte if self._chars is None else self._chars[byte]

    def _source(self, node: Node) -> str:
        return self._text[self._offset(node.start_byte) : self._offset(node.end_byte)]

    def _span(self, node: Node) -> Span:
        return self._place(self._offset(node.start_byte), self._offset(node.end_byte))

    def _items(self, children: Iterable[Node], operator: str = "") -> Iterator[Item]:
        """The statements among `children`, with the operators between them."""
        last: list[Item] = []
        for child in children:
            kind = child.type
            if kind in STATEMENTS:
                yield from last
                last = list(self._flat(child, operator))
                operator = ";"
            elif kind == "&" and last:
                last[-1] = Item(last[-1].operator, in_background(last[-1].node))
                operator = "&"
            elif kind in _OPERATORS:
                operator = _OPERATORS[kind]
        yield from last

    def _flat(self, node: Node, operator: str) -> Iterator[Item]:
        """The elements of a `&&`/`||` list, which the tree nests to the left."""
        waiting: list[tuple[str, Node]] = [(operator, node)]
        while waiting:
            operator, node = waiting.pop()
            if node.type == "list":
                left, sign, right = (child for child in node.children if child.type != "comment")
                waiting += [(sign.type, right), (operator, left)]
            elif node.type == "redirected_statement" and node.children[0].type == "list":
                yield from self._redirected_list(node, operator)
                waiting += after_heredoc(node)
            else:
                yield Item(operator, self._statement(node, operator))
                waiting += after_heredoc(node)

    def _redirected_list(self, node: Node, operator: str) -> Iterator[Item]:
        """`a && b > x`: the tree gives the redirection to the list, the shell to its last
        command."""
        *first, (sign, last) = self._flat(node.children[0], operator)
        yield from first
        yield Item(sign, self._redirect(last, node))

    def _statement(self, node: Node, operator: str = "") -> ShellNode:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable(f"the shell text nests deeper than {_DEEPEST} levels")
        try:
            reader = _READERS.get(node.type)
            if reader is not None:
                return reader(self, node, operator)
            return self._compound(node)
        finally:
            self._depth -= 1

    def _command(self, node: Node, operator: str) -> Command:
        words: list[ShellWord] = []
        assignments: list[Assignment] = []
        redirections: list[Redirection] = []
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment":
                assignments.append(self._assignment(child))
            elif kind.endswith("_redirect"):
                found, more = self._redirection(child)
                redirections += found
                words += more
            elif kind != "comment":
                words.append(self._word(child))
        command = self._made(node, operator, words, assignments, redirections)
        self._cwd = moved(command, self._cwd, operator)
        return command

    def _made(
        self,
        node: Node,
        operator: str,
        words: Iterable[ShellWord] = (),
        assignments: Iterable[Assignment] = (),
        redirections: Iterable[Redirection] = (),
    ) -> Command:
        return Command(
            tuple(words),
            self._span(node),
            tuple(assignments),
            tuple(redirections),
            operator,
            conditional=self._conditional > 0,
            cwd=self._cwd,
        )

    def _word(self, node: Node) -> ShellWord:
        start, end = node.start_byte, node.end_byte
        if self._chars is not None:
            start, end = self._chars[start], self._chars[end]
        text = self._text[start:end]
        if _SUBSTITUTED.search(text):
            self._substitutions(node)
        return read_word(text, self._place(start, end))

    def _substitutions(self, node: Node) -> None:
        """Collects the commands of `$(…)` below a word."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if node.type in _SUBSTITUTIONS:
                cwd = self._cwd
                for item in self._items(node.children):
                    self.substituted += commands_of(item.node)
                self._cwd = cwd
            else:
                waiting += reversed(node.named_children)

    def _assignment(self, node: Node) -> Assignment:
        source = self._source(node)
        name, _, _ = source.partition("=")
        value = node.child_by_field_name("value")
        if value is None:
            end = self._offset(node.end_byte)
            return Assignment(
                name.rstrip("+"), read_word("", self._place(end, end)), self._span(node)
            )
        return Assignment(name.rstrip("+"), self._word(value), self._span(node))

    def _assignments(self, node: Node, operator: str) -> Command:
        nodes = [node] if node.type == "variable_assignment" else node.named_children
        return self._made(node, operator, assignments=[self._assignment(each) for each in nodes])

    def _declaration(self, node: Node, operator: str) -> Command:
        """`export A=b`: the words are as written, and what it sets is in `assignments` too."""
        nodes = [child for child in node.children if child.type != "comment"]
        assignments = [
            self._assignment(child) for child in nodes if child.type == "variable_assignment"
        ]
        words = [read_word(self._source(child), self._span(child)) for child in nodes]
        return self._made(node, operator, words, assignments)

    def _redirection(self, node: Node) -> tuple[list[Redirection], list[ShellWord]]:
        """The redirections, and words after them that belong to the command (the tree gives them to
        these)."""
        if node.type == "heredoc_redirect":
            return self._heredoc(node)
        descriptor = node.child_by_field_name("descriptor")
        operator = next(child.type for child in node.children if not child.is_named)
        targets = [child for child in node.named_children if child.type != "file_descriptor"]
        words = [self._word(child) for child in targets]
        end = self._offset(targets[0].end_byte if targets else node.end_byte)
        span = self._place(self._offset(node.start_byte), end)
        fd = (
            int(self._source(descriptor))
            if descriptor and self._source(descriptor).isdecimal()
            else None
        )
        return [Redirection(operator, words[0] if words else None, span, fd)], words[1:]

    def _heredoc(self, node: Node) -> tuple[list[Redirection], list[ShellWord]]:
        """A here-document; the rest of its line is among its children."""
        body, words = "", []
        more: list[Redirection] = []
        for child in node.named_children:
            if child.type == "heredoc_body":
                body = self._source(child)
            elif child.type.endswith("_redirect"):
                others, others_words = self._redirection(child)
                more += others
                words += others_words
            elif child.type in ("word", "string", "raw_string", "concatenation", "number"):
                words.append(self._word(child))
        operator = next(child.type for child in node.children if not child.is_named)
        return [Redirection(operator, None, self._span(node), None, body), *more], words

    def _redirected(self, node: Node, operator: str) -> ShellNode:
        body = node.child_by_field_name("body")
        if body is None:
            found = [each for child in node.named_children for each in self._redirection(child)[0]]
            return self._made(node, operator, redirections=found)
        target = self._redirect(self._statement(body, operator), node)
        pipes = [
            child
            for child in heredoc_rest(node)
            if child.children and child.children[0].type == "|"
        ]
        if not pipes:
            return target
        parts = [self._statement(child, "|") for child in pipes[0].named_children]
        return Pipeline((target, *parts), self._span(node))

    def _redirect(self, target: ShellNode, node: Node) -> ShellNode:
        """`target` with the redirections of `node`; those of a pipeline go to its last part."""
        if isinstance(target, Pipeline):
            last = self._redirect(target.parts[-1], node)
            return replace(target, parts=(*target.parts[:-1], last), span=self._span(node))
        found = [
            self._redirection(child)
            for child in node.named_children
            if child.type.endswith("_redirect")
        ]
        redirections = tuple(redirection for each, _ in found for redirection in each)
        span = Span(target.span.start, max(target.span.end, self._span(node).end))
        if isinstance(target, Command):
            more = tuple(word for _, words in found for word in words)
            words = target.words + more
            return replace(
                target, words=words, redirections=target.redirections + redirections, span=span
            )
        if isinstance(target, Group):
            return replace(target, redirections=target.redirections + redirections, span=span)
        return replace(target, span=span)

    def _pipeline(self, node: Node, operator: str) -> Pipeline:
        parts: list[ShellNode] = []
        cwd = self._cwd
        sign = operator
        for child in node.children:
            if child.type in ("|", "|&"):
                sign = child.type
            elif child.is_named and child.type != "comment":
                self._cwd = cwd
                parts.append(self._statement(child, sign))
        self._cwd = cwd
        negated = isinstance(parts[0], Command) and parts[0].negated
        return Pipeline(tuple(parts), self._span(node), negated)

    def _negated(self, node: Node, operator: str) -> ShellNode:
        inner = self._statement(node.named_children[-1], operator)
        if isinstance(inner, Command):
            return replace(inner, negated=True, span=self._span(node))
        if isinstance(inner, Pipeline):
            return replace(inner, negated=True, span=self._span(node))
        return Compound("!", (Item("", inner),), self._span(node))

    def _group(self, node: Node, operator: str) -> ShellNode:
        subshell = node.type == "subshell"
        if not subshell and node.children[0].type != "{":
            return self._compound(node)  # (( arithmetic ))
        cwd = self._cwd
        items = tuple(self._items(node.children))
        if subshell or operator == "||":
            self._cwd = cwd
        return Group(subshell, items, self._span(node))

    def _compound(self, node: Node) -> Compound:
        """Everything that may run or not. After it the directory is known only if nothing in it
        changed it."""
        cwd = self._cwd
        self._conditional += 1
        items = tuple(self._inside(node))
        self._conditional -= 1
        if self._cwd != cwd:
            self._cwd = None
        return Compound(node.type.removesuffix("_statement"), items, self._span(node))

    def _inside(self, node: Node) -> Iterator[Item]:
        waiting = list(reversed(node.children))
        while waiting:
            child = waiting.pop()
            if child.type in STATEMENTS:
                yield from self._flat(child, "")
            elif child.type in _SUBSTITUTIONS:
                self._substitutions(child)
            elif child.is_named:
                waiting += reversed(child.children)


_READERS: dict[str, Callable[[TreeReader, Node, str], ShellNode]] = {
    "command": TreeReader._command,
    "variable_assignment": TreeReader._assignments,
    "variable_assignments": TreeReader._assignments,
    "declaration_command": TreeReader._declaration,
    "unset_command": TreeReader._declaration,
    "redirected_statement": TreeReader._redirected,
    "pipeline": TreeReader._pipeline,
    "negated_command": TreeReader._negated,
    "subshell": TreeReader._group,
    "compound_statement": TreeReader._group,
}
