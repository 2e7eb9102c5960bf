"""HEALTHCHECK. Rules: moby/buildkit parser/line_parsers.go (parseHealthConfig),
instructions/parse.go."""

from __future__ import annotations

import re

from imgopt.dockerfile.flags import Flags
from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.typed import Healthcheck, Located
from imgopt.dockerfile.words import read_json
from imgopt.dockerfile.written import Written

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_ARGUMENTS = re.compile(r"([^\t\n\v\f\r ]+)[\t\n\v\f\r ]*(.*)", re.DOTALL)
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)")
_LEAST = 1e-3
_MOST = float((1 << 63) - 1) * 1e-9
"""Seconds that fit into Go's nanoseconds."""


def split_healthcheck(value: str) -> re.Match[str] | None:
    """Group 1 is the kind (CMD or NONE), group 2 what follows; None for an empty value."""
    return _ARGUMENTS.fullmatch(value)


def read_healthcheck(instruction: Written) -> Healthcheck:
    """Raises Refused."""
    found = split_healthcheck(instruction.value)
    if found is None:
        raise Refused(
            "HEALTHCHECK requires at least one argument", "write HEALTHCHECK CMD command, or NONE"
        )
    kind, rest = found.groups()
    json = read_json(rest)
    if kind.upper() == "NONE":
        if rest and json != ():
            raise Refused("HEALTHCHECK NONE takes no arguments", "write HEALTHCHECK NONE alone")
        return Healthcheck(None, None, none=True)
    flags = Flags(instruction)
    if kind.upper() != "CMD":
        raise Refused(
            f'Unknown type "{kind.upper()}" in HEALTHCHECK (try CMD)',
            "write HEALTHCHECK CMD command",
        )
    if not rest or json == ():
        raise Refused("Missing command after HEALTHCHECK CMD", "write HEALTHCHECK CMD command")
    shell = (
        Located(rest, instruction.span_of(found.start(2), found.end(2))) if json is None else None
    )
    return Healthcheck(
        json,
        shell,
        interval=_duration("interval", flags),
        timeout=_duration("timeout", flags),
        start_period=_duration("start-period", flags),
        start_interval=_duration("start-interval", flags),
        retries=_retries(flags),
    )


def _duration(name: str, flags: Flags) -> float | None:
    """Seconds, as Go's `time.ParseDuration` reads them."""
    text = flags.text(name)
    if not text:
        return None
    bare = text.lstrip("+-") if text[:2] not in ("++", "--", "+-", "-+") else ""
    if bare == "0":
        return 0.0
    parts = _PART.findall(bare)
    if not bare or "".join(number + unit for number, unit in parts) != bare:
        raise Refused(_bad_duration(text, bare), "write a number with a unit, such as 30s")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > _MOST:
        raise Refused(f'time: invalid duration "{text}"', "write a shorter time")
    if seconds and (seconds < _LEAST or text.startswith("-")):
        raise Refused(f'Interval "{name}" cannot be less than 1ms', "write a longer time")
    return seconds


def _bad_duration(text: str, bare: str) -> str:
    """What Go says: a number without a unit, or with one that it does not know."""
    rest = _PART.sub("", bare)
    number = _NUMBER.match(rest)
    if number is None:
        return f'time: invalid duration "{text}"'
    unit = number.group(1)
    return (
        f'time: unknown unit "{unit}" in duration "{text}"'
        if unit
        else f'time: missing unit in duration "{text}"'
    )


def _retries(flags: Flags) -> int | None:
    text = flags.text("retries")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise Refused(f'strconv.ParseInt: parsing "{text}": invalid syntax', "write a whole number")
    if len(text) > 11 or not -(1 << 31) <= int(text) < 1 << 31:
        raise Refused(
            f'strconv.ParseInt: parsing "{text}": value out of range', "write a smaller number"
        )
    if int(text) < 0:
        raise Refused(f"--retries cannot be negative ({int(text)})", "write 1 or more")
    return int(text)
