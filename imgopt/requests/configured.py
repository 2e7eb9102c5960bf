"""The user's own requests: those of the configuration, and those of a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from imgopt.config import RequestSection
from imgopt.errors import InputError
from imgopt.requests.files import read_requests
from imgopt.requests.request import FORM, JSON, METHODS, Request, check_rule
from imgopt.requests.schema import encoded


def requests_of(
    sections: Sequence[RequestSection], file: str | None, folder: Path
) -> tuple[Request, ...]:
    """Those of the table, then those of the file, whose path is relative to `folder`. Raises
    InputError."""
    own = tuple(request_of(section, number) for number, section in enumerate(sections, 1))
    return (*own, *read_requests(folder / file)) if file else own


def request_of(section: RequestSection, number: int) -> Request:
    where = f"[[smoke.requests]] number {number}"
    method = section.method.upper()
    if method not in METHODS:
        raise InputError(
            f"{where}: {section.method!r} is no method", hint=f"known: {', '.join(METHODS)}"
        )
    port, path = _place(section.path, where)
    given = [section.json is not None, bool(section.form), section.body is not None]
    if sum(given) > 1:
        raise InputError(f"{where}: it has several bodies", hint="one of json, form and body")
    for rule in section.save.values():
        check_rule(rule)
    kind, body = _body(section)
    headers = dict(section.headers)
    if kind and "content-type" not in {name.lower() for name in headers}:
        headers = {"Content-Type": kind, **headers}
    return Request(
        method,
        path,
        port,
        tuple(headers.items()),
        body,
        section.status,
        section.text,
        tuple(section.save.items()),
    )


def _place(path: str, where: str) -> tuple[int | None, str]:
    number, slash, tail = path[1:].partition("/")
    if path.startswith(":") and number.isdigit() and 0 < int(number) < 65536 and slash:
        return int(number), slash + tail
    if not path.startswith("/"):
        raise InputError(f"{where}: no path in {path!r}", hint="write /PATH or :PORT/PATH")
    return None, path


def _body(section: RequestSection) -> tuple[str, bytes]:
    if section.json is not None:
        return JSON, json.dumps(section.json).encode()
    if section.form:
        return encoded(section.form, FORM)
    return "", (section.body or "").encode()
