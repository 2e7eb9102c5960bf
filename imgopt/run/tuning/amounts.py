"""The stated formulas: a limit from a peak, a heap's share of a limit. All sizes in bytes."""

from __future__ import annotations

import math

MARGIN = 1.15
"""What was looked at for a short while may be exceeded by so much."""
STEP = 16 << 20
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def memory_limit(peak: int, rest: int | None = None, least_percent: int = 25) -> int:
    """The peak with the margin, rounded up to 16 MiB. `rest`: what a run time takes beside its
    heap, for which the limit has to leave room, and `least_percent` of itself for the heap.

    >>> memory_limit(212 << 20) >> 20
    256
    >>> memory_limit(100 << 20, 150 << 20) >> 20
    240
    """
    needed = peak * MARGIN
    if rest is not None:
        needed = max(needed, rest * MARGIN / (1 - least_percent / 100))
    return math.ceil(needed / STEP) * STEP


def heap_percent(limit: int, rest: int | None, usual: int) -> int:
    """Per cent of the limit that a heap may have beside the rest with its margin, `usual` at most;
    0 or less where the rest alone fills it.

    >>> heap_percent(512 << 20, 150 << 20, 75), heap_percent(2 << 30, 150 << 20, 75)
    (66, 75)
    """
    if rest is None:
        return usual
    return min(usual, math.floor(100 * (limit - rest * MARGIN) / limit))


def bytes_of(size: str, unit: str, of_plain: int = 1) -> int:
    """`unit` as run times write it ("m", "MiB", "KB"); `of_plain` are the bytes of a size without
    one."""
    letter = unit.strip().lower()[:1].replace("b", "")
    return int(size) * (of_plain if not letter else 1024 ** _UNITS[letter])


def mebibytes(size: float) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
