"""`.http` and `.rest` files, as the REST Client of VS Code, JetBrains' HTTP Client and httpYac read
them: requests between `###`, `@name = value`, headers, a body, `< file`, `{{name}}`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgopt.errors import InputError, Location
from imgopt.requests.request import METHODS, Request, filled, names_in
from imgopt.requests.urls import split_url

_VARIABLE = re.compile(r"^@([\w.-]+)\s*=\s*(.*)$")
_NAMED = re.compile(r"^(?:#|//)\s*@name\s*=?\s*([\w.-]+)\s*$")
_LINE = re.compile(r"^(?:([A-Z]+)\s+)?(\S.*?)(?:\s+HTTP/[\d.]+)?$")
_HEADER = re.compile(r"^([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*)$")
_ANSWER = re.compile(r"^([\w-]+)\.response\.(body|headers)\.(.+)$")
_SET = re.compile(
    r"client\.global\.set\(\s*[\"']([\w.-]+)[\"']\s*,\s*response\.body\.?((?:[\w.\[\]]+)?)\s*\)\s*;?"
)
_CHECKS = re.compile(
    r"client\.(?:test|assert|log)\b|^\s*(?:\}\s*\)?;?|//.*|const \w+ = response\.body;?)?\s*$"
)
_DRAWN = {
    "$guid": "00000000-0000-4000-8000-000000000001",
    "$uuid": "00000000-0000-4000-8000-000000000001",
    "$random.uuid": "00000000-0000-4000-8000-000000000001",
    "$timestamp": "1704164645",
    "$isoTimestamp": "2024-01-02T03:04:05Z",
    "$randomInt": "1",
    "$random.integer": "1",
    "$random.email": "someone@example.org",
}
"""Values that these tools draw anew each time: here the same for every run."""
_DATE = re.compile(r"^\$(?:localDatetime|datetime)\b")


@dataclass
class _Part:
    """One request as it stands, with the number of its first line."""

    line: int
    name: str = ""
    method: str = "GET"
    url: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    saves: list[tuple[str, str]] = field(default_factory=list)


def read_http_file(text: str, path: Path) -> tuple[Request, ...]:
    """Raises InputError with the line of what is not understood."""
    variables: dict[str, str] = {}
    parts = list(_parts(text, path, variables))
    names = {part.name for part in parts if part.name}
    saved = {name for part in parts for name, _ in part.saves}
    reader = _Reader(path, variables, names, saved)
    found = [reader.request(part) for part in parts]
    for at, part in enumerate(parts):
        rules = tuple(dict.fromkeys((*part.saves, *reader.wanted.get(part.name, ()))))
        found[at] = replace(found[at], saves=rules)
    return tuple(found)


def _parts(text: str, path: Path, variables: dict[str, str]) -> Iterator[_Part]:
    blocks: list[list[tuple[int, str]]] = [[]]
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("###"):
            blocks.append([])
        else:
            blocks[-1].append((number, line))
    for block in blocks:
        part = _part(block, path, variables)
        if part is not None:
            yield part


def _part(block: list[tuple[int, str]], path: Path, variables: dict[str, str]) -> _Part | None:
    name, lines = "", list(block)
    while lines:
        number, line = lines.pop(0)
        plain = line.strip()
        if match := _VARIABLE.match(plain):
            variables[match[1]] = match[2].strip()
        elif match := _NAMED.match(plain):
            name = match[1]
        elif plain.startswith(("<", ">")):
            raise _unknown(path, number, "a script in front of a request")
        elif plain and not plain.startswith(("#", "//")):
            part = _begun(number, plain, path, name)
            _rest(part, lines, path)
            return part
    return None


def _begun(number: int, line: str, path: Path, name: str) -> _Part:
    match = _LINE.match(line)
    method = (match[1] if match else None) or "GET"
    if match is None or method not in METHODS:
        known = f"methods: {', '.join(METHODS)}; others are not asked here: take the request out"
        raise InputError(
            f"no request in {line[:60]!r}", location=Location(str(path), number), hint=known
        )
    return _Part(number, name, method, match[2])


def _rest(part: _Part, lines: list[tuple[int, str]], path: Path) -> None:
    while lines and lines[0][1].lstrip().startswith(("?", "&")) and lines[0][1][:1].isspace():
        part.url += lines.pop(0)[1].strip()
    while lines:
        number, line = lines.pop(0)
        if not line.strip():
            break
        if line.lstrip().startswith(("#", "//")):
            continue
        match = _HEADER.match(line.strip())
        if match is None:
            raise InputError(
                f"no header in {line.strip()[:60]!r}",
                location=Location(str(path), number),
                hint="write NAME: VALUE, and an empty line before the body",
            )
        part.headers.append((match[1], match[2]))
    _body(part, lines, path)


def _body(part: _Part, lines: list[tuple[int, str]], path: Path) -> None:
    while lines:
        number, line = lines.pop(0)
        if line.startswith(("> ", ">\t", ">{%")) or line.strip() == ">":
            script = line[1:].strip()
            while "%}" not in script and lines:
                script += "\n" + lines.pop(0)[1]
            part.saves += _saves(script, path, number)
        elif re.match(r"^<(?:@\w*)?\s+\S", line):
            part.body.append(_file(line.split(None, 1)[1].strip(), path, number))
        elif line.startswith("<>"):
            continue  # an earlier answer that was kept
        else:
            part.body.append(line)


def _file(name: str, path: Path, number: int) -> str:
    try:
        return (path.parent / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read {name}: {error}",
            location=Location(str(path), number),
            hint="its path is relative to the file of requests",
        ) from None


def _saves(script: str, path: Path, number: int) -> list[tuple[str, str]]:
    """What a script behind an answer keeps; one that only checks is left out."""
    if not script.startswith("{%"):
        raise _unknown(path, number, "a script in a file of its own")
    found = [(name, f"json:{rest or '$'}") for name, rest in _SET.findall(script)]
    for line in _SET.sub("", script.strip("{}%")).splitlines():
        if not _CHECKS.search(line) and ("set" in line or "request" in line):
            raise _unknown(path, number, f"the script {line.strip()[:60]!r}")
    return found


def _unknown(path: Path, number: int, what: str) -> InputError:
    return InputError(
        f"{what} is not understood",
        location=Location(str(path), number),
        hint='write `> {% client.global.set("token", response.body.token) %}`, or `# @name login`'
        " and {{login.response.body.$.token}}",
    )


class _Reader:
    """Fills in what is known; `wanted` is what later requests take from a named one's answer."""

    def __init__(
        self, path: Path, variables: dict[str, str], names: set[str], saved: set[str]
    ) -> None:
        self._path, self._variables, self._names, self._saved = path, variables, names, saved
        self.wanted: dict[str, list[tuple[str, str]]] = {}

    def request(self, part: _Part) -> Request:
        url = self._url(part)
        _, target, port = split_url(url)
        headers = tuple(
            (name, self._filled(value, part.line))
            for name, value in part.headers
            if name.lower() not in ("host", "content-length", "connection")
        )
        body = self._filled("\n".join(part.body).strip("\n"), part.line)
        kind = next((v for n, v in headers if n.lower() == "content-type"), "")
        if "x-www-form-urlencoded" in kind:
            body = re.sub(r"\s*\n\s*", "", body)
        return Request(part.method, target, port, headers, body.encode())

    def _url(self, part: _Part) -> str:
        """The host of a service that is asked here is not needed: `{{host}}/x` is `/x`."""
        first = re.match(r"^\{\{\s*([\w.$-]+)\s*\}\}(?=[/?]|$)", part.url)
        if first is not None and first[1] not in self._variables:
            return self._filled(part.url[first.end() :] or "/", part.line)
        return self._filled(part.url, part.line)

    def _filled(self, text: str, line: int, depth: int = 0) -> str:
        for name in dict.fromkeys(names_in(text)):
            value = self._value(name, line)
            if value is not None and depth < 8:
                value = self._filled(value, line, depth + 1)
                text = filled(text, {name: value})
        return text

    def _value(self, name: str, line: int) -> str | None:
        """None: it is known only when it is asked."""
        word, _, rest = name.partition(" ")
        if name in self._variables:
            return self._variables[name]
        if word in _DRAWN:
            return _DRAWN[word]
        if _DATE.match(word):
            return "2024-01-02T03:04:05Z"
        if word in ("$processEnv", "$env") and rest.strip("%") in os.environ:
            return os.environ[rest.strip("%")]
        match = _ANSWER.match(name)
        if match is not None and match[1] in self._names:
            kind = "json" if match[2] == "body" else "header"
            self.wanted.setdefault(match[1], []).append((name, f"{kind}:{match[3]}"))
            return None
        if name in self._saved:
            return None
        raise InputError(
            f"nothing says what {{{{{name}}}}} is",
            location=Location(str(self._path), line),
            hint=f"write @{word} = VALUE at the top of the file",
        )
