"""Layouts beside release histories: `python benchmarks/layouts.py
NAME=CONTEXT=IMAGE[=HEAVY,HEAVY]...`.

The older half of a project's commits says how often each group changes; what the ways to lay the
layers would then move is the prediction. The newer half is replayed commit by commit, and what that
moved stands beside it. Writes results/layouts.json and the table between the `layouts` marks of
docs/fleet.md.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.fleet.cost.parameters import Parameters
from imgopt.fleet.cost.sources import steps_of
from imgopt.fleet.layout.grouping import Names
from imgopt.fleet.layout.propose import options_of, rates_of
from imgopt.fleet.layout.releases import Releases, releases_of
from imgopt.fleet.layout.sizes import sizes_of
from imgopt.image import open_image
from imgopt.report import write_atomic
from imgopt.report.common import table_markdown
from imgopt.results.size_text import size_text

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "layouts.json"
PAGE = ROOT / "docs" / "fleet.md"
MARKS = re.compile(r"(<!-- layouts -->\n).*?(<!-- /layouts -->)", re.DOTALL)
COMMITS = 2000
WAYS = ("installed", "heavy-light", "installed-linked", "heavy-light-linked")


def main(arguments: Sequence[str]) -> int:
    rows = [row for word in arguments for row in _project(*word.split("="))]
    write_atomic(RESULTS, json.dumps(rows, indent=1) + "\n")
    text = PAGE.read_text()
    write_atomic(PAGE, MARKS.sub(lambda match: f"{match[1]}\n{table(rows)}\n\n{match[2]}", text))
    print(table(rows))
    return 0


def _project(name: str, context: str, image: str, heavy: str = "") -> list[dict[str, Any]]:
    names = Names(builtin_ecosystems(), heavy.split(",") if heavy else ())
    opened = open_image(image)
    sizes = sizes_of(opened, steps_of(opened, None), names)
    found = releases_of(Path(context), "Dockerfile", None, names, COMMITS, sizes.languages)
    if isinstance(found, str):
        raise SystemExit(f"{context}: {found}")
    middle = len(found.changed) // 2
    older, newer = (
        Releases(part, found.per_month) for part in (found.changed[:middle], found.changed[middle:])
    )
    values = Parameters({})
    taught, asked = rates_of(older, values), rates_of(newer, values)
    told = {one.name: one for one in options_of(sizes, taught)}
    seen = {one.name: one for one in options_of(sizes, asked)}
    return [
        {
            "project": name,
            "releases": len(newer.changed),
            "heavy": sizes.of("heavy"),
            "light": sizes.of("light"),
            "way": way,
            "predicted": told[way].expected_bytes_per_node_month,
            "replayed": seen[way].replayed_bytes_per_node_month,
            "changes": dict(asked.changes),
        }
        for way in WAYS
        if way in told
    ]


def table(rows: Sequence[dict[str, Any]]) -> str:
    cells = [
        (
            row["project"],
            str(row["releases"]),
            f"{size_text(row['heavy'])} + {size_text(row['light'])}",
            row["way"],
            size_text(row["predicted"]),
            size_text(row["replayed"]),
            f"{row['predicted'] / row['replayed'] - 1:+.0%}",
        )
        for row in rows
    ]
    head = ("project", "releases replayed", "heavy + light", "layers", "predicted", "replayed")
    return table_markdown((*head, "error"), cells, right=(1, 4, 5, 6))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
