"""Bruno's `.bru` files: blocks of `name: value`, bodies as they stand, values from answers."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path

from imgopt.errors import InputError, Location
from imgopt.requests.request import FORM, JSON, METHODS, Request, filled, names_in
from imgopt.requests.schema import encoded
from imgopt.requests.urls import split_url

_OPEN = re.compile(r"^([\w:-]+)\s*([{\[])\s*$")
_PAIR = re.compile(r"^\s*(~?)([^:\s][^:]*?)\s*:\s?(.*)$")
_KINDS = {"json": JSON, "text": "text/plain", "xml": "application/xml", "sparql": "text/plain"}
_HINT = "vars:post-response, headers, bodies and auth of type bearer or basic are understood"
Block = list[tuple[int, str]]


def read_bruno_folder(folder: Path) -> tuple[Request, ...]:
    """The requests of a collection: by `seq`, folders after the files beside them. Variables are
    those of its files, and of `environments/` where there is only one. Raises InputError."""
    files = [
        path
        for path in folder.rglob("*.bru")
        if path.name not in ("collection.bru", "folder.bru") and "environments" not in path.parts
    ]
    variables: dict[str, str] = {}
    environments = sorted((folder / "environments").glob("*.bru"))
    for path in environments if len(environments) == 1 else ():
        variables |= _values(_blocks(path.read_text(encoding="utf-8"), path).get("vars", []))
    texts = {path: path.read_text(encoding="utf-8-sig") for path in files}
    ordered = sorted(files, key=lambda path: (path.parent.parts, _place(texts[path]), path.name))
    known: set[str] = set()
    found: list[Request] = []
    for path in ordered:
        found.append(_request(texts[path], path, variables, known))
        known.update(name for name, _ in found[-1].saves)
    return tuple(found)


def read_bruno(text: str, path: Path) -> tuple[Request, ...]:
    """Raises InputError with the line of what is not understood."""
    return (_request(text, path, {}, set()),)


def _place(text: str) -> float:
    match = re.search(r"^\s*seq:\s*(\d+)", text, re.MULTILINE)
    return int(match[1]) if match else float("inf")


def _blocks(text: str, path: Path) -> dict[str, Block]:
    found: dict[str, Block] = {}
    name, end = "", "}"
    for number, line in enumerate(text.splitlines(), 1):
        match = _OPEN.match(line)
        if not name and match is not None:
            name, end = match[1], "}" if match[2] == "{" else "]"
            found[name] = [(number, "")]
        elif name and line.rstrip() == end:
            name = ""
        elif name:
            found[name].append((number, line))
        elif line.strip():
            raise InputError(
                f"no block in {line.strip()[:60]!r}", location=Location(str(path), number)
            )
    return found


def _values(block: Block) -> dict[str, str]:
    matches = (_PAIR.match(line) for _, line in block)
    return {match[2]: match[3].strip() for match in matches if match is not None and not match[1]}


def _request(text: str, path: Path, variables: Mapping[str, str], known: set[str]) -> Request:
    blocks = _blocks(text, path)
    method = next((name for name in blocks if name.upper() in METHODS), None)
    if method is None:
        said = "no request in it: a block get, post, put, patch or delete"
        raise InputError(said, location=Location(str(path)))
    _refuse_scripts(blocks, path)
    reader = _Reader(
        blocks, path, {**variables, **_values(blocks.get("vars:pre-request", []))}, known
    )
    return reader.request(method)


def _refuse_scripts(blocks: Mapping[str, Block], path: Path) -> None:
    for name, block in blocks.items():
        lines = [(number, line.strip()) for number, line in block if line.strip()]
        if name.startswith("script:") and lines:
            raise InputError(
                f"the script {lines[0][1][:60]!r} is not understood",
                location=Location(str(path), lines[0][0]),
                hint=_HINT,
            )


class _Reader:
    def __init__(
        self, blocks: Mapping[str, Block], path: Path, variables: Mapping[str, str], known: set[str]
    ) -> None:
        self._blocks, self._path, self._variables, self._known = blocks, path, variables, known

    def request(self, method: str) -> Request:
        head = _values(self._blocks[method])
        line = self._blocks[method][0][0]
        inside = _values(self._blocks.get("params:path", []))
        url = re.sub(r"(?<=/):(\w+)", lambda m: inside.get(m[1], m[0]), head.get("url", "/"))
        _, target, port = split_url(self._filled(url, line, base=True))
        kind, body = self._body(head.get("body", "none"), line)
        headers = [
            (name, self._filled(value, line))
            for name, value in _values(self._blocks.get("headers", [])).items()
        ]
        headers += self._authorization(head.get("auth", "none"), line)
        if kind and "content-type" not in {name.lower() for name, _ in headers}:
            headers.insert(0, ("Content-Type", kind))
        saves = _values(self._blocks.get("vars:post-response", []))
        rules = tuple((name, self._rule(value, line)) for name, value in saves.items())
        return Request(
            method.upper(), target, port, tuple(headers), body, self._status(), saves=rules
        )

    def _status(self) -> int | None:
        said = _values(self._blocks.get("assert", [])).get("res.status", "")
        match = re.fullmatch(r"(?:eq\s+)?(\d{3})", said)
        return int(match[1]) if match else None

    def _rule(self, value: str, line: int) -> str:
        body = re.fullmatch(r"res(?:\.body|\(\"?)?\.?([\w.\[\]]*?)\"?\)?", value)
        header = re.fullmatch(r"res\.headers\.([\w-]+)|res\.getHeader\([\"']([\w-]+)[\"']\)", value)
        if header is not None:
            return f"header:{header[1] or header[2]}"
        if body is None:
            raise InputError(
                f"{value[:60]!r} is not understood", location=Location(str(self._path), line)
            )
        return f"json:{body[1] or '$'}"

    def _body(self, kind: str, line: int) -> tuple[str, bytes]:
        if kind == "none":
            return "", b""
        name = {"formUrlEncoded": "form-urlencoded", "multipartForm": "multipart-form"}.get(
            kind, kind
        )
        block = self._blocks.get(f"body:{name}", self._blocks.get("body", []))
        if name in ("form-urlencoded", "multipart-form"):
            values = {n: self._filled(v, line) for n, v in _values(block).items()}
            files = frozenset(n for n, v in values.items() if v.startswith("@file("))
            return encoded(
                values, FORM if name == "form-urlencoded" else "multipart/form-data", files
            )
        if name == "graphql":
            return JSON, encoded({"query": _plain(block)}, JSON)[1]
        if name not in _KINDS:
            raise InputError(
                f"a body of kind {kind} is not understood",
                location=Location(str(self._path), line),
                hint=_HINT,
            )
        return _KINDS[name], self._filled(_plain(block), line).encode()

    def _authorization(self, kind: str, line: int) -> list[tuple[str, str]]:
        given = {
            name: self._filled(value, line)
            for name, value in _values(self._blocks.get(f"auth:{kind}", [])).items()
        }
        if kind in ("none", "inherit"):
            return []
        if kind == "bearer":
            return [("Authorization", f"Bearer {given.get('token', '')}")]
        if kind == "basic":
            pair = f"{given.get('username', '')}:{given.get('password', '')}".encode()
            return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")]
        raise InputError(
            f"auth of type {kind} is not done here",
            location=Location(str(self._path), line),
            hint=_HINT,
        )

    def _filled(self, text: str, line: int, base: bool = False) -> str:
        for _ in range(4):
            text = filled(text, self._variables)
        for name in names_in(text):
            first = base and text.startswith("{{") and names_in(text)[0] == name
            if name not in self._known and not first:
                raise InputError(
                    f"nothing says what {{{{{name}}}}} is",
                    location=Location(str(self._path), line),
                    hint="give it in vars:pre-request, or in the only file of environments/",
                )
        return text


def _plain(block: Block) -> str:
    return "\n".join(line.removeprefix("  ") for _, line in block).strip("\n")
