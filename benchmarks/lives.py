"""`make lives`: every sample, every later edit, every variant: `python benchmarks/lives.py
[--samples NAME...] [--again]`.

Each sample is asked with `imgopt lives`; its rows stand in `results/lives.json` when it has ended,
so that an interrupted run goes on with the next one; `--again` asks those that are there once more.
Writes the table between the `lives` marks of README.md. Ends with 1 where an edit that the original
survives breaks a variant.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from imgopt.lives.later import NAMES
from imgopt.report import write_atomic
from imgopt.report.common import table_markdown

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "lives.json"
BASES = ROOT / "build" / "bases.toml"
NOT_SAMPLES = {"bases", "engine"}
MARKS = re.compile(r"(<!-- lives:begin -->\n).*?(<!-- lives:end -->)", re.DOTALL)
Row = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    folders = sorted(path.parent.name for path in (ROOT / "samples").glob("*/Dockerfile"))
    known = {row["sample"] for row in _rows()}
    for name in folders:
        wanted = name not in NOT_SAMPLES and (not options.samples or name in options.samples)
        if wanted and (options.again or name not in known):
            _ask(name)
    rows = _rows()
    _write_readme(table(rows))
    print(table(rows))
    broken = [row for row in rows if row["verdict"] == "breaks"]
    for row in broken:
        said = f"{row['sample']} {row['variant']} {row['edit']}: {row['check']}: {row['detail']}"
        print(said, file=sys.stderr)
    return 1 if broken else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", nargs="+", default=[])
    parser.add_argument("--again", action="store_true")
    return parser.parse_args(arguments)


def _rows() -> list[Row]:
    return list(json.loads(RESULTS.read_text())) if RESULTS.is_file() else []


def _ask(sample: str) -> None:
    print(f"== {sample}", file=sys.stderr)
    words = [sys.executable, "-m", "imgopt", "lives", f"samples/{sample}", "--format", "json"]
    given = {"IMGOPT_BASES": str(BASES)} if BASES.is_file() else {}
    done = subprocess.run(
        words,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**given, **os.environ},
        check=False,
    )
    if not done.stdout.strip():
        print(f"no result: {sample}", file=sys.stderr)
        return
    new = list(_of_result(sample, json.loads(done.stdout)))
    rows = [row for row in _rows() if row["sample"] != sample] + new
    rows.sort(key=lambda row: (row["sample"], row["variant"]))
    write_atomic(RESULTS, json.dumps(rows, indent=1) + "\n")


def _of_result(sample: str, result: dict[str, Any]) -> Iterable[Row]:
    """A row for every edit of every variant; one without an edit where none was tried."""
    for lives in result["candidates"]:
        about = {"sample": sample, "variant": lives["name"]}
        if lives["why_not"]:
            yield {**about, "edit": "", "verdict": "not tried", "detail": lives["why_not"]}
        for edit in lives["edits"]:
            yield {**about, "edit": edit.pop("name"), **edit}


def table(rows: Iterable[Row]) -> str:
    """Samples by edits: in how many variants an edit holds, of those in which it counts."""
    by_cell: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        by_cell.setdefault((row["sample"], row["edit"]), []).append(row["verdict"])
    samples = sorted({sample for sample, edit in by_cell if edit})
    lines = [
        [sample, *(_cell(by_cell.get((sample, name), [])) for name in NAMES)] for sample in samples
    ]
    held = [sum(one == "holds" for one in by_cell[key]) for key in by_cell]
    counted = [sum(one in ("holds", "breaks") for one in by_cell[key]) for key in by_cell]
    pairs = sum(count > 0 for count in counted)
    total = f"{pairs} pairs of edit and sample: {sum(held)} of {sum(counted)} builds hold"
    heads = ["", *(name.replace("-", " ") for name in NAMES)]
    return f"{table_markdown(heads, lines)}\n\n{total}"


def _cell(verdicts: list[str]) -> str:
    held = verdicts.count("holds")
    counted = held + verdicts.count("breaks")
    if not counted:
        return ""
    return str(held) if held == counted else f"**{held} of {counted}**"


def _write_readme(text: str) -> None:
    readme = ROOT / "README.md"
    before = readme.read_text()
    after = MARKS.sub(lambda match: f"{match[1]}{text}\n{match[2]}", before)
    if after != before:
        readme.write_text(after)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
