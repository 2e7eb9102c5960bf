"""`$NAME` and `${NAME:-default}` in a Compose file, as Compose puts values in their place
(compose-go's `template` package)."""

from __future__ import annotations

import re
from collections.abc import Callable

Lookup = Callable[[str], str | None]
_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")


class Refused(ValueError):
    """The text cannot be filled in; says why, in Compose's own words."""


def substitute(text: str, lookup: Lookup) -> str:
    """The text with its variables' values; `$$` is a dollar sign, a variable that is not set is
    nothing. Raises Refused for `${NAME:?reason}` without a value, and for what is no variable."""
    done, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        done.append(text[at:dollar])
        value, at = _one(text, dollar, lookup)
        done.append(value)
    return "".join(done) + text[at:]


def _one(text: str, dollar: int, lookup: Lookup) -> tuple[str, int]:
    """The value of what begins at `dollar`, and where it ends."""
    following = text[dollar + 1 : dollar + 2]
    if following == "$":
        return "$", dollar + 2
    if following == "{":
        end = _closing(text, dollar + 2)
        return _braced(text, text[dollar + 2 : end], lookup), end + 1
    name = _NAME.match(text, dollar + 1)
    if name is None:
        raise Refused(_invalid(text))
    return lookup(name[0]) or "", name.end()


def _closing(text: str, start: int) -> int:
    depth, at = 1, start
    while at < len(text):
        if text.startswith("$$", at):
            at += 2
            continue
        if text.startswith("${", at):
            depth, at = depth + 1, at + 2
            continue
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise Refused(_invalid(text))


def _braced(text: str, inside: str, lookup: Lookup) -> str:
    name = _NAME.match(inside)
    if name is None:
        raise Refused(_invalid(text))
    rest, value = inside[name.end() :], lookup(name[0])
    if not rest:
        return value or ""
    operator = next((sign for sign in _OPERATORS if rest.startswith(sign)), None)
    if operator is None:
        raise Refused(_invalid(text))
    word = rest[len(operator) :]
    there = value is not None and (value != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return substitute(word, lookup) if there else ""
    if there:
        return value or ""
    if operator.endswith("?"):
        said = substitute(word, lookup)
        raise Refused(
            f"required variable {name[0]} is missing a value" + (f": {said}" if said else "")
        )
    return substitute(word, lookup)


def _invalid(text: str) -> str:
    return f"invalid interpolation format: {text}; a dollar sign is written $$"
