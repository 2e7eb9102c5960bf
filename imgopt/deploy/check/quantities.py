"""Amounts as the files write them: bytes, processors, seconds."""

from __future__ import annotations

import re

from imgopt.deploy.check.nodes import Node

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


def quantity(node: Node) -> float | None:
    """A Kubernetes quantity ("512Mi", "250m", "1e9"); None for what is none, or for a variable."""
    if node.varies:
        return None
    match = _QUANTITY.fullmatch(node.text.strip())
    if match is None:
        return None
    number, unit = float(match[1]), match[2] or ""
    if unit[:1] in ("e", "E") and len(unit) > 1 and unit != "Ei":
        found = number * 10.0 ** min(int(unit[1:]), 30) if len(unit) < 6 else None
    else:
        found = number * _UNITS[unit] if unit in _UNITS else None
    return found if found is not None and found < _MOST else None


def in_bytes(node: Node) -> int | None:
    found = quantity(node)
    return int(found) if found is not None else None


def mebibytes(size: float) -> str:
    """ "212 MiB", "1.5 GiB"."""
    if size >= 1 << 30:
        return f"{size / (1 << 30):.4g} GiB"
    return f"{size / (1 << 20):.4g} MiB"


def in_seconds(seconds: float) -> str:
    """ "6.2 s", "30 s"."""
    return f"{seconds:.3g} s"
