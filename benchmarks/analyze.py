"""How long a look into an image takes, beside `docker save` and dive. Writes
benchmarks/results/analyze.json.

    .venv/bin/python benchmarks/analyze.py [IMAGE...]

Without a name: the fat Python and Rust bases, those that the engine has.

Figures are wall times of whole processes, compared by the least of --runs; runs of all programs
take turns. Beside them stand the processor times, which other work on the machine disturbs less:
those of the program, and those of the engine (dockerd and containerd, from /proc) while it ran,
since `docker save` and dive let it work for them. Other users of the engine are in them too:
measure where there are none. "first" looks start with an empty cache directory. dive is taken from
the PATH, or built once by the Go toolchain where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
IMGOPT = [sys.executable, "-m", "imgopt"]
TOOLS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imgopt-tests"
_BY_ENGINE = ("docker save", "dive", "API, first look")
"""Those that the engine works for; the others ask it two questions."""
DIVE = "github.com/wagoodman/dive@v0.13.1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    images = arguments.images or own_images()
    if not images:
        parser.error("name an image: the engine has none of the bases (`make bases`)")
    dive = find_dive()
    rows = [measure(image, arguments.runs, dive) for image in images]
    load = round(os.getloadavg()[0], 1)
    result = {"cpus": os.cpu_count(), "load": load, "dive": DIVE if dive else None, "images": rows}
    target = ROOT / "benchmarks" / "results" / "analyze.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")
    for row in rows:
        print(json.dumps(row, indent=2))


def own_images() -> list[str]:
    """The fat bases, under the names that they have here, if the engine has them."""
    table = ROOT / "build" / "bases.toml"
    names = tomllib.loads(table.read_text()).get("bases", {}) if table.is_file() else {}
    images = [names.get(name, name) for name in ("python:3.11", "rust:1")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return [
        image
        for image in images
        if subprocess.run(["docker", "image", "inspect", image], **quiet).returncode == 0
    ]


class Run(NamedTuple):
    """Seconds of one process and of the engine meanwhile, and its peak memory in megabytes."""

    wall: float
    processor: float
    engine: float
    megabytes: int


def measure(image: str, runs: int, dive: str | None) -> dict[str, Any]:
    """Figures by program, and how they compare."""
    with tempfile.TemporaryDirectory(prefix="imgopt-bench-") as folder:
        cache = Path(folder)
        programs: dict[str, Callable[[], Run]] = {
            "docker save": lambda: timed(["docker", "save", image]),
            "store, first look": lambda: look(image, cache, fresh=True),
            "store, second look": lambda: look(image, cache, fresh=False),
            "API, first look": lambda: look(f"engine:{image}", cache, fresh=True),
        }
        if dive:
            programs["dive"] = lambda: timed([dive, "--ci", image])
        found: dict[str, list[Run]] = {name: [] for name in programs}
        for _ in range(runs):
            for name, program in programs.items():
                found[name].append(program())
    return {
        "image": image,
        "bytes": int(inspect(image)),
        "programs": {name: [run._asdict() for run in values] for name, values in found.items()},
        "megabytes": max(run.megabytes for run in found["store, first look"]),
        "by_wall": compared(
            {name: min(run.wall for run in values) for name, values in found.items()}
        ),
        "by_processor": compared(
            {name: min(map(_work(name), values)) for name, values in found.items()}
        ),
        "second_look": min(run.wall for run in found["store, second look"]),
        "second_look_processor": min(run.processor for run in found["store, second look"]),
    }


def _work(name: str) -> Callable[[Run], float]:
    return lambda run: run.processor + (run.engine if name in _BY_ENGINE else 0)


def compared(least: dict[str, float]) -> dict[str, float | None]:
    first = least["store, first look"]
    return {
        "store_faster_than_save": round(least["docker save"] / first, 1),
        "store_faster_than_dive": round(least["dive"] / first, 1) if "dive" in least else None,
        "api_to_save": round(least["API, first look"] / least["docker save"], 2),
    }


def look(reference: str, cache: Path, *, fresh: bool) -> Run:
    if fresh:
        shutil.rmtree(cache / "imgopt", ignore_errors=True)
    return timed([*IMGOPT, "analyze", reference], {"XDG_CACHE_HOME": str(cache)})


def timed(command: list[str], environment: dict[str, str] | None = None) -> Run:
    before, start = engine_seconds(), time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_as_installed() | (environment or {}),
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if (
        process.returncode and "dive" not in command[0]
    ):  # dive's exit code is its opinion of the image
        raise subprocess.CalledProcessError(process.returncode, command)
    engine = engine_seconds() - before
    return Run(
        round(wall, 3),
        round(used.ru_utime + used.ru_stime, 3),
        round(engine, 2),
        used.ru_maxrss // 1024,
    )


def _as_installed() -> dict[str, str]:
    """An installed program has its bytecode: without it, each start compiles imgopt anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def engine_seconds() -> float:
    """Processor time of the engine's processes so far; 0 where they cannot be seen."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name in ("dockerd", "containerd"):
            ticks += sum(int(value) for value in rest.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def inspect(image: str) -> str:
    command = ["docker", "inspect", "--type", "image", "-f", "{{.Size}}", image]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def find_dive() -> str | None:
    found = shutil.which("dive") or shutil.which("dive", path=str(TOOLS))
    if found or not shutil.which("go"):
        return found
    TOOLS.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        ["go", "install", DIVE], env={**os.environ, "GOBIN": str(TOOLS)}, capture_output=True
    )
    return shutil.which("dive", path=str(TOOLS)) if built.returncode == 0 else None


if __name__ == "__main__":
    main()
