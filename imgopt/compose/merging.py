"""One file over another, and a service over the one that it extends: mappings are merged, lists
joined, commands replaced (the compose specification's "merge" page)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgopt.compose.yaml_text import Tagged

_REPLACED = frozenset([("command",), ("entrypoint",), ("healthcheck", "test")])
_BY_TARGET = frozenset(["volumes", "secrets", "configs", "devices"])
Path_ = tuple[str, ...]


def merged(below: Any, above: Any, keys: Path_ = ()) -> Any:
    """Both, in long forms, `above` winning. `keys` lead to it from its service."""
    if isinstance(above, Tagged):
        return None if above.kind == "reset" else untagged(above.value)
    if above is None:
        return below
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return _mappings(below, above, keys)
    if isinstance(below, list) and isinstance(above, list) and keys not in _REPLACED:
        return _lists(below, above, keys)
    return untagged(above)


def _mappings(below: Mapping[str, Any], above: Mapping[str, Any], keys: Path_) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        if isinstance(value, Tagged) and value.kind == "reset":
            both.pop(key, None)
        elif key in both and both[key] is not None:
            both[key] = merged(both[key], value, (*keys, key))
        else:
            both[key] = untagged(value)
    return both


def _lists(below: list[Any], above: list[Any], keys: Path_) -> list[Any]:
    found: dict[Any, Any] = {}
    for number, item in enumerate([*below, *above]):
        found[_identity(item, keys, number)] = item
    return [untagged(item) for item in found.values()]


def _identity(item: Any, keys: Path_, number: int) -> Any:
    """What makes two entries of a list the same one."""
    last = keys[-1] if keys else ""
    if isinstance(item, Mapping):
        if last == "ports":
            names = ("host_ip", "published", "target", "protocol")
            return tuple(item.get(name) for name in names)
        if last in _BY_TARGET:
            return item.get("target") or item.get("source")
        return number
    return str(item)


def untagged(value: Any) -> Any:
    """Without what is reset, and with what overrides as if it stood alone."""
    if isinstance(value, Tagged):
        return untagged(value.value)
    if isinstance(value, Mapping):
        return {
            key: untagged(item)
            for key, item in value.items()
            if not (isinstance(item, Tagged) and item.kind == "reset")
        }
    return [untagged(item) for item in value] if isinstance(value, list) else value
