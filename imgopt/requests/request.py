"""One request, as a file or a description of a service names it, and the values that go from an
answer into a later one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from imgopt.errors import InputError, Location

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_NAME = re.compile(r"\{\{\s*(?P<name>[\w.$ -]+?)\s*(?:=(?P<default>[^}]*))?\}\}")
_SHOWN = re.compile(r"^made \S+ ")
_STEP = re.compile(r"\[['\"]?([^\]'\"]+)['\"]?\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Request:
    """`port` None: the one that speaks HTTP. `status` and `text` are what the answer must have.
    `saves` are (name, rule): what of the answer later requests take as `{{name}}`; the rules are
    `json:a.b[0]`, `header:NAME`, `cookie:NAME`, `input:NAME` (of an HTML form) and `text:PATTERN`.
    """

    method: str = "GET"
    path: str = "/"
    port: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    status: int | None = None
    text: str | None = None
    saves: tuple[tuple[str, str], ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it may change something (RFC 9110, section 9.2.1: the others are safe)."""
        return self.method not in ("GET", "HEAD", "OPTIONS")


RULES = ("json", "header", "cookie", "input", "text")


def check_rule(rule: str, location: Location | None = None) -> None:
    """Raises InputError for a rule of `saves` that means nothing."""
    kind, colon, rest = rule.partition(":")
    wrong = not colon or kind not in RULES or not rest
    if not wrong and kind == "text":
        try:
            re.compile(rest)
        except re.error:
            wrong = True
    if wrong:
        raise InputError(
            f"{rule!r} does not say what to take from the answer",
            location=location,
            hint="write json:a.b[0], header:NAME, cookie:NAME, input:NAME, or text:PATTERN",
        )


def taken(rule: str, headers: Mapping[str, str], cookies: Mapping[str, str], body: str) -> str:
    """The value that a rule takes from an answer; "" where the answer has none. Names of headers
    are lower case."""
    kind, _, rest = rule.partition(":")
    if kind == "json":
        return _of_json(rest, body)
    if kind == "header":
        return headers.get(rest.lower(), "")
    if kind == "cookie":
        return cookies.get(rest, "")
    if kind == "input":
        return _of_inputs(rest, body)
    found = re.search(rest, body)
    return (found[1] if found.groups() else found[0]) if found else ""


def filled(text: str, values: Mapping[str, str]) -> str:
    """With values in the place of `{{name}}` and `{{name=default}}`; one that is not known and has
    no default stays."""
    return _NAME.sub(
        lambda match: values.get(match["name"]) or (match["default"] or match[0]), text
    )


def shown(path: str) -> str:
    """As a reader sees it: `/notes/{id}`."""
    return _NAME.sub(lambda match: f"{{{_SHOWN.sub('', match['name'])}}}", path)


def names_in(text: str) -> list[str]:
    """The names between double braces that have no default."""
    return [match["name"] for match in _NAME.finditer(text) if match["default"] is None]


def _of_json(path: str, body: str) -> str:
    try:
        value: Any = json.loads(body)
        for match in _STEP.finditer(path.removeprefix("$").lstrip(".")):
            key = match[1] or match[2]
            value = value[int(key)] if isinstance(value, list) else value[key]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("input", "meta") and given.get("name"):
            value = given.get("value") or given.get("content") or ""
            self.values.setdefault(given["name"] or "", value)


def _of_inputs(name: str, body: str) -> str:
    parser = _Inputs()
    try:
        parser.feed(body)
    except AssertionError:  # html.parser's answer to some malformed declarations
        return parser.values.get(name, "")
    return parser.values.get(name, "")
