"""How long a look into an image takes, beside `docker save` and dive. Writes benchmarks/results/analyze.json.

    .venv/bin/python benchmarks/analyze.py IMAGE [IMAGE...]

Figures are the wall time of whole processes, compared by the least of --runs; runs of all programs take turns. Beside
it stands the processor time of each program, which other work on the machine disturbs less (the engine's own is not in
it). "first" looks start with an empty cache directory. dive is taken from the PATH, or built once by the Go toolchain
where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
IMGOPT = [sys.executable, "-m", "imgopt"]
TOOLS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imgopt-tests"
DIVE = "github.com/wagoodman/dive@v0.13.1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    dive = find_dive()
    rows = [measure(image, arguments.runs, dive) for image in arguments.images]
    result = {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "dive": DIVE if dive else None, "images": rows}
    target = ROOT / "benchmarks" / "results" / "analyze.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")
    for row in rows:
        print(json.dumps(row, indent=2))


def measure(image: str, runs: int, dive: str | None) -> dict[str, Any]:
    """Seconds by program, and how they compare."""
    with tempfile.TemporaryDirectory(prefix="imgopt-bench-") as folder:
        cache = Path(folder)
        programs: dict[str, Callable[[], float]] = {
            "docker save": lambda: timed(["docker", "save", image]),
            "store, first look": lambda: look(image, cache, fresh=True),
            "store, second look": lambda: look(image, cache, fresh=False),
            "API, first look": lambda: look(f"engine:{image}", cache, fresh=True),
        }
        if dive:
            programs["dive"] = lambda: timed([dive, "--ci", image])
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        processor: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(runs):
            for name, program in programs.items():
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                seconds[name].append(round(program(), 3))
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                processor[name].append(round(used, 3))
    least = {name: min(values) for name, values in seconds.items()}
    first = least["store, first look"]
    return {
        "image": image,
        "bytes": int(inspect(image)),
        "seconds": seconds,
        "processor_seconds": processor,
        "store_faster_than_save": round(least["docker save"] / first, 1),
        "store_faster_than_dive": round(least["dive"] / first, 1) if dive else None,
        "api_to_save": round(least["API, first look"] / least["docker save"], 2),
        "second_look": least["store, second look"],
    }


def look(reference: str, cache: Path, *, fresh: bool) -> float:
    if fresh:
        shutil.rmtree(cache / "imgopt", ignore_errors=True)
    return timed([*IMGOPT, "analyze", reference], {"XDG_CACHE_HOME": str(cache)})


def timed(command: list[str], environment: dict[str, str] | None = None) -> float:
    start = time.perf_counter()
    subprocess.run(
        command,
        check="dive" not in command[0],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    return time.perf_counter() - start


def inspect(image: str) -> str:
    command = ["docker", "inspect", "--type", "image", "-f", "{{.Size}}", image]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def find_dive() -> str | None:
    found = shutil.which("dive") or shutil.which("dive", path=str(TOOLS))
    if found or not shutil.which("go"):
        return found
    TOOLS.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(["go", "install", DIVE], env={**os.environ, "GOBIN": str(TOOLS)}, capture_output=True)
    return shutil.which("dive", path=str(TOOLS)) if built.returncode == 0 else None


if __name__ == "__main__":
    main()
