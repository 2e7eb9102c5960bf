"""Amounts as people write them in the configuration: "250 MB", "2 GiB", "5 %"; of several the
larger holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_UNITS = {
    "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Limit:
    """An allowance in bytes (or a count), a share of something, or both: then the larger one
    holds."""

    amount: int | None = None
    share: Fraction | None = None

    def of(self, whole: int) -> int:
        """What is allowed where the share is one of `whole`; whole bytes, rounded down."""
        part = 0 if self.share is None else int(whole * self.share)
        return max(part, self.amount or 0)


def read_limit(value: object, *, counts: bool = False) -> Limit:
    """From a string, a list of strings or (for counts) an integer. Raises ValueError with what
    would be right.

    >>> read_limit(["2 %", "5 MB"]).of(100_000_000)
    5000000
    """
    amount: int | None = None
    share: Fraction | None = None
    for part in value if isinstance(value, list) else [value]:
        percent = _PERCENT.fullmatch(part.strip()) if isinstance(part, str) else None
        if percent:
            share = Fraction(percent[1]) / 100
        else:
            amount = _count(part) if counts else _size(part)
    if isinstance(value, list) and not value:
        raise ValueError("an empty list is no limit")
    return Limit(amount, share)


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is not a count: give a number such as 20")


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'{value} has no unit: write "{value} B", "{value} MB" or "{value} %"')
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    factor = _UNITS.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f'{value!r} is no size: write for instance "250 MB", "250 MiB" or "5 %"')
    return int(Fraction(match[1]) * factor)
