"""Postman collections (format 2.0 and 2.1): folders, variables, bodies, plain authorization, and of
scripts what takes a value from an answer or expects a status."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imgopt.errors import InputError, Location
from imgopt.requests.request import FORM, JSON, METHODS, Request, filled, names_in
from imgopt.requests.schema import encoded
from imgopt.requests.urls import split_url

_SET = re.compile(
    r"\bpm\.(?:environment|collectionVariables|globals|variables)\.set\(\s*[\"']([\w.-]+)[\"']\s*,"
    r"\s*(?:pm\.response\.json\(\)|\w+)\.?([\w.\[\]]*)\s*\)"
)
_HEADER = re.compile(
    r"\.set\(\s*[\"']([\w.-]+)[\"']\s*,\s*pm\.response\.headers\.get\(\s*[\"']([\w-]+)[\"']\s*\)\s*\)"
)
_STATUS = re.compile(r"\bto\.have\.status\(\s*(\d{3})\s*\)|\bresponse\.code\)\.to\.e\w+\((\d{3})\)")
_COMMENT = re.compile(r"^\s*(?://.*)?$")
_DRAWN = {
    "$guid": "00000000-0000-4000-8000-000000000001",
    "$randomUUID": "00000000-0000-4000-8000-000000000001",
    "$timestamp": "1704164645",
    "$isoTimestamp": "2024-01-02T03:04:05Z",
    "$randomInt": "1",
    "$randomEmail": "someone@example.org",
    "$randomFirstName": "Ada",
    "$randomUserName": "ada",
    "$randomPassword": "Passw0rd-imgopt",
}
_KINDS = {"json": JSON, "xml": "application/xml", "html": "text/html", "text": "text/plain"}
_HINT = (
    'plain scripts are understood: pm.environment.set("token", pm.response.json().token); give the'
    " rest as [[smoke.requests]]"
)


def read_postman(value: Any, text: str, path: Path) -> tuple[Request, ...]:
    """Raises InputError with the line of what is not understood."""
    return tuple(_Collection(value, text, path).requests())


class _Collection:
    def __init__(self, value: Any, text: str, path: Path) -> None:
        self._value, self._text, self._path = value, text, path
        self._variables = {**_DRAWN, **_pairs(value.get("variable") or ())}
        self._saved: set[str] = set()

    def requests(self) -> Iterator[Request]:
        yield from self._below(self._value, None)

    def _below(self, item: Any, auth: Any) -> Iterator[Request]:
        auth = item.get("auth") or auth
        saves, status = self._scripts(item.get("event") or ())
        if isinstance(item.get("request"), (dict, str)):
            self._saved.update(name for name, _ in saves)
            yield self._request(item["request"], auth, tuple(saves), status)
        for inner in item.get("item") or ():
            yield from self._below(inner, auth)

    def _request(
        self, request: Any, auth: Any, saves: tuple[tuple[str, str], ...], status: int | None
    ) -> Request:
        if isinstance(request, str):
            request = {"url": request}
        method = str(request.get("method", "GET")).upper()
        if method not in METHODS:
            raise self._refused(method, f"the method {method} is not asked here")
        url = request.get("url") or "/"
        raw = url if isinstance(url, str) else str(url.get("raw") or _joined(url))
        given = {} if isinstance(url, str) else _pairs(url.get("variable") or ())
        raw = re.sub(r"(?<=/):(\w+)", lambda match: given.get(match[1]) or "1", raw)
        _, target, port = split_url(self._filled(raw, base=True))
        kind, body = self._body(request.get("body") or {})
        headers = [
            (str(one["key"]), self._filled(str(one.get("value", ""))))
            for one in request.get("header") or ()
            if isinstance(one, dict) and not one.get("disabled") and one.get("key")
        ]
        headers += self._authorization(request.get("auth") or auth)
        if kind and "content-type" not in {name.lower() for name, _ in headers}:
            headers.insert(0, ("Content-Type", kind))
        if kind.startswith("multipart/"):
            headers = [
                ("Content-Type", kind),
                *(p for p in headers if p[0].lower() != "content-type"),
            ]
        return Request(method, target, port, tuple(headers), body, status, saves=saves)

    def _body(self, body: Any) -> tuple[str, bytes]:
        mode = body.get("mode")
        if mode == "raw":
            language = ((body.get("options") or {}).get("raw") or {}).get("language", "")
            raw = self._filled(body.get("raw") or "")
            kind = _KINDS.get(language, JSON if raw.lstrip()[:1] in ("{", "[") else "text/plain")
            return kind, raw.encode()
        if mode in ("urlencoded", "formdata"):
            fields = [one for one in body.get(mode) or () if not one.get("disabled")]
            files = frozenset(str(one["key"]) for one in fields if one.get("type") == "file")
            values = {str(one["key"]): self._filled(str(one.get("value") or "")) for one in fields}
            return encoded(values, FORM if mode == "urlencoded" else "multipart/form-data", files)
        if mode == "graphql":
            asked = body.get("graphql") or {}
            variables = asked.get("variables") or "{}"
            value = {"query": asked.get("query", ""), "variables": json.loads(variables)}
            return JSON, self._filled(json.dumps(value)).encode()
        if mode == "file":
            raise self._refused('"file"', "a body from a file of Postman's is not here")
        return "", b""

    def _authorization(self, auth: Any) -> list[tuple[str, str]]:
        if not isinstance(auth, dict) or auth.get("type") in (None, "noauth"):
            return []
        kind = auth["type"]
        given = auth.get(kind) or ()
        plain = dict(given) if isinstance(given, dict) else _pairs(given)
        values = {str(name): str(value) for name, value in plain.items()}
        if kind == "bearer":
            return [("Authorization", f"Bearer {self._filled(values.get('token', ''))}")]
        if kind == "basic":
            pair = f"{values.get('username', '')}:{values.get('password', '')}"
            return [
                ("Authorization", f"Basic {base64.b64encode(self._filled(pair).encode()).decode()}")
            ]
        if kind == "apikey" and values.get("in", "header") == "header":
            return [(values.get("key", "X-Api-Key"), self._filled(values.get("value", "")))]
        raise self._refused(f'"{kind}"', f"authorization by {kind} is not done here")

    def _scripts(self, events: Any) -> tuple[list[tuple[str, str]], int | None]:
        saves: list[tuple[str, str]] = []
        status: int | None = None
        for event in events:
            script = (event.get("script") or {}).get("exec") or ()
            lines = script.splitlines() if isinstance(script, str) else list(script)
            for line in lines:
                if event.get("listen") == "prerequest" and not _COMMENT.match(line):
                    raise self._refused(line, f"the script {line.strip()[:60]!r} is not understood")
                if event.get("listen") == "test":
                    saves += self._kept(line)
                    match = _STATUS.search(line)
                    status = int(match[1] or match[2]) if match else status
        return saves, status

    def _kept(self, line: str) -> list[tuple[str, str]]:
        headers = [(name, f"header:{header}") for name, header in _HEADER.findall(line)]
        found = [(name, f"json:{rest or '$'}") for name, rest in _SET.findall(line)]
        if not headers and not found and re.search(r"\.set\(|sendRequest|setNextRequest", line):
            raise self._refused(line, f"the script {line.strip()[:60]!r} is not understood")
        return headers or found

    def _filled(self, text: str, base: bool = False) -> str:
        for _ in range(4):
            text = filled(text, self._variables)
        for name in names_in(text):
            first = base and text.startswith("{{") and names_in(text)[0] == name
            if name not in self._saved and not first:
                raise self._refused(
                    f"{{{{{name}}}}}",
                    f"nothing says what {{{{{name}}}}} is",
                    "give it a value among the collection's variables (an environment is not read)",
                )
        return text

    def _refused(self, needle: str, said: str, hint: str = _HINT) -> InputError:
        """With the line of the file in which the needle stands first."""
        written = json.dumps(needle, ensure_ascii=False)[1:-1] if needle[:1] != '"' else needle
        at = self._text.find(written)
        line = self._text.count("\n", 0, at) + 1 if at >= 0 else None
        return InputError(said, location=Location(str(self._path), line), hint=hint)


def _pairs(listed: Any) -> dict[str, str]:
    return {
        str(one.get("key") or one.get("id")): str(one["value"])
        for one in listed
        if isinstance(one, dict) and one.get("value") is not None and not one.get("disabled")
    }


def _joined(url: Any) -> str:
    path = url.get("path") or ()
    tail = path if isinstance(path, str) else "/".join(map(str, path))
    query = "&".join(
        f"{one.get('key')}={one.get('value') or ''}"
        for one in url.get("query") or ()
        if not one.get("disabled")
    )
    return f"/{tail.lstrip('/')}" + (f"?{query}" if query else "")
