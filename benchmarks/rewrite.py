"""How `imgopt rewrite` and `imgopt ci lint` grow: with the Dockerfile's length, and with the files
of the context.

    python benchmarks/rewrite.py [--lines 10000] [--files 200000] [--project FOLDER] [--output FILE]

Each kind of Dockerfile (apt, pip and others) is made with a quarter, a half and all of the lines,
the context with the same parts of the files; each is read by a process of its own, whose processor
seconds count, its start included. Every figure is recorded. Exits 1 when the largest of one kind
takes more than 2 seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = 2.0
PARTS = (4, 2, 1)
COMMANDS = {"rewrite": ("rewrite", "{folder}"), "ci lint": ("ci", "lint", "{folder}/Dockerfile")}

LINES: dict[str, Callable[[int], str]] = {
    "apt": lambda number: f"RUN apt-get update && apt-get install -y package-{number}\n",
    "pip": lambda number: f"RUN pip install package-{number}\n",
    "variables": lambda number: f"ENV NAME_{number}=value\n",
    "copies": lambda number: f"COPY app.py /srv/{number}/\n",
    "builds": lambda number: f"RUN make part-{number}\n",
}
HEAD = "FROM debian:12\nWORKDIR /app\nCOPY . .\n"
NODE = 'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "app.js"]\n'


def dockerfile(kind: str, lines: int) -> str:
    return (
        HEAD
        + "".join(LINES[kind](number) for number in range(lines))
        + 'CMD ["python3", "app.py"]\n'
    )


def write_context(folder: Path, files: int) -> None:
    """Packages of 20 files each, two folders deep, as an installer leaves them."""
    (folder / "Dockerfile").write_text(NODE)
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text("{}")
    for number in range(files // 20):
        inside = folder / "node_modules" / f"package-{number // 10}" / f"lib-{number % 10}"
        inside.mkdir(parents=True)
        for name in range(20):
            (inside / f"file-{name}.js").touch()


def measured(folder: Path, command: tuple[str, ...]) -> dict[str, float]:
    """Wall and processor seconds of one process."""
    words = [word.format(folder=folder) for word in command]
    before, start = _used(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "imgopt", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert done.returncode in (0, 1), words
    return {"wall": round(time.perf_counter() - start, 3), "processor": round(_used() - before, 3)}


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(lines: int, files: int, project: Path | None) -> dict[str, Any]:
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for kind in LINES:
            for part in PARTS:
                folder = Path(place) / f"{kind}-{part}"
                folder.mkdir()
                (folder / "Dockerfile").write_text(dockerfile(kind, lines // part))
                (folder / "app.py").touch()
                rows += _rows(folder, kind, lines // part)
        for part in PARTS:
            folder = Path(place) / f"context-{part}"
            folder.mkdir()
            write_context(folder, files // part)
            rows += _rows(folder, "files of the context", files // part)
    if project is not None:
        rows += _rows(project, project.name, sum(len(names) for _, _, names in os.walk(project)))
    slowest = max(row["processor"] for row in rows)
    return {
        "schema": "imgopt-bench/rewrite/1",
        "rows": rows,
        "slowest": slowest,
        "target": TARGET,
        "reached": slowest <= TARGET,
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "load_average": os.getloadavg()[0],
        },
    }


def _rows(folder: Path, kind: str, size: int) -> list[dict[str, Any]]:
    found = []
    for name, command in COMMANDS.items():
        row = {"kind": kind, "size": size, "command": name, **measured(folder, command)}
        print(f"{kind:<22} {size:>8,} {name:<8} {row['processor']:.2f} s", flush=True)
        found.append(row)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--project", type=Path, help="a project on disk that is read as well")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/rewrite.json")
    options = parser.parse_args()
    result = measure(options.lines, options.files, options.project)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"slowest {result['slowest']:.2f} s of processor time (target {TARGET:.0f})")
    return 0 if result["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
