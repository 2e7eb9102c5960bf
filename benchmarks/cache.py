"""Speed of cache predictions: 15 scenarios on 10,000 files, a replay of 1,000 commits on 5,000
files, and their growth.

    python benchmarks/cache.py              writes benchmarks/results/cache.json and prints a table

Projects and histories are generated in a temporary directory (git fast-import). Each figure is the
best of three.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from imgopt.cache.examine import examine
from imgopt.cache.replay import Replay
from imgopt.cache.scenarios import Scenario, scenarios
from imgopt.cache.state import read_state
from imgopt.context.history import churn, history

RESULTS = Path(__file__).parent / "results" / "cache.json"
DOCKERFILE = """\
FROM python:3.12-slim AS builder
ARG VERSION=1
WORKDIR /app
COPY requirements.txt poetry.lock ./
RUN pip install --target /deps -r requirements.txt
COPY src src
COPY *.md docs/
RUN python -m compileall src
FROM python:3.12-slim
WORKDIR /app
COPY --from=builder /deps /deps
COPY --from=builder /app/src src
COPY . .
RUN python -m app --check
"""
IGNORE = (
    ".git\n**/__pycache__\n**/*.log\nbuild\n!build/keep.txt\nnode_modules\n**/.DS_Store\n*.tmp\n"
)
LIMITS = {"predict 10000 files": 1.0, "replay 1000 commits": 5.0}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=RESULTS)
    output: Path = parser.parse_args().output
    with tempfile.TemporaryDirectory(prefix="imgopt-bench-cache-") as folder:
        rows = []
        for work, arguments in PLAN:
            rows.append(work(Path(folder), *arguments))
            print(f"{rows[-1]['name']:<36} {rows[-1]['seconds']:8.3f} s", flush=True)
    late = [
        name
        for name, limit in LIMITS.items()
        for row in rows
        if row["name"] == name and row["seconds"] > limit
    ]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        json.dumps({"machine": _machine(), "limits": LIMITS, "rows": rows}, indent=2) + "\n"
    )
    for name in late:
        print(f"over its limit of {LIMITS[name]} s: {name}", file=sys.stderr)
    return 1 if late else 0


def _prediction(folder: Path, count: int) -> dict[str, object]:
    """From nothing read to every scenario's answer with its reasons."""
    root = folder / f"files-{count}"
    _project(root, count)
    found: dict[str, int] = {}

    def work() -> None:
        state = read_state(root)
        chosen = scenarios(root, state, churn(root).counts)
        result = examine(state, chosen)
        found["scenarios"] = sum(isinstance(one, Scenario) for one in chosen)
        found["files"] = len(state.tree)
        assert len(result.scenarios) == 15, [one for one in chosen if not isinstance(one, Scenario)]

    return {"name": f"predict {count} files", "seconds": _best(work), **found}


def _replay(folder: Path, commits: int, files: int) -> dict[str, object]:
    """From nothing read to the cost of every commit."""
    root = folder / f"history-{commits}-{files}"
    _project(root, files)
    _history(root, commits)
    found: dict[str, int] = {}

    def work() -> None:
        state = read_state(root)
        cost = Replay(state).run(history(root, commits))
        found["commits"] = len(cost.commits)
        found["rebuilds"] = sum(bool(one.missed) for one in cost.commits)
        assert len(cost.commits) == commits

    extra = "" if files == 5_000 else f" on {files} files"
    return {"name": f"replay {commits} commits{extra}", "seconds": _best(work), **found}


def _best(work: Callable[[], None], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return round(min(times), 4)


def _project(root: Path, count: int) -> None:
    root.mkdir()
    (root / "Dockerfile").write_text(DOCKERFILE)
    (root / ".dockerignore").write_text(IGNORE)
    (root / "requirements.txt").write_text("flask\n")
    (root / "poetry.lock").write_text("flask==3\n")
    (root / "README.md").write_text("hello\n")
    for number, path in enumerate(_paths(count - 5)):
        file = root / path
        if number % 50 == 0:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"value = {number}\n")


def _paths(count: int) -> list[str]:
    tops = ("src/app", "src/lib", "tests", "docs", "assets")
    suffixes = (".py", ".py", ".py", ".md", ".txt")
    found = []
    for number in range(count):
        folder = number // 50
        kind = folder % 5
        found.append(
            f"{tops[kind]}/part{folder // 5 % 20}/sub{folder // 100}/file{number}{suffixes[kind]}"
        )
    return found


def _history(root: Path, commits: int) -> None:
    """A repository whose first commit is the project and whose later ones edit one to four files
    each."""
    rng = random.Random(7)
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    stream = [f"commit refs/heads/main\ncommitter A <a@b> {1_700_000_000} +0000\ndata 1\nx\n"]
    stream += [_blob(path, (root / path).read_text()) for path in paths]
    paths = [path for path in paths if "/" in path]
    for number in range(1, commits):
        stamp = 1_700_000_000 + number * 7200
        stream.append(f"commit refs/heads/main\ncommitter A <a@b> {stamp} +0000\ndata 1\nx\n")
        stream += [
            _blob(path, f"value = -{number}\n") for path in rng.sample(paths, rng.randint(1, 4))
        ]
    run = ["git", "-C", str(root)]
    subprocess.run([*run, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*run, "fast-import", "--quiet"], input="".join(stream).encode(), check=True)
    subprocess.run([*run, "reset", "-q", "--hard"], check=True)


def _blob(path: str, text: str) -> str:
    return f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"


def _machine() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
    }


PLAN: tuple[tuple[Callable[..., dict[str, object]], tuple[int, ...]], ...] = (
    *((_prediction, (files,)) for files in (10_000, 20_000, 40_000)),
    *((_replay, (commits, 5_000)) for commits in (1_000, 2_000, 4_000)),
    *((_replay, (1_000, files)) for files in (10_000, 20_000)),
)

if __name__ == "__main__":
    sys.exit(main())
