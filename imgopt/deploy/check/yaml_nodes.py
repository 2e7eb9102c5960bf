"""YAML as nodes: every document of a text, with the line of every key, within bounds.

Built from the parser's events, which need no recursion of the parser's: a file that nobody trusts
may be deep, huge, or unfold by its aliases. Words are read as Kubernetes reads them (YAML 1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.resolver import Resolver

from imgopt.deploy.check.nodes import Node, Scalar
from imgopt.errors import InputError, Location

MOST_BYTES = 16 << 20
MOST_NODES = 500_000
"""With what aliases repeat."""
DEEPEST = 200
_TAG = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = Resolver()


def documents(text: str, file: str) -> list[Node]:
    """The documents that are not empty. Raises InputError with the line of what cannot be read."""
    if len(text) > MOST_BYTES:
        raise InputError(
            f"larger than {MOST_BYTES >> 20} MiB",
            location=Location(file),
            hint="name the files that say how the image is run",
        )
    reader = _Reader(file)
    try:
        found = list(reader.documents(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        raise _refused(error, file) from None
    except (yaml.YAMLError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"not valid YAML: {said}", location=Location(file)) from None
    return [node for node in found if node.there]


def _refused(error: yaml.MarkedYAMLError, file: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    hint = "YAML is indented by spaces" if "\\t" in said or "tab" in said else None
    place = Location(file, mark.line + 1 if mark is not None else None)
    return InputError(f"not valid YAML: {said}", location=place, hint=hint)


@dataclass
class _Anchored:
    node: Node
    size: int


@dataclass
class _Reader:
    file: str
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    count: int = 0

    def documents(self, events: Iterator[Any]) -> Iterator[Node]:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors = {}
                yield self._node(next(events), events, 0)

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        line = event.start_mark.line + 1
        self._counted(1, line)
        if depth > DEEPEST:
            raise self._wrong(f"nested more than {DEEPEST} deep", line)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, line)
        before = self.count
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event), self.file, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(self._sequence(events, depth), self.file, line)
        else:
            node = Node(self._mapping(events, depth), self.file, line)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(node, self.count - before + 1)
        return node

    def _counted(self, more: int, line: int) -> None:
        self.count += more
        if self.count > MOST_NODES:
            raise self._wrong(f"says more than {MOST_NODES:,} things, aliases unfolded", line)

    def _alias(self, name: str, line: int) -> Node:
        anchored = self.anchors.get(name)
        if anchored is None:
            raise self._wrong(f"not valid YAML: the alias *{name} has no anchor before it", line)
        self._counted(anchored.size, line)
        return anchored.node.at(line)

    def _scalar(self, event: Any) -> Scalar:
        tag = event.tag
        if tag is None or tag == "!":
            plain = (event.implicit[0], event.implicit[1])
            tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, plain)
        return _plain(str(tag).removeprefix(_TAG), event.value)

    def _sequence(self, events: Iterator[Any], depth: int) -> list[Node]:
        found = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(self._node(event, events, depth + 1))
        return found

    def _mapping(self, events: Iterator[Any], depth: int) -> dict[str, Node]:
        own: dict[str, Node] = {}
        below: list[Node] = []
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            merge = (
                isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]
            )
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if isinstance(key.value, (dict, list)):
                raise self._wrong("not valid YAML: a key that is no text", line)
            if merge:
                below += value.items or [value]
            elif key.text in own:
                first = own[key.text].line
                raise self._wrong(f'the key "{key.text}" stands there twice (line {first})', line)
            else:
                own[key.text] = value.at(line)
        for one in below:
            own = {**one.table, **own}
        return own

    def _wrong(self, said: str, line: int) -> InputError:
        return InputError(said, location=Location(self.file, line))


_TRUE = ("yes", "true", "on")


def _plain(kind: str, text: str) -> Scalar:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE
    if kind in ("int", "float"):
        return _number(kind, text)
    return text


def _number(kind: str, text: str) -> Scalar:
    """As written where Python would read it in another way: `22:22`, `.inf`."""
    plain = text.replace("_", "")
    try:
        if kind == "float":
            return float(plain)
        octal = len(plain.lstrip("+-")) > 1 and plain.lstrip("+-").isdigit() and "0" in plain[:2]
        return int(plain, 8) if octal and plain.lstrip("+-")[0] == "0" else int(plain, 0)
    except (ValueError, OverflowError):
        return text
