"""`make samples`: the main job on every sample; writes benchmarks/results/samples.json and the table for the README.

The whole result of each is kept packed in benchmarks/results/samples/: the tests hold the sums of its report.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from statistics import geometric_mean
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "samples.json"
WHOLE = ROOT / "benchmarks" / "results" / "samples"
NOT_SAMPLES = {"bases", "engine"}
MARKS = re.compile(r"(<!-- samples:begin -->\n).*?(<!-- samples:end -->)", re.DOTALL)
TARGETS = {
    "flask-notes": 5,
    "llm-answers": 2,
    "express-links": 5,
    "react-board": 8,
    "spring-rates": 2.5,
    "go-almanac": 40,
    "rust-tiles": 30,
}
"""How many times smaller the best proven variant is wanted to be on the wire; a missed one stays in the table."""


def main(names: list[str]) -> int:
    """Runs the loop over the samples named, all of them for none; keeps the rows of the others."""
    bases = ROOT / "build" / "bases.toml"
    if bases.is_file() and tomllib.loads(bases.read_text()).get("bases"):
        os.environ.setdefault("IMGOPT_BASES", str(bases))
    folders = sorted({path.parent for name in ("Dockerfile", "compose.yaml") for path in (ROOT / "samples").glob(f"*/{name}")})
    chosen = [folder for folder in folders if folder.name not in NOT_SAMPLES and (not names or folder.name in names)]
    failed = []
    for folder in chosen:
        result = _optimize(folder)
        if result is None:
            failed.append(folder.name)
            continue
        _keep(folder.name, [_row(folder.name, result, variant) for variant in result["variants"]])
    rows = _known()
    write_readme(rows)
    print(table(rows))
    if failed:
        print(f"no result: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _keep(sample: str, rows: list[dict[str, Any]]) -> None:
    """Puts the sample's rows in the place of those it had."""
    others = [row for row in _known() if row["sample"] != sample]
    text = json.dumps(sorted(others + rows, key=lambda row: (row["sample"], row["variant"])), indent=1) + "\n"
    _write(RESULTS, text.encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".new").write_bytes(data)
    path.with_suffix(".new").replace(path)


def _known() -> list[dict[str, Any]]:
    return list(json.loads(RESULTS.read_text())) if RESULTS.is_file() else []


def _optimize(folder: Path) -> dict[str, Any] | None:
    out = ROOT / "build" / "samples" / folder.name
    out.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "imgopt", "optimize", f"samples/{folder.name}", "--out", str(out), "--format", "json"]
    words += ["--time-all", "--no-lives"]  # later edits are `make lives`
    print(f"== {folder.name}", file=sys.stderr)
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    if not done.stdout.strip():
        return None
    _write(WHOLE / f"{folder.name}.json.xz", lzma.compress(done.stdout.encode()))
    return dict(json.loads(done.stdout))


def _row(sample: str, result: dict[str, Any], variant: dict[str, Any]) -> dict[str, Any]:
    before, after = result["original"]["sizes"], variant["sizes"]
    timings = variant["timings"]
    return {
        "sample": sample,
        "variant": variant["name"],
        "verdict": variant["verdict"],
        "reason": variant["reason"],
        "wire": [before["wire"], after["wire"] if after else None],
        "payload": [before["payload"], after["payload"] if after else None],
        "base_swap_bytes": variant["base_swap_bytes"],
        "own_edit_bytes": variant["own_edit_bytes"],
        "cold_seconds": _medians(timings.get("cold")),
        "rebuild_seconds": _medians(timings.get("edit-source")),
        "changes": [change["strategy"] for change in variant["changes"]],
        "skips": [f"{skip['strategy']}: {skip['reason']}" for skip in variant["skips"]],
        "overall": result["verdict"],
    }


def _medians(timing: dict[str, Any] | None) -> list[float | None]:
    if timing is None:
        return [None, None]
    return [_median(timing["before"]), _median(timing["after"])]


def _median(values: list[float]) -> float | None:
    return round(sorted(values)[len(values) // 2], 2) if values else None


def table(rows: list[dict[str, Any]]) -> str:
    """The README's table: the smallest proven variant of each sample; what the base alone gave stands apart."""
    lines = [
        "| sample | variant | wire | smaller | wanted | by the base alone | by our edits | rebuild after a source edit | faster |",
        "|---|---|---|---:|---:|---:|---:|---|---:|",
    ]
    best = {sample: _best([row for row in rows if row["sample"] == sample]) for sample in sorted(_samples(rows))}
    lines += [_line(sample, row, rows) for sample, row in best.items()]
    lines.append(_mean_line([row for row in best.values() if row is not None]))
    return "\n".join(lines)


def _samples(rows: list[dict[str, Any]]) -> set[str]:
    return {row["sample"] for row in rows}


def _best(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """None where the file is good as it is, or nothing could be proven."""
    proven = [row for row in rows if row["verdict"] == "proven" and row["overall"] == "proven"]
    return min(proven, key=lambda row: row["wire"][1], default=None)


def _line(sample: str, row: dict[str, Any] | None, rows: list[dict[str, Any]]) -> str:
    wanted = TARGETS.get(sample)
    if row is None:
        overall = next(row["overall"] for row in rows if row["sample"] == sample)
        return f"| {sample} | {overall} | | | {f'{wanted}x' if wanted else ''} | | | | |"
    (before, after), (slow, quick) = row["wire"], row["rebuild_seconds"]
    cells = [sample, row["variant"], f"{before / 1e6:.1f} -> {after / 1e6:.1f} MB", f"{before / after:.1f}x"]
    cells += [f"{wanted}x" if wanted else "", _megabytes(row["base_swap_bytes"]), _megabytes(row["own_edit_bytes"])]
    cells += [f"{slow:.1f} -> {quick:.1f} s", f"{slow / quick:.1f}x"] if slow and quick else ["", ""]
    return f"| {' | '.join(cells)} |"


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f} MB"


def _mean_line(best: list[dict[str, Any]]) -> str:
    smaller = [row["wire"][0] / row["wire"][1] for row in best]
    faster = [row["rebuild_seconds"][0] / row["rebuild_seconds"][1] for row in best if all(row["rebuild_seconds"])]
    means = [f"{geometric_mean(ratios):.1f}x" if ratios else "" for ratios in (smaller, faster)]
    return f"| geometric mean | | | {means[0]} | | | | | {means[1]} |"


def write_readme(rows: list[dict[str, Any]]) -> None:
    """Puts the table between the `samples` marks of README.md."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    marked = MARKS.sub(lambda match: f"{match[1]}{table(rows)}\n{match[2]}", text)
    if marked != text:
        readme.write_text(marked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
