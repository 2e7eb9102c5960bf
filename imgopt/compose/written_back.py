"""A Compose file with what a variant needs written otherwise: only the words that change, all else
byte for byte."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgopt.errors import InputError
from imgopt.results.optimize import ComposeNote

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node


def rewritten(files: Iterable[Path], notes: Iterable[ComposeNote]) -> dict[Path, tuple[str, str]]:
    """Text before and after, of each file in which something changes. What stands in none of them
    in its own place (an anchor, another file that is extended) is left alone."""
    texts = {path: path.read_bytes().decode() for path in files}
    changed: dict[Path, str] = dict(texts)
    for note in notes:
        for path in reversed(list(texts)):
            after = _with(changed[path], note) if note.instead else None
            if after is not None:
                changed[path] = after
                break
    return {path: (texts[path], text) for path, text in changed.items() if text != texts[path]}


def _with(text: str, note: ComposeNote) -> str | None:
    """The text with what the note says; None where it does not say it itself."""
    node = _find(text, ("services", note.service, note.key))
    if node is None:
        return None
    if note.key == "volumes":
        return _with_item(text, node, note.instead)
    start, end = node.start_mark.index, node.end_mark.index
    return f'{text[:start]}"{note.instead}"{text[end:]}'


def _find(text: str, keys: tuple[str, ...]) -> Node | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import MappingNode

    found: Node | None = next(iter(YAML(typ="safe", pure=True).compose_all(text)), None)
    for key in keys:
        if not isinstance(found, MappingNode):
            return None
        found = next((value for name, value in found.value if name.value == key), None)
    return found


def _with_item(text: str, node: Any, item: str) -> str | None:
    """One item more, behind the last one, in the list's own layout."""
    if not isinstance(node.value, list) or not node.value:
        return None
    last = node.value[-1]
    if node.flow_style:
        end = last.end_mark.index
        return f"{text[:end]}, {item}{text[end:]}"
    begin = text.rfind("\n", 0, last.start_mark.index) + 1
    indent = text[begin : last.start_mark.index].split("-")[0]
    if indent.strip():
        raise InputError(f"the list of {item} has no layout that is known")
    line_end = text.find("\n", _last_index(last, text))
    end = len(text) if line_end < 0 else line_end + 1
    eol = "\r\n" if "\r\n" in text else "\n"
    before = text[:end] if text[:end].endswith("\n") else text[:end] + eol
    return f"{before}{indent}- {item}{eol}{text[end:]}"


def _last_index(node: Any, text: str) -> int:
    """Where what a node says ends, without the space behind it."""
    end = int(node.end_mark.index)
    return len(text[:end].rstrip())
