"""Requests that change something, as the sources of a service name them: routes with their methods,
the fields that handlers read, WebSockets, and descriptions that lie beside.

How a language says it is a fact of its ecosystem (`[[write_route]]`, `[[body_field]]`,
`[[socket_route]]`). A guess that the original does not know costs one request and is forgotten.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.requests import BodyField, SocketRoute, WriteRoute
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.routes import clean, named_routes, prefixes_in
from imgopt.inspect.sources.texts import is_foreign, is_test, source_texts
from imgopt.requests.openapi import described, linked
from imgopt.requests.request import CHANGING, JSON, Request
from imgopt.requests.schema import plain_value
from imgopt.requests.text_formats import loaded

MOST_ROUTES = 90
_MOST_FIELDS = 20
_MOST_LITERALS = 24
_LONGEST_DESCRIPTION = 4 << 20
_QUOTED = r"""[rbuf]?["'`](?P<path{}>[^"'`\s$]{{0,120}})["'`]"""
_LITERAL = re.compile(r"""["'`](?P<path>/[\w/.:<>{}-]{0,60})["'`]""")
_DESCRIPTION = re.compile(r"(?:^|/)(?:openapi|swagger|api-docs|api)[\w.-]*\.(?:json|ya?ml)$")
_WORD = re.compile(r"[A-Za-z]+")
_WHOLE = re.compile(r"/(?:api|v\d+|rest)\b")
_Route = tuple[str, str, tuple[str, ...]]
_FILE = re.compile(r"\.\w{1,5}$")


@dataclass(frozen=True, slots=True)
class Writes:
    """What may be asked beyond GET. `described` is from a description and has bodies that fit;
    `routes` are from the text of sources, `sockets` paths, `unasked` what is not asked, and why."""

    described: tuple[Request, ...] = ()
    routes: tuple[Request, ...] = ()
    sockets: tuple[str, ...] = ()
    graphql: bool = False
    unasked: tuple[str, ...] = ()


def writes(view: ImageView, more: Iterable[tuple[str, str]] = ()) -> Writes:
    """From the sources that the image has, and from those of its build context (`more`, path and
    text), of which an image often has only what was built."""
    texts = list(dict.fromkeys([*source_texts(view), *more]))
    inside = frozenset(view.tree.root.children or ())
    return written_in(texts, _documents(view, more), lambda path: path.split("/")[1] in inside)


def written_in(
    texts: Iterable[tuple[str, str]],
    documents: Iterable[object] = (),
    is_place: Callable[[str], bool] = lambda _: False,
) -> Writes:
    """`is_place` says whether a path leads into the image's own folders: it is a file's, and no
    route."""
    texts = list(texts)
    found: dict[tuple[str, str], Request] = {}
    for method, path, fields in _behind(list(_all_routes(texts, is_place)), prefixes_in(texts)):
        if not is_place(path) or path.count("/") < 2:
            found.setdefault((method, path), _request(method, path, fields))
    sockets = [path for source, text in texts for path in _sockets(source, text)]
    return Writes(
        tuple(request for document in documents for request in described(document)),
        linked(tuple(found.values())[:MOST_ROUTES]),
        tuple(dict.fromkeys(sockets))[:6],
        any("graphql" in text.lower() for _, text in texts),
        tuple(_unasked(texts)),
    )


def _behind(routes: list[_Route], prefixes: Sequence[str]) -> Iterator[_Route]:
    """The routes as they stand, then behind what another source may put in front of them: one
    prefix, or two of which the first is that of the whole interface."""
    yield from routes
    whole = [prefix for prefix in prefixes if _WHOLE.match(prefix)]
    fronts = [*prefixes, *(a + b for a in whole for b in prefixes if a != b)]
    for front in fronts:
        own = (route for route in routes if not route[1].startswith(front))
        yield from ((method, front + path.rstrip("/"), fields) for method, path, fields in own)


def _all_routes(texts: list[tuple[str, str]], is_place: Callable[[str], bool]) -> Iterator[_Route]:
    """Routes that name their method, then those of sources that only look at it, then the others'
    paths with every method that is looked at somewhere."""
    loose: dict[str, None] = {}
    late: list[_Route] = []
    known = {source: _fields(source, text) for source, text in texts}
    for source, text in texts:
        own = dict.fromkeys(_in_source(source, text))
        fields = (known[source] or _fields_beside(source, known)) if own else ()
        yield from ((method, path, fields) for method, path in own if path)
        methods = dict.fromkeys(method for method, path in own if not path)
        loose.update(methods)
        literals = dict.fromkeys(["/", *(m["path"] for m in _LITERAL.finditer(text))])
        paths = [p for p in map(clean, literals) if not is_place(p) and not _FILE.search(p)]
        late += [(m, path, fields) for m in methods for path in paths[:_MOST_LITERALS]]
    yield from late
    named = [path for path in named_routes(texts) if not is_place(path)]
    yield from ((method, path, ()) for method in loose for path in named[:_MOST_LITERALS])


def _in_source(source: str, text: str) -> Iterator[tuple[str, str]]:
    """(method, path); the path is "" where only the method is said."""
    for fact, pattern, below, file in _route_facts():
        if not source.endswith(tuple(fact.files)):
            continue
        place = file.search(source) if file else None
        if file and place is None:
            continue
        prefix = _prefix(below, text)
        for match in pattern.finditer(text):
            path = place["path"] if place is not None else _first(match, "path")
            if path is None and place is None and "path" in match.re.groupindex:
                path = ""  # an annotation without a path: what its prefix says
            for method in _methods(fact, match):
                if path is None and not below:
                    yield method, ""
                else:
                    yield method, _joined(prefix, path or "", place is not None)


def _prefix(below: re.Pattern[str] | None, text: str) -> str:
    match = below.search(text) if below is not None else None
    return match["path"] if match is not None else ""


def _joined(prefix: str, path: str, of_file: bool) -> str:
    if of_file:
        path = re.sub(r"/\([^)]*\)", "", path)
    return clean("/".join(part.strip("/") for part in (prefix, path) if part.strip("/"))) or "/"


def _methods(fact: WriteRoute, match: re.Match[str]) -> list[str]:
    said = _first(match, "method") or _first(match, "methods")
    if said is None:
        return fact.methods
    words = {"DEL": "DELETE", "ANY": "POST", "ALL": "POST"}
    named = [words.get(word.upper(), word.upper()) for word in _WORD.findall(said)]
    return [method for method in CHANGING if method in named] or fact.methods


def _first(match: re.Match[str], name: str) -> str | None:
    """The first group of that name, or of that name and a number, that took part."""
    groups = (key for key in match.re.groupindex if re.fullmatch(rf"{name}\d*", key))
    return next((match[key] for key in groups if match[key] is not None), None)


def _fields(source: str, text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for fact, pattern in _field_facts():
        if source.endswith(tuple(fact.files)):
            for match in pattern.finditer(text):
                named = _first(match, "name") or _first(match, "names") or ""
                names = (re.split(r"[:=\s]", part.strip())[0] for part in named.split(","))
                found.update(dict.fromkeys(name for name in names if name.isidentifier()))
    return tuple(found)[:_MOST_FIELDS]


def _fields_beside(source: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Those of the sources beside this one and below it, which may say what it is sent."""
    folder = posixpath.dirname(source) + "/"
    found = (name for path, names in known.items() if path.startswith(folder) for name in names)
    return tuple(dict.fromkeys(found))[:_MOST_FIELDS]


def _request(method: str, path: str, fields: tuple[str, ...]) -> Request:
    if method == "DELETE":
        return Request(method, path)
    body = json.dumps({name: plain_value(name) for name in fields}).encode()
    return Request(method, path, headers=(("Content-Type", JSON),), body=body)


def _sockets(source: str, text: str) -> Iterator[str]:
    for fact, pattern in _socket_facts():
        if source.endswith(tuple(fact.files)):
            for match in pattern.finditer(text):
                yield clean(_first(match, "path") or fact.usual)


def _unasked(texts: list[tuple[str, str]]) -> Iterator[str]:
    for pattern in _remote_calls():
        if any(pattern.search(text) for _, text in texts):
            yield (
                "gRPC, which the sources name, is not asked: name a client that the image has with"
                " run under [smoke]"
            )
            return


def _documents(view: ImageView, more: Iterable[tuple[str, str]]) -> Iterator[object]:
    """Descriptions of the service that lie among its files."""
    for node in application_files(view):
        if node.inode is None or not _DESCRIPTION.search(node.path):
            continue
        if node.size <= _LONGEST_DESCRIPTION and not (is_foreign(node.path) or is_test(node.path)):
            yield loaded(node.read())
    yield from (loaded(text.encode()) for path, text in more if _DESCRIPTION.search(path))


def is_description(path: str) -> bool:
    """Whether a file's name says that it describes a service."""
    return _DESCRIPTION.search(posixpath.normpath(path)) is not None


def _compiled(pattern: str) -> re.Pattern[str]:
    for number in range(1, pattern.count("{quoted}") + 1):
        pattern = pattern.replace("{quoted}", _QUOTED.format(number if number > 1 else ""), 1)
    return re.compile(pattern, re.MULTILINE)


@cache
def _route_facts() -> tuple[
    tuple[WriteRoute, re.Pattern[str], re.Pattern[str] | None, re.Pattern[str] | None], ...
]:
    return tuple(
        (
            fact,
            _compiled(fact.pattern),
            re.compile(fact.below) if fact.below else None,
            re.compile(fact.file) if fact.file else None,
        )
        for ecosystem in builtin_ecosystems()
        for fact in ecosystem.write_route
    )


@cache
def _field_facts() -> tuple[tuple[BodyField, re.Pattern[str]], ...]:
    return tuple((f, _compiled(f.pattern)) for e in builtin_ecosystems() for f in e.body_field)


@cache
def _socket_facts() -> tuple[tuple[SocketRoute, re.Pattern[str]], ...]:
    return tuple((f, _compiled(f.pattern)) for e in builtin_ecosystems() for f in e.socket_route)


@cache
def _remote_calls() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(one) for e in builtin_ecosystems() for one in e.remote_calls)
