"""One object over another, as Kustomize puts patches on: strategic merges and JSON patches."""

from __future__ import annotations

from dataclasses import replace

from imgopt.deploy.check.nodes import Node

_KEYS = ("name", "mountPath", "containerPort", "port", "topologyKey", "devicePath", "ip")
"""What tells items of a list apart (the API's patchMergeKey)."""
_PATCH = "$patch"


def merged(below: Node, above: Node) -> Node:
    """A strategic merge: tables are merged, lists of named things joined by their names, the rest
    replaced."""
    if isinstance(below.value, dict) and isinstance(above.value, dict):
        return _tables(below, above)
    if isinstance(below.value, list) and isinstance(above.value, list):
        return _lists(below, above)
    return below if below.value == above.value else above


def _tables(below: Node, above: Node) -> Node:
    if above[_PATCH].text == "replace":
        kept = {k: v for k, v in above.table.items() if k != _PATCH}
        return replace(above, value=kept)
    both = dict(below.table)
    for key, value in above.table.items():
        if value.value is None or value[_PATCH].text == "delete":
            both.pop(key, None)
        elif key in both:
            both[key] = merged(both[key], value)
        else:
            both[key] = value
    return replace(below, value=both)


def _lists(below: Node, above: Node) -> Node:
    every = [*below.items, *above.items]
    key = next((k for k in _KEYS if every and all(item[k].there for item in every)), None)
    if key is None:
        return above
    found = {item[key].text: item for item in below.items}
    for item in above.items:
        name = item[key].text
        if item[_PATCH].text == "delete":
            found.pop(name, None)
        else:
            found[name] = merged(found[name], item) if name in found else item
    return replace(below, value=list(found.values()))


def json_patched(node: Node, operation: Node) -> Node:
    """One operation of a JSON patch (RFC 6902): add, replace, remove; others leave it as it is."""
    parts = [
        part.replace("~1", "/").replace("~0", "~") for part in operation["path"].text.split("/")[1:]
    ]
    kind = operation["op"].text
    if not parts or kind not in ("add", "replace", "remove"):
        return node
    return _at(node, parts, None if kind == "remove" else operation["value"], kind == "add")


def _at(node: Node, parts: list[str], value: Node | None, inserts: bool) -> Node:
    first, rest = parts[0], parts[1:]
    if isinstance(node.value, list):
        return replace(node, value=_in_list(node.value, first, rest, (value, inserts)))
    table = dict(node.table)
    if rest:
        table[first] = _at(table.get(first, node[first]), rest, value, inserts)
    elif value is None:
        table.pop(first, None)
    else:
        table[first] = value
    return replace(node, value=table)


def _in_list(
    items: list[Node], first: str, rest: list[str], change: tuple[Node | None, bool]
) -> list[Node]:
    value, inserts = change
    number = len(items) if first == "-" else int(first) if first.isdigit() else -1
    if rest:
        inside = 0 <= number < len(items)
        return [
            _at(item, rest, value, inserts) if inside and n == number else item
            for n, item in enumerate(items)
        ]
    if value is None:
        return [item for n, item in enumerate(items) if n != number]
    if number < 0 or number > len(items):
        return items
    return [*items[:number], value, *items[number + (0 if inserts else 1) :]]
