"""How long a report of a large image takes, and how much memory: `python benchmarks/report.py
[--files 100000]`.

The result is made and saved first; what is measured is `imgopt report RESULT.json --output
html:PAGE` in a process of its own, from its start to its end. Writes
benchmarks/results/report.json; exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imgopt.report.files import write_atomic
from imgopt.results import to_json
from imgopt.results.bench import Arm, BenchResult, Comparison, Environment, Exact
from imgopt.results.figures import PathFigure
from imgopt.results.optimize import Sizes

RESULTS = Path(__file__).parent / "results" / "report.json"
SECONDS, MEMORY, PAGE = 2.0, 300_000_000, 500_000


def result(files: int) -> BenchResult:
    """Two arms whose every file is in the result, none put together before."""
    source = random.Random(files)
    paths = [f"/usr/lib/{number % 97}/{number // 9}/file-{number}.so" for number in range(files)]
    contents = []
    for path in paths:
        size = int(source.paretovariate(0.9) * 300)
        after = 0 if source.random() < 0.5 else size
        contents.append(PathFigure(path=path, before=size, after=after, files_after=int(after > 0)))
    before, after = (
        sum(getattr(figure, side) for figure in contents) for side in ("before", "after")
    )
    return BenchResult(
        context="large",
        seed=0,
        runs=6,
        warm_up=1,
        alpha=0.05,
        min_effect=0.05,
        environment=Environment(imgopt="0"),
        arms=[_arm("original", before, files), _arm("slim", after, files // 2)],
        comparisons=[Comparison(before="original", after="slim", contents=contents)],
    )


def _arm(name: str, live: int, files: int) -> Arm:
    sizes = Sizes(wire=live // 3, tar=live, payload=live, live=live)
    return Arm(
        name=name, role="file", dockerfile=name, exact=Exact(sizes=sizes, layers=1, files=files)
    )


def measure(files: int, folder: Path, runs: int) -> dict[str, float]:
    """Median seconds (and CPU seconds, which other work on this machine does not lengthen) and peak
    memory."""
    saved, page = folder / "result.json", folder / "page.html"
    write_atomic(saved, to_json(result(files)))
    command = [sys.executable, "-m", "imgopt", "report", str(saved), "--output", f"html:{page}"]
    seconds = []
    for _ in range(runs):
        started = time.monotonic()
        subprocess.run(command, check=True)
        seconds.append(time.monotonic() - started)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = usage.ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
    return {
        "files": files,
        "seconds": round(sorted(seconds)[len(seconds) // 2], 3),
        "cpu_seconds": round((usage.ru_utime + usage.ru_stime) / runs, 3),
        "peak_bytes": peak,
        "result_bytes": saved.stat().st_size,
        "page_bytes": page.stat().st_size,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options.files, Path(folder), options.runs)
    RESULTS.parent.mkdir(exist_ok=True)
    write_atomic(RESULTS, json.dumps(figures, indent=2) + "\n")
    print(
        f"{options.files:,} files: {figures['seconds']:.2f} s (target {SECONDS}; "
        f"CPU {figures['cpu_seconds']:.2f} s), "
        f"{figures['peak_bytes'] / 1e6:.0f} MB (target {MEMORY / 1e6:.0f}), "
        f"page of {figures['page_bytes'] / 1e3:.0f} kB (target {PAGE / 1e3:.0f})"
    )
    good = (
        figures["seconds"] < SECONDS
        and figures["peak_bytes"] < MEMORY
        and figures["page_bytes"] < PAGE
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
