"""`make samples`: the main job on every sample; writes benchmarks/results/samples.json and the table for the README."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "samples.json"
NOT_SAMPLES = {"bases", "engine"}


def main(names: list[str]) -> int:
    """Runs the loop over the samples named, all of them for none; keeps the rows of the others."""
    bases = ROOT / "build" / "bases.toml"
    if bases.is_file() and tomllib.loads(bases.read_text()).get("bases"):
        os.environ.setdefault("IMGOPT_BASES", str(bases))
    folders = sorted(path.parent for path in (ROOT / "samples").glob("*/Dockerfile"))
    chosen = [folder for folder in folders if folder.name not in NOT_SAMPLES and (not names or folder.name in names)]
    rows = [row for row in _known() if row["sample"] not in {folder.name for folder in chosen}]
    failed = []
    for folder in chosen:
        result = _optimize(folder)
        if result is None:
            failed.append(folder.name)
            continue
        rows += [_row(folder.name, result, variant) for variant in result["variants"]]
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(sorted(rows, key=lambda row: (row["sample"], row["variant"])), indent=1) + "\n")
    print(table(rows))
    return 1 if failed else 0


def _known() -> list[dict[str, Any]]:
    return list(json.loads(RESULTS.read_text())) if RESULTS.is_file() else []


def _optimize(folder: Path) -> dict[str, Any] | None:
    out = ROOT / "build" / "samples" / folder.name
    out.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "imgopt", "optimize", str(folder), "--out", str(out), "--format", "json"]
    print(f"== {folder.name}", file=sys.stderr)
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    return dict(json.loads(done.stdout)) if done.stdout.strip() else None


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
    """The README's table: the smallest proven variant of each sample."""
    lines = ["| sample | variant | wire before | wire after | smaller | rebuild before | rebuild after | faster |"]
    lines.append("|---|---|---:|---:|---:|---:|---:|---:|")
    for sample in sorted({row["sample"] for row in rows}):
        proven = [row for row in rows if row["sample"] == sample and row["verdict"] == "proven"]
        if not proven or all(row["overall"] == "good" for row in proven):
            verdict = next(row["overall"] for row in rows if row["sample"] == sample)
            lines.append(f"| {sample} | {verdict} | | | | | | |")
            continue
        best = min(proven, key=lambda row: row["wire"][1])
        wire, rebuild = best["wire"], best["rebuild_seconds"]
        faster = f"{rebuild[0] / rebuild[1]:.1f}x" if rebuild[0] and rebuild[1] else ""
        lines.append(
            f"| {sample} | {best['variant']} | {wire[0] / 1e6:.1f} MB | {wire[1] / 1e6:.1f} MB | "
            f"{wire[0] / wire[1]:.1f}x | {rebuild[0] or ''} s | {rebuild[1] or ''} s | {faster} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
