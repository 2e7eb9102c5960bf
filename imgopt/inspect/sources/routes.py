"""Paths that a service may answer though no page links to them: from the text of its sources, and
from its OpenAPI.

They are only asked with GET, and only so many. A guess that the original does not know, or does not
answer soon, costs one request and is forgotten.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.texts import is_foreign, is_test, source_texts

MOST_GUESSES = 40
_MOST_PREFIXES = 6
_QUOTE = r"""[rbuf]?["'`](?P<path>[^"'`\s$]{0,120})["'`]"""
_PREFIXES = re.compile(
    r"(?:\b(?:url_)?prefix\s*[=:]\s*|\b(?:use|register_blueprint|Group|PathPrefix|Route|nest|scope|Mount|mount)\(\s*|@Controller\(\s*|"
    r"@RequestMapping\(\s*(?:(?:value|path)\s*=\s*)?|\bcontext-path\s*[:=]\s*|setGlobalPrefix\(\s*|^["
    r" \t]*path\(\s*)"
    r"""["'`](?P<path>/?[\w./-]{1,60})["'`]\s*(?=[,)\]}\n]|\s*$)""",
    re.MULTILINE,
)
_OTHER_METHODS = re.compile(r"methods\s*=\s*[\[(](?![^\])]*GET)[^\])]*[\])]")
_PARAMETER = re.compile(r"<[^>]*>|\{[^}]*\}|:\w+|\(\?P?[^)]*\)|\[[^\]]*\]|\*+\w*")
_SERVED = re.compile(r"/(?P<folder>static|public|assets|media|www|dist|build)/(?P<rest>.+)$")
_PLAIN = re.compile(r"^/[\w./~%+=-]*$")


def routes(view: ImageView) -> tuple[str, ...]:
    """Paths to ask for, the likeliest first."""
    found: dict[str, None] = {}
    prefixes: dict[str, None] = {}
    for path, text in source_texts(view):
        found.update(dict.fromkeys(_in_source(path, text)))
        prefixes.update(dict.fromkeys(clean(match["path"]) for match in _PREFIXES.finditer(text)))
    behind = [
        prefix.rstrip("/") + path
        for prefix in list(prefixes)[:_MOST_PREFIXES]
        if prefix != "/"
        for path in found
    ]
    wanted = dict.fromkeys(
        [*list(found)[: MOST_GUESSES // 2], *_served_files(view), *found, *behind]
    )
    return tuple(path for path in wanted if _PLAIN.match(path))[:MOST_GUESSES]


def described(kind: str, body: bytes) -> tuple[str, ...]:
    """GET paths of an OpenAPI or Swagger document; () for anything else."""
    if "json" not in kind:
        return ()
    try:
        document = msgspec.json.decode(body)
        paths = document["paths"] if "openapi" in document or "swagger" in document else {}
        found = [path for path, methods in paths.items() if "get" in methods]
    except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
        return ()
    filled = (clean(path) for path in found)
    return tuple(dict.fromkeys(path for path in filled if _PLAIN.match(path)))[:MOST_GUESSES]


def named_routes(texts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The paths that sources name for GET."""
    found = dict.fromkeys(path for source, text in texts for path in _in_source(source, text))
    return tuple(path for path in found if _PLAIN.match(path))


def prefixes_in(texts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What sources put in front of the routes of others, without a slash at the end."""
    matches = (match for _, text in texts for match in _PREFIXES.finditer(text))
    found = dict.fromkeys(clean(match["path"]).rstrip("/") for match in matches)
    return tuple(prefix for prefix in found if prefix)[:_MOST_PREFIXES]


@cache
def _patterns() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    """(endings of sources, what names a route in them)."""
    return tuple(
        (tuple(fact.files), re.compile(pattern.replace("{quoted}", _QUOTE), re.MULTILINE))
        for ecosystem in builtin_ecosystems()
        for fact in ecosystem.read_route
        for pattern in fact.patterns
    )


@cache
def _pages() -> frozenset[str]:
    return frozenset(ending for one in builtin_ecosystems() for ending in one.pages)


def _in_source(source: str, text: str) -> Iterator[str]:
    for pattern in (pattern for endings, pattern in _patterns() if source.endswith(endings)):
        for match in pattern.finditer(text):
            rest = match.groupdict().get("rest")
            if not (rest and _OTHER_METHODS.search(rest)):
                yield clean(match["path"] or "")


def clean(path: str) -> str:
    """With a number in the place of each parameter, and one slash in front."""
    plain = _PARAMETER.sub("1", path.removeprefix("^").removesuffix("$"))
    return "/" + plain.lstrip("/")


def _served_files(view: ImageView) -> Iterator[str]:
    """One file of each kind below folders with names as `static`, and pages beside the working
    directory."""
    kinds: set[str] = set()
    for node in application_files(view):
        kind = posixpath.splitext(node.name)[1]
        match = _SERVED.search(node.path)
        if node.inode is None or is_foreign(node.path) or is_test(node.path) or not kind:
            continue
        if match and kind not in kinds and len(kinds) < 8:
            kinds.add(kind)
            yield from (f"/{match['folder']}/{match['rest']}", f"/{match['rest']}")
        if kind in _pages() and posixpath.dirname(node.path) == view.workdir:
            yield f"/{node.name}"
