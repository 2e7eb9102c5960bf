"""Names the colour that is nearest to the eye."""

import csv
from pathlib import Path

from nearest._distance import distance


def parse(text):
    if len(text) != 6:
        raise ValueError(f"not rrggbb: {text}")
    return tuple(int(text[i : i + 2], 16) for i in (0, 2, 4))


def names():
    with (Path(__file__).parent / "colours.csv").open(newline="") as file:
        return [(row["name"], parse(row["rgb"])) for row in csv.DictReader(file)]


def nearest(text, known=None):
    wanted = parse(text)
    return min((distance(wanted, colour), name) for name, colour in known or names())
