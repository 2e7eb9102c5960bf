"""A file that is there, with what a tree says put into it: every other byte stays.

What the author wrote stays, unless a measured bound says that it fails (a memory limit below the
peak); what we wrote in an earlier run (its comment begins with "measured:" or "rule:") follows the
new figures. What is missing goes to the end of its mapping or list, in the file's own layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgopt.compose.yaml_text import as_text
from imgopt.deploy.yaml_tree import Noted, Tree, bare, flow, lines_of, note_of, value_of
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_OURS = re.compile(r"[ \t]*# (?:measured|rule): .*")
_NAMED_BY = ("containerPort", "mountPath", "target", "topologyKey", "name", "type", "action")


@dataclass
class InPlace:
    """Edits of one text; `left` are the places that could not be changed, with the reason."""

    text: str
    file: Path
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    """Start, end, text; of two at one place the first is in front."""
    above: list[tuple[int, int, str]] = field(default_factory=list)
    """Comments above a line: behind what is put at the same place."""
    changed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def put(self, node: Node, tree: Tree, where: str = "") -> None:
        """Brings a node to what the tree says. Collects edits; `result` makes them."""
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        wanted = value_of(tree)
        if isinstance(node, MappingNode) and isinstance(wanted, Mapping):
            self._mapping(node, wanted, where)
        elif isinstance(node, SequenceNode) and isinstance(wanted, (list, tuple)):
            self._sequence(node, list(wanted), where)
        elif isinstance(node, ScalarNode) and not isinstance(wanted, (Mapping, list, tuple)):
            self._scalar(node, tree, where)
        elif bare(tree) not in ({}, []):
            self.left.append(f"{where}: written in another form")

    def result(self) -> str:
        """The text with all edits, from the end. Raises InputError where it would not parse."""
        text = self.text
        every = [*self.edits, *self.above]
        numbered = [(edit[0], number, edit) for number, edit in enumerate(every)]
        for _, _, (start, end, new) in sorted(numbered, reverse=True):
            text = text[:start] + new + text[end:]
        nodes_of(text, self.file)
        return text

    def _mapping(self, node: MappingNode, wanted: Mapping[str, Tree], where: str) -> None:
        own = {str(key.value): value for key, value in node.value}
        own.update(dict.fromkeys(_merged_names(node)) | own)
        missing: dict[str, Tree] = {}
        for key, tree in wanted.items():
            place = f"{where}.{key}" if where else key
            if key not in own:
                missing[key] = tree
            elif own[key] is not None:
                if _is_empty(own[key]):
                    self._fill(own[key], tree, place, _column(node) or 0)
                else:
                    self.put(own[key], tree, place)
        if missing:
            self.changed += [f"{where}.{key}" if where else key for key in missing]
            self._append(node, missing)

    def _append(self, node: MappingNode, missing: Mapping[str, Tree]) -> None:
        if node.flow_style or not node.value:
            self._into_flow(node, ", ".join(flow({k: bare(v)})[1:-1] for k, v in missing.items()))
        else:
            self._below(node, lines_of(missing, _column(node) or 0))

    def _sequence(self, node: SequenceNode, wanted: list[Tree], where: str) -> None:
        missing: list[Tree] = []
        if any(_is_unnamed(bare(tree)) for tree in wanted) and node.value:
            self._by_place(node, wanted, where)
            return
        for tree in wanted:
            same = next((one for one in node.value if _is_same(one, bare(tree))), None)
            if same is None:
                missing.append(tree)
            elif isinstance(bare(tree), Mapping):
                self.put(same, tree, f"{where}[{_name(bare(tree))}]")
        if not missing:
            return
        self.changed += [f"{where}[{_name(bare(tree))}]" for tree in missing]
        if node.flow_style or not node.value:
            self._into_flow(node, ", ".join(flow(bare(tree)) for tree in missing))
        else:
            self._below(node, lines_of(missing, node.start_mark.column))

    def _by_place(self, node: SequenceNode, wanted: list[Tree], where: str) -> None:
        """Items without a name: one by one where there are as many; else they are the author's."""
        if len(node.value) != len(wanted):
            self.left.append(f"{where}: the file has {len(node.value)} of its own")
            return
        for number, (own, tree) in enumerate(zip(node.value, wanted, strict=True)):
            self.put(own, tree, f"{where}[{number}]")

    def _scalar(self, node: ScalarNode, tree: Tree, where: str) -> None:
        value = bare(tree)
        start, end = node.start_mark.index, node.end_mark.index
        if node.value == as_text(value) or node.style in ("|", ">"):
            return
        behind, above = _OURS.match(self.text, end), self._ours_above(start)
        holds = tree.holds if isinstance(tree, Noted) else None
        if not (behind or above) and (holds is None or holds(node.value)):
            return
        self.changed.append(f"{where}: {node.value} -> {as_text(value)}")
        self.edits.append((start, end, flow(value)))
        self._note(note_of(tree), start, end, behind.end() if behind else end, above)

    def _note(
        self, note: str, start: int, end: int, behind: int, above: tuple[int, int] | None
    ) -> None:
        """The comment in the place of the one that it replaces, else behind the value, else above
        its line."""
        line = self.text.rfind("\n", 0, start) + 1
        indent = self.text[line : line + len(self.text[line:]) - len(self.text[line:].lstrip(" "))]
        eol = "\r\n" if "\r\n" in self.text else "\n"
        if above:
            self.edits.append((*above, f"{indent}# {note}"))
        elif behind > end or self.text[end : end + 1] in ("", "\n", "\r"):
            self.edits.append((end, behind, f" # {note}" if note else ""))
        elif note:
            self.above.append((line, line, f"{indent}# {note}{eol}"))

    def _ours_above(self, at: int) -> tuple[int, int] | None:
        """The comment of ours on the line above."""
        line = self.text.rfind("\n", 0, at)
        begin = self.text.rfind("\n", 0, max(line, 0)) + 1
        above = self.text[begin : max(line, 0)].rstrip("\r")
        return (begin, begin + len(above)) if _OURS.fullmatch(above) else None

    def _fill(self, node: Node, tree: Tree, where: str, column: int) -> None:
        """A key without a value."""
        value = value_of(tree)
        if bare(tree) in ({}, [], None):
            return
        self.changed.append(where)
        end = self._line_end(node.start_mark.index)
        if isinstance(value, (Mapping, list, tuple)):
            self.edits.append((end, end, self._as_lines(lines_of(value, column + 2), end)))
        else:
            at = len(self.text[: node.start_mark.index].rstrip(" "))
            self.edits.append((at, at, f" {flow(value)}"))

    def _into_flow(self, node: Node, words: str) -> None:
        end = node.end_mark.index - 1
        begun = self.text[: len(self.text[:end].rstrip())]
        comma = "" if begun.endswith(("{", "[", ",")) else ","
        at = len(begun)
        space = "" if begun.endswith(("{", "[")) else " "
        self.edits.append((at, at, f"{comma}{space}{words}"))

    def _below(self, node: Node, lines: Iterator[str]) -> None:
        end = self._line_end(_last_index(node, self.text))
        self.edits.append((end, end, self._as_lines(lines, end)))

    def _line_end(self, at: int) -> int:
        found = self.text.find("\n", max(at - 1, 0))
        return len(self.text) if found < 0 else found + 1

    def _as_lines(self, lines: Iterator[str], at: int) -> str:
        eol = "\r\n" if "\r\n" in self.text else "\n"
        begin = "" if at == 0 or self.text[at - 1] == "\n" else eol
        return begin + "".join(f"{line}{eol}" for line in lines)


def nodes_of(text: str, file: Path) -> list[Node]:
    """Roots of a file's documents, None for an empty one. Raises InputError with the line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return list(YAML(typ="safe", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise _unreadable(text, file, line, str(error.problem or error.context)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(text, file, None, str(error).splitlines()[0]) from None


def _unreadable(text: str, file: Path, line: int | None, said: str) -> InputError:
    hint = (
        "it is a template: give the files that it makes (`helm template`), or another folder"
        if "{{" in text
        else "mend it, or give another folder; nothing was written"
    )
    return InputError(f"not valid YAML: {said}", location=Location(str(file), line), hint=hint)


def child(node: Node | None, *keys: str) -> Node | None:
    """A value below mappings."""
    from ruamel.yaml.nodes import MappingNode

    for key in keys:
        if not isinstance(node, MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node


def text_of(node: Node | None, *keys: str) -> str:
    """A scalar below mappings, "" where there is none."""
    from ruamel.yaml.nodes import ScalarNode

    found = child(node, *keys)
    return str(found.value) if isinstance(found, ScalarNode) else ""


def _merged_names(node: MappingNode) -> Iterator[str]:
    """Keys that come in by `<<`: they are another mapping's, and may be others' as well."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    for key, value in node.value:
        if key.value == "<<":
            for one in value.value if isinstance(value, SequenceNode) else [value]:
                if isinstance(one, MappingNode):
                    yield from (str(name.value) for name, _ in one.value)
                    yield from _merged_names(one)


def _is_empty(node: Any) -> bool:
    return node.id == "scalar" and node.value == "" and not node.style


def _column(node: MappingNode) -> int | None:
    return node.value[0][0].start_mark.column if node.value else None


def _is_same(node: Node, wanted: Any) -> bool:
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    if isinstance(node, ScalarNode):
        return not isinstance(wanted, (Mapping, list)) and bool(node.value == as_text(wanted))
    if not isinstance(node, MappingNode) or not isinstance(wanted, Mapping):
        return False
    key = next(key for key in _NAMED_BY if key in wanted)
    return text_of(node, key) == as_text(wanted[key])


def _is_unnamed(wanted: Any) -> bool:
    return isinstance(wanted, Mapping) and not any(key in wanted for key in _NAMED_BY)


def _name(wanted: Any) -> str:
    if not isinstance(wanted, Mapping):
        return as_text(wanted) if not isinstance(wanted, list) else ""
    return next((as_text(wanted[key]) for key in _NAMED_BY if key in wanted), "")


def _last_index(node: Node, text: str) -> int:
    """Where what a node says ends: behind its last word, not behind comments that follow it."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        key, value = node.value[-1]
        return max(int(key.end_mark.index), _last_index(value, text))
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _last_index(node.value[-1], text)
    end = int(node.end_mark.index)
    return len(text[:end].rstrip()) if getattr(node, "style", "") in ("|", ">") else end
