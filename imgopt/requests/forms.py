"""Requests from the forms of an HTML page, filled in as the page itself has them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from imgopt.requests.request import FORM, Request
from imgopt.requests.schema import encoded, plain_value

_MOST_FORMS = 6
_MOST_FIELDS = 60
_TYPED = {
    "email": "someone@example.org",
    "url": "http://localhost/",
    "date": "2024-01-02",
    "time": "03:04",
    "datetime-local": "2024-01-02T03:04",
    "month": "2024-01",
    "week": "2024-W01",
    "color": "#336699",
    "tel": "+15550100",
    "password": "Passw0rd-imgopt",
}


@dataclass
class _Form:
    action: str
    method: str
    kind: str
    fields: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)


def forms_of(html: str, page: str) -> tuple[Request, ...]:
    """What is sent when each form of the page at this path is sent, with the page itself asked
    first where it has hidden fields: they are drawn anew for each visitor, and taken from there.
    Forms that lead to another host, or only ask (method GET), are none."""
    parser = _Parser()
    with contextlib.suppress(AssertionError):  # for some malformed declarations
        parser.feed(html)
    found: list[Request] = []
    for form in parser.forms[:_MOST_FORMS]:
        target = urlsplit(urljoin(f"http://localhost{page}", form.action))
        if form.method == "post" and target.netloc == "localhost":
            path = (target.path or "/") + (f"?{target.query}" if target.query else "")
            found += _sent(form, path, page)
    return tuple(found)


def _sent(form: _Form, path: str, page: str) -> Iterator[Request]:
    names = {name: f"field {page} {name}" for name in form.hidden}
    names = {
        name: "".join(c if c.isalnum() or c in "_ " else "-" for c in names[name]) for name in names
    }
    if names:
        yield Request("GET", page, saves=tuple((names[n], f"input:{n}") for n in names))
    holes = {name: f"{{{{{names[name]}}}}}" for name in names}
    if form.kind.startswith("multipart/") or form.files:
        kind, body = encoded({**form.fields, **holes}, "multipart/form-data", frozenset(form.files))
    else:
        kind = FORM
        pairs = [urlencode([(n, v)]) for n, v in form.fields.items() if n not in holes]
        body = "&".join([*pairs, *(f"{n}={hole}" for n, hole in holes.items())]).encode()
    yield Request("POST", path, headers=(("Content-Type", kind),), body=body)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[_Form] = []
        self._open: _Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = given.get("method", "get").lower()
            self._open = _Form(given.get("action", ""), method, given.get("enctype", FORM))
            self.forms.append(self._open)
        elif self._open is not None and len(self._open.fields) < _MOST_FIELDS:
            self._field(self._open, tag, given)

    def _field(self, form: _Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if self._select not in form.fields or "selected" in given:
                form.fields[self._select] = given.get("value", "")
        elif tag == "textarea" and name:
            form.fields[name] = "imgopt"
        elif tag == "input" and name:
            self._input(form, name, given)

    def _input(self, form: _Form, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text").lower()
        if kind == "hidden":
            form.hidden.append(name)
            form.fields[name] = given.get("value", "")
        elif kind == "file":
            form.files.add(name)
            form.fields[name] = "imgopt"
        elif kind in ("checkbox", "radio"):
            form.fields.setdefault(name, given.get("value") or "on")
        elif kind in ("number", "range"):
            form.fields[name] = given.get("value") or given.get("min") or "1"
        elif kind not in ("submit", "button", "reset", "image"):
            form.fields[name] = given.get("value") or _TYPED.get(kind, str(plain_value(name)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
