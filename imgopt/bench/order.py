"""In which order the arms take their turns: mirrored, so that drift of the machine falls on all of
them alike."""

from __future__ import annotations

import random
from collections.abc import Sequence


def rounds(arms: Sequence[str], count: int, seed: int) -> list[list[str]]:
    """`count` rounds, each arm once per round: a shuffled round, then the same backwards (ABBA or
    BAAB), and again."""
    source = random.Random(seed)
    result: list[list[str]] = []
    while len(result) < count:
        order = list(arms)
        source.shuffle(order)
        result += [order, order[::-1]]
    return result[:count]
