"""Requests to a GraphQL service: its introspection, and one query or mutation for each field that
the introspection names and that plain values are enough for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from imgopt.requests.request import JSON, Request
from imgopt.requests.schema import plain_value

_OF_TYPE = "kind name ofType{kind name ofType{kind name ofType{kind name}}}"
INTROSPECTION = (
    "{__schema{queryType{name}mutationType{name}types{kind name enumValues{name}"
    f"fields{{name args{{name defaultValue type{{{_OF_TYPE}}}}}type{{{_OF_TYPE}}}}}"
    f"inputFields{{name defaultValue type{{{_OF_TYPE}}}}}}}}}}}"
)
USUAL = "/graphql"
_MOST_EACH = 6
_SCALARS = {"Int": "1", "Float": "1.5", "Boolean": "true", "ID": '"1"'}
_DEEPEST = 3


def introspection(path: str) -> Request:
    return _request(path, INTROSPECTION)


def operations(path: str, answer: bytes) -> tuple[Request, ...]:
    """From the answer to the introspection; () for what is none. Mutations come last."""
    try:
        schema = json.loads(answer)["data"]["__schema"]
        types = {one["name"]: one for one in schema["types"]}
        made = list(_texts(schema, types))
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(_request(path, text) for text in made)


def _request(path: str, query: str) -> Request:
    body = json.dumps({"query": query}).encode()
    return Request("POST", path, headers=(("Content-Type", JSON),), body=body)


def _texts(schema: dict[str, Any], types: dict[str, Any]) -> Iterator[str]:
    for word, root in (("query", "queryType"), ("mutation", "mutationType")):
        name = (schema.get(root) or {}).get("name")
        fields = (types.get(str(name)) or {}).get("fields") or ()
        for field in fields[:_MOST_EACH]:
            yield f"{word}{{{field['name']}{_arguments(field, types)}{_selected(field, types)}}}"


def _named(kind: dict[str, Any]) -> str:
    while kind.get("ofType"):
        kind = kind["ofType"]
    return str(kind.get("name"))


def _arguments(field: dict[str, Any], types: dict[str, Any]) -> str:
    """Those that are needed."""
    given = [
        f"{one['name']}:{_value(one['type'], types, one['name'], 0)}"
        for one in field.get("args") or ()
        if one["type"]["kind"] == "NON_NULL" and one.get("defaultValue") is None
    ]
    return f"({','.join(given)})" if given else ""


def _value(kind: dict[str, Any], types: dict[str, Any], name: str, depth: int) -> str:
    if kind["kind"] == "NON_NULL":
        return _value(kind["ofType"], types, name, depth)
    if kind["kind"] == "LIST":
        return f"[{_value(kind['ofType'], types, name, depth)}]"
    own = types.get(kind["name"]) or {}
    if own.get("enumValues"):
        return str(own["enumValues"][0]["name"])
    if own.get("inputFields") and depth < _DEEPEST:
        inner = [
            f"{one['name']}:{_value(one['type'], types, one['name'], depth + 1)}"
            for one in own["inputFields"]
            if one["type"]["kind"] == "NON_NULL"
        ]
        return f"{{{','.join(inner)}}}"
    return _SCALARS.get(str(kind["name"]), json.dumps(str(plain_value(name))))


def _selected(field: dict[str, Any], types: dict[str, Any]) -> str:
    own = types.get(_named(field["type"])) or {}
    if own.get("kind") not in ("OBJECT", "INTERFACE", "UNION"):
        return ""
    plain = [
        one["name"]
        for one in own.get("fields") or ()
        if not one.get("args")
        and (types.get(_named(one["type"])) or {}).get("kind") in ("SCALAR", "ENUM")
    ]
    return f"{{{' '.join(['__typename', *plain[:10]])}}}"
