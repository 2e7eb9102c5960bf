"""Kubernetes's quantities."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+|[numkKMGTPE]i?)?", re.IGNORECASE)
_MOST = 2.0**63
"""Kubernetes counts in as many bits."""
_UNITS = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    **{unit: 1000.0**power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)},
}


def read_quantity(text: str) -> float | None:
    """The number that is meant ("512Mi", "250m", "1e9"); None for what is no quantity."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        return None
    number, unit = float(match[1]), match[2] or ""
    if unit[:1] in ("e", "E") and len(unit) > 1 and unit != "Ei":
        found = number * 10.0 ** min(int(unit[1:]), 30) if len(unit) < 6 else None
    else:
        found = number * _UNITS[unit] if unit in _UNITS else None
    return found if found is not None and found < _MOST else None


def quantity_bytes(value: object) -> int | None:
    """A value of a file in whole bytes; None for what is no quantity."""
    found = read_quantity(str(value)) if value is not None else None
    return int(found) if found is not None else None
