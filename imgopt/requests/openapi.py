"""Requests from an OpenAPI or Swagger description (versions 2, 3.0, 3.1): each operation once, with
a body made from its schema, in an order in which things are there before they are changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from imgopt.requests.request import CHANGING, FORM, JSON, Request
from imgopt.requests.schema import encoded, example, listed, resolved, table

_ORDER = {method: place for place, method in enumerate(("POST", "PUT", "PATCH", "DELETE"))}
_TEMPLATE = re.compile(r"\{([^}]+)\}")
_PREFERRED = (JSON, FORM, "multipart/form-data")


def described(document: Any, methods: tuple[str, ...] = CHANGING) -> tuple[Request, ...]:
    """The operations with one of these methods; () for what is no such description. What is made by
    a POST is named by its id afterwards: `/notes/{id}` takes what the answer of `POST /notes` calls
    `id`."""
    if not is_description(document):
        return ()
    base = _base(document)
    found = [
        _request(document, base, path, method, operation, item)
        for path, given in document["paths"].items()
        for item in [resolved(given, document)]
        if isinstance(path, str) and isinstance(item, dict)
        for method, operation in item.items()
        if method.upper() in methods and isinstance(operation, dict)
    ]
    made = {one.path for one in found if one.method == "POST"}
    linked = [_linked(one, made) for one in found]
    return tuple(sorted(linked, key=lambda one: _ORDER.get(one.method, -1)))


def is_description(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and ("openapi" in document or "swagger" in document)
        and isinstance(document.get("paths"), dict)
    )


def _base(document: dict[str, Any]) -> str:
    """Where the paths lie below the service's own root."""
    if isinstance(document.get("basePath"), str):
        return str(document["basePath"]).rstrip("/")
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    url = first.get("url") if isinstance(first, dict) else ""
    return _TEMPLATE.sub("1", urlsplit(str(url or "")).path).rstrip("/")


def _request(
    document: Any, base: str, path: str, method: str, operation: Any, item: Any
) -> Request:
    given = [*listed(item.get("parameters")), *listed(operation.get("parameters"))]
    parameters = [one for one in (resolved(p, document) for p in given) if isinstance(one, dict)]
    kind, body = _body(document, operation, parameters)
    headers = [("Content-Type", kind)] if kind else []
    headers += [
        (str(one["name"]), _worded(_value(one, document)))
        for one in parameters
        if one.get("in") == "header" and one.get("required") and "name" in one
    ]
    query = [
        (str(one["name"]), _worded(_value(one, document)))
        for one in parameters
        if one.get("in") == "query" and one.get("required") and "name" in one
    ]
    inside = {
        str(one["name"]): _worded(_value(one, document))
        for one in parameters
        if one.get("in") == "path" and "name" in one
    }
    whole = base + (path if path.startswith("/") else f"/{path}")
    asked = _TEMPLATE.sub(lambda match: _hole(match[1], inside.get(match[1], "1")), whole)
    asked += f"?{urlencode(query)}" if query else ""
    return Request(method.upper(), asked, headers=tuple(headers), body=body)


def _hole(name: str, value: str) -> str:
    """A parameter of the path as `{{name=value}}`, until it is known who makes such a thing."""
    return f"{{{{{name}={quote(value, safe='')}}}}}"


_HOLE = re.compile(r"\{\{([^=}]+)=([^}]*)\}\}")


def _linked(request: Request, made: set[str]) -> Request:
    """With what an earlier POST made where the path leads below it, else with a plain value."""
    match = _HOLE.search(request.path)
    path, saves = request.path, request.saves
    if match is not None:
        parent = path[: match.start()].rstrip("/")
        if parent in made:
            key = match[1] if match[1].lower() != "id" else "id"
            name = f"made {_word(parent)} {_word(key)}"
            tail = _plain(path[match.end() :])
            path = f"{_plain(parent)}/{{{{{name}={match[2]}}}}}{tail}"
        else:
            path = _plain(path)
    if request.method == "POST":
        saves += _made_by(request.path)
    return Request(request.method, path, None, request.headers, request.body, saves=saves)


def _plain(path: str) -> str:
    return _HOLE.sub(lambda hole: hole[2], path)


def linked(requests: Sequence[Request]) -> tuple[Request, ...]:
    """The same of requests whose parameters are a plain 1: `/notes/1` is what `POST /notes` made,
    where that is among them."""
    made = {one.path for one in requests if one.method == "POST"}
    return tuple(_named(one, made) for one in requests)


_ONE = re.compile(r"/1(?=/|$)")


def _named(request: Request, made: set[str]) -> Request:
    path, saves = request.path, request.saves
    match = _ONE.search(path)
    if match is not None and path[: match.start()] in made:
        parent = path[: match.start()]
        path = f"{parent}/{{{{made {_word(parent)} id=1}}}}{path[match.end() :]}"
    if request.method == "POST" and match is None:
        saves += _made_by(path)
    return replace(request, path=path, saves=saves)


def _made_by(path: str) -> tuple[tuple[str, str], ...]:
    own = _plain(path).rstrip("/").rpartition("/")[2].removesuffix("s")
    names = ("id", f"{own}_id", f"{own}Id", "uuid", "slug")
    return tuple((f"made {_word(path)} {_word(name)}", f"json:{name}") for name in names)


def _word(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text).strip("-") or "root"


def _value(parameter: dict[str, Any], document: Any) -> Any:
    if "example" in parameter:
        return parameter["example"]
    schema = parameter.get("schema") or parameter
    return example(schema, document, str(parameter.get("name", "")))


def _worded(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_worded, value))
    return value if isinstance(value, str) else json.dumps(value)


def _body(document: Any, operation: Any, parameters: list[dict[str, Any]]) -> tuple[str, bytes]:
    content = table(table(resolved(operation.get("requestBody"), document)).get("content"))
    if content:
        kinds = sorted(content, key=lambda one: _rank(one.partition(";")[0]))
        media = table(content[kinds[0]])
        schema = resolved(media.get("schema") or {}, document)
        value = next(_examples(media, document), None)
        value = example(schema, document) if value is None else value
        return encoded(value, kinds[0].partition(";")[0], _files(schema, document))
    whole = next((one for one in parameters if one.get("in") == "body"), None)
    if whole is not None:
        return encoded(example(whole.get("schema") or {}, document), JSON)
    fields = [one for one in parameters if one.get("in") == "formData" and "name" in one]
    if fields:
        files = frozenset(str(one["name"]) for one in fields if one.get("type") == "file")
        values = {str(one["name"]): _value(one, document) for one in fields}
        return encoded(values, "multipart/form-data" if files else FORM, files)
    return "", b""


def _rank(kind: str) -> tuple[int, str]:
    return (_PREFERRED.index(kind) if kind in _PREFERRED else 1 if "json" in kind else 9, kind)


def _examples(media: dict[str, Any], document: Any) -> Iterator[Any]:
    if "example" in media:
        yield media["example"]
    for one in table(media.get("examples")).values():
        found = resolved(one, document)
        if isinstance(found, dict) and "value" in found:
            yield found["value"]


def _files(schema: Any, document: Any) -> frozenset[str]:
    """The properties that hold a file's bytes."""
    return frozenset(
        name
        for name, inner in table(table(schema).get("properties")).items()
        if isinstance(own := resolved(inner, document), dict)
        and (own.get("format") == "binary" or "contentMediaType" in own)
    )
