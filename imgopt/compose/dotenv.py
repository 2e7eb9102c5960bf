"""`.env` and `env_file` as Compose reads them: quotes, `export`, comments, values over several
lines, and variables in them."""

from __future__ import annotations

import re
from pathlib import Path

from imgopt.compose.interpolation import Lookup, Refused, substitute
from imgopt.errors import InputError, Location

_KEY = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z0-9_.\-\[\]]+)[ \t]*(?P<sign>[=:]|$)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def read_dotenv(path: Path, outside: Lookup, *, raw: bool = False) -> dict[str, str | None]:
    """Its variables; None for a NAME alone that `outside` does not know. `raw`: values are taken as
    they stand (`format: raw`). Raises InputError with the line."""
    try:
        text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(f"cannot be read: {reason}", location=Location(str(path))) from None
    found: dict[str, str | None] = {}

    def lookup(name: str) -> str | None:
        outer = outside(name)
        return outer if outer is not None else found.get(name)

    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line, number = lines[at], at + 1
        at += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key = _KEY.match(line)
        if key is None:
            place = Location(str(path), number)
            raise InputError("no name of a variable", location=place, hint="one NAME=VALUE a line")
        if not key["sign"]:
            found[key["name"]] = outside(key["name"])
            continue
        rest = line[key.end() :]
        if raw:
            found[key["name"]] = rest
            continue
        try:
            found[key["name"]], at = _value(rest.lstrip(" \t"), lines, at, lookup)
        except Refused as refused:
            raise InputError(str(refused), location=Location(str(path), number)) from None
    return found


def _value(rest: str, lines: list[str], at: int, lookup: Lookup) -> tuple[str, int]:
    """The value that begins with `rest`, and the number of the line behind it."""
    quote = rest[:1]
    if quote not in ("'", '"'):
        plain = re.split(r"(?:^|[ \t])#", rest, maxsplit=1)[0].strip()
        return substitute(plain, lookup), at
    body = rest[1:]
    while (end := _closing(body, quote)) is None:
        if at >= len(lines):
            raise Refused("unterminated quoted value")
        body, at = f"{body}\n{lines[at]}", at + 1
    inside = body[:end]
    return (inside if quote == "'" else substitute(_unescaped(inside), lookup)), at


def _closing(body: str, quote: str) -> int | None:
    at = 0
    while at < len(body):
        if body[at] == "\\" and quote == '"':
            at += 2
            continue
        if body[at] == quote:
            return at
        at += 1
    return None


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        return "$$" if match[1] == "$" else _ESCAPES.get(match[1], match[1])

    return re.sub(r"\\(.)", one, text)
