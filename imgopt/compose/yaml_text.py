"""A YAML file as Compose reads it: YAML 1.2 words (`yes` and `22:22` are texts), anchors and merge
keys, `!reset` and `!override`, and the line of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

_TAG = "tag:yaml.org,2002:"
_MOST_NODES = 200_000
_LINE = re.compile(r"line (\d+)")
Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """What stands behind `!reset` (it is as if it were not there) or `!override` (it replaces what
    the files before say)."""

    kind: str
    value: Any


@dataclass(frozen=True)
class Document:
    """What a file says, and where."""

    path: Path
    value: Any
    lines: Mapping[Keys, int] = field(default_factory=dict)

    def place(self, *keys: str | int) -> Location:
        """The line of a key, or of the nearest one around it."""
        for end in range(len(keys), 0, -1):
            if keys[:end] in self.lines:
                return Location(str(self.path), self.lines[keys[:end]])
        return Location(str(self.path))


def read_yaml(path: Path) -> Document:
    """The file's first document. Raises InputError with the line of what is no YAML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(f"cannot be read: {reason}", location=Location(str(path))) from None
    return _document(text, path)


def yaml_value(text: str) -> Any:
    """What a text says that a program wrote."""
    return _document(text, Path("standard output")).value


def _document(text: str, path: Path) -> Document:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        nodes = list(YAML(typ="safe", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"not valid YAML: {said}", location=Location(str(path), line)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        found = _LINE.search(str(error))
        place = Location(str(path), int(found[1]) if found else None)
        raise InputError(f"not valid YAML: {error}", location=place) from None
    reader = _Reader(path)
    value = reader.plain(nodes[0], ()) if nodes and nodes[0] is not None else None
    return Document(path, value, reader.lines)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._open: set[int] = set()
        self.lines: dict[Keys, int] = {}

    def plain(self, node: Node, keys: Keys) -> Any:
        """A node as Python's values. Raises InputError for a key that is there twice and for an
        alias that holds itself."""
        self._count += 1
        if id(node) in self._open or self._count > _MOST_NODES:
            raise self._wrong(node, "an alias that holds itself")
        self._open.add(id(node))
        try:
            value = self._value(node, keys)
        finally:
            self._open.discard(id(node))
        tag = str(node.tag or "")
        return Tagged(tag[1:], value) if tag in ("!reset", "!override") else value

    def _value(self, node: Node, keys: Keys) -> Any:
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        if isinstance(node, MappingNode):
            return self._mapping(node, keys)
        if isinstance(node, SequenceNode):
            for number, item in enumerate(node.value):
                self.lines.setdefault((*keys, number), item.start_mark.line + 1)
            return [self.plain(item, (*keys, n)) for n, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        if "\0" in node.value:
            raise self._wrong(node, "a null byte, which no path and no variable can have")
        return _scalar(str(node.tag or "").removeprefix(_TAG), node.value)

    def _mapping(self, node: Node, keys: Keys) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key == "<<" and not key_node.style:
                merged.append(self.plain(value_node, keys))
                continue
            line = key_node.start_mark.line + 1
            if key in own:
                first = self.lines.get((*keys, key))
                raise self._wrong(key_node, f'mapping key "{key}" already defined at line {first}')
            self.lines[(*keys, key)] = line
            own[key] = self.plain(value_node, (*keys, key))
        for value in merged:
            for one in value if isinstance(value, list) else [value]:
                if not isinstance(one, dict):
                    raise self._wrong(node, "map merge requires map or sequence of maps")
                own = {**one, **own}
        return own

    def _wrong(self, node: Node, said: str) -> InputError:
        return InputError(said, location=Location(str(self._path), node.start_mark.line + 1))


def _scalar(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return _whole(text)
    if kind == "float":
        try:
            return float(text.replace("_", ""))
        except ValueError:
            return text
    return text


def _whole(text: str) -> int | str:
    try:
        if re.fullmatch(r"[-+]?0[0-7]+", text):
            return int(text, 8)
        return int(text.replace("_", ""), 0)
    except ValueError:
        return text


def as_text(value: Any) -> str:
    """A scalar as Compose writes it into an environment."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}" if value == int(value) and abs(value) < 1e21 else repr(value)
    return str(value)
