"""The flags that each instruction knows, checked as BuildKit does
(frontend/dockerfile/instructions/bflag.go)."""

from __future__ import annotations

from difflib import get_close_matches

from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.spans import Span
from imgopt.dockerfile.typed import Located
from imgopt.dockerfile.written import Flag, Written

_TEXT, _BOOL, _LIST = "text", "bool", "list"
_KNOWN: dict[str, dict[str, str]] = {
    "FROM": {"platform": _TEXT},
    "COPY": {
        "chown": _TEXT,
        "from": _TEXT,
        "chmod": _TEXT,
        "link": _BOOL,
        "parents": _BOOL,
        "exclude": _LIST,
    },
    "ADD": {
        "chown": _TEXT,
        "chmod": _TEXT,
        "link": _BOOL,
        "keep-git-dir": _BOOL,
        "checksum": _TEXT,
        "unpack": _BOOL,
        "exclude": _LIST,
    },
    "RUN": {"mount": _LIST, "network": _TEXT, "security": _TEXT, "device": _LIST},
    "HEALTHCHECK": {
        "interval": _TEXT,
        "timeout": _TEXT,
        "start-period": _TEXT,
        "start-interval": _TEXT,
        "retries": _TEXT,
    },
}


class Flags:
    """The checked flags of one instruction. Raises Refused when made from flags that BuildKit
    refuses."""

    def __init__(self, instruction: Written) -> None:
        self._found: dict[str, list[Flag]] = {}
        if not instruction.statement.flags:
            return
        known = _KNOWN.get(instruction.keyword, {})
        for flag in instruction.flags:
            _check(flag, known, self._found)
            self._found.setdefault(flag.name, []).append(flag)

    def text(self, name: str) -> Located | None:
        """The value of a flag, None when it is not given; its span is that of the value in the
        file."""
        found = self._found.get(name)
        return _value(found[0]) if found else None

    def texts(self, name: str) -> tuple[Located, ...]:
        return tuple(_value(flag) for flag in self._found.get(name, ()))

    def true(self, name: str) -> bool:
        found = self._found.get(name)
        return found is not None and (found[0].value or "true").lower() == "true"

    def given(self, name: str) -> bool:
        return name in self._found


def _value(flag: Flag) -> Located:
    """`flag.span` ends where the value ends; quotes make the value's own text longer than the
    value."""
    start = min(flag.span.start + len(flag.name) + 3, flag.span.end)
    return Located(flag.value or "", Span(start, flag.span.end))


def _check(flag: Flag, known: dict[str, str], found: dict[str, list[Flag]]) -> None:
    kind = known.get(flag.name)
    if kind is None:
        close = get_close_matches(flag.name, known, 1)
        hint = f"did you mean --{close[0]}?" if close else _expected(known)
        raise Refused(f"unknown flag: --{flag.name}", hint, flag.span.start)
    if flag.name in found and kind != _LIST:
        raise Refused(f"duplicate flag specified: --{flag.name}", "give it once", flag.span.start)
    missing = f"missing a value on flag: --{flag.name}"
    if kind != _BOOL and flag.value is None:
        raise Refused(missing, f"write --{flag.name}=VALUE", flag.span.start)
    if kind == _BOOL and flag.value is not None and flag.value.lower() not in ("true", "false"):
        what = (
            f"expecting boolean value for flag --{flag.name}, not: {flag.value}"
            if flag.value
            else missing
        )
        raise Refused(what, "write true or false", flag.span.start)


def _expected(known: dict[str, str]) -> str:
    return (
        "expected one of " + ", ".join(f"--{name}" for name in known)
        if known
        else "this instruction has no flags"
    )
