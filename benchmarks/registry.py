"""How the reading of a registry grows, and what it is beside one image at a time. Writes
benchmarks/results/registry.json.

    .venv/bin/python benchmarks/registry.py [--blobs 60] [--runs 3] [--jobs 2]

A registry on loopback (tests/registry/registry_server.py, in a process of its own) holds images
that share bases and dependencies, as releases do. Three sizes of it (1x, 2x, 4x the blobs) are
scanned into an empty store; sizes take turns, the least time of --runs counts. `linear` is the
processor time of each byte that 4x has over 2x, by that of each byte that 2x has over 1x: 1 is
linear, and the start counts in neither. Memory is the largest resident set of the scan's processes.

Beside it the same registry is read one image at a time, each image's layers fetched and unpacked,
as tools for one image do: by skopeo (`copy` to a folder, from the PATH or $SKOPEO) where it is
there, and by imgopt's own reader of one image in any case. Ratios count, not seconds: other work of
the machine is in all of them, and its load is written down.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
SCAN = """
import json, sys, time
from pathlib import Path
from imgopt.fleet.scan.pool import Pool
from imgopt.fleet.scan.scan import Options, scan
from imgopt.fleet.scan.sources import read_sources
from imgopt.fleet.scan.store import Store
if __name__ == "__main__":
    began, jobs = time.monotonic(), int(sys.argv[3])
    with Store(Path(sys.argv[2]), write=True) as store:
        sources = read_sources([f"registry:{sys.argv[1]}"])
        done = scan(sources, store, lambda logins, _: Pool(jobs, logins), Options())
    print(json.dumps({
        "seconds": time.monotonic() - began,
        "images": len(done.fleet.images),
        "blobs": done.read_blobs,
        "wire_bytes": done.read_bytes,
        "tar_bytes": sum(each.tar_bytes for each in done.facts.values()),
        "rows": sum(each.entries for each in done.facts.values()),
    }))
"""
EACH = """
import sys
from imgopt.image import Memory, open_image
for name in sys.argv[1:]:
    for layer in open_image(f"registry:{name}", memory=Memory(None)).layers:
        layer.entries()
"""
SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
import pickle
from registry_server import Content, Server
with open(sys.argv[2], "rb") as file:
    content = pickle.load(file)
held = Content(blobs=content[0], manifests=content[1], tags=content[2])
with Server(held) as server:
    print(server.host, flush=True)
    sys.stdin.read()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blobs", type=int, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    registry = registry_module()
    with tempfile.TemporaryDirectory(prefix="imgopt-bench-") as folder:
        sizes = [arguments.blobs * factor for factor in (1, 2, 4)]
        scans: list[list[dict[str, Any]]] = [[] for _ in sizes]
        for _ in range(arguments.runs):
            for number, size in enumerate(sizes):
                with serving(registry, Path(folder), size) as (host, _):
                    scans[number].append(scanned(host, Path(folder), arguments.jobs))
        with serving(registry, Path(folder), sizes[0]) as (host, images):
            others = {"imgopt, one image at a time": one_by_one(host, images)}
            skopeo = os.environ.get("SKOPEO") or shutil.which("skopeo")
            if skopeo:
                others["skopeo copy, one image at a time"] = copied(
                    skopeo, host, images, Path(folder)
                )
    rows = [best(each) for each in scans]
    write(rows, others, arguments.jobs)


def registry_module() -> ModuleType:
    path = ROOT / "tests" / "registry" / "registry_server.py"
    spec = importlib.util.spec_from_file_location("registry_server", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["registry_server"] = module
    spec.loader.exec_module(module)
    return module


class serving:
    """A registry with `blobs` layers of code, two bases and two layers of dependencies, in a
    process of its own; the names of its images."""

    def __init__(self, registry: ModuleType, folder: Path, blobs: int) -> None:
        self._file, self._images = folder / "content", list[str]()
        if not (folder / f"content-{blobs}").is_file():
            self._fill(registry, folder / f"content-{blobs}", blobs)
        self._file = folder / f"content-{blobs}"
        self._names = [f"app{number % 10}:{number}" for number in range(blobs - 4)]

    def _fill(self, registry: ModuleType, file: Path, blobs: int) -> None:
        import pickle

        content = registry.Content()
        below = [layer_of(registry, f"base{number}", 4000, 3000) for number in range(4)]
        for number in range(blobs - 4):
            code = layer_of(registry, f"code{number}", 600, 2500)
            steps = [("ADD os", below[number % 2]), ("RUN install", below[2 + number % 2])]
            content.push(f"app{number % 10}", str(number), [*steps, ("COPY app", code)])
        file.write_bytes(pickle.dumps((content.blobs, content.manifests, content.tags)))

    def __enter__(self) -> tuple[str, list[str]]:
        command = [sys.executable, "-c", SERVE, str(ROOT / "tests" / "registry"), str(self._file)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        host = self._process.stdout.readline().strip()
        return host, [f"{host}/{name}" for name in self._names]

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def layer_of(registry: ModuleType, name: str, files: int, size: int) -> Any:
    """Files that compress to about a third, as a tree of sources and libraries does."""
    draw = random.Random(name)
    words = [draw.randbytes(5).hex() for _ in range(400)]
    return registry.layer(
        {
            f"/srv/{name}/{number // 100}/{number}.txt": " ".join(draw.choices(words, k=size // 11))
            for number in range(files)
        }
    )


def scanned(host: str, folder: Path, jobs: int) -> dict[str, Any]:
    """One scan into an empty store, with the largest memory and the processor time of its
    processes."""
    import psutil

    store = folder / "store"
    shutil.rmtree(store, ignore_errors=True)
    process = psutil.Popen(
        [sys.executable, "-c", SCAN, host, str(store), str(jobs)],
        stdout=subprocess.PIPE,
        text=True,
    )
    memory: dict[int, int] = {}
    processor: dict[int, float] = {}
    while process.poll() is None:
        for one in (process, *children(process)):
            try:
                used, times = one.memory_info().rss, one.cpu_times()
            except psutil.Error:
                continue
            memory[one.pid] = max(memory.get(one.pid, 0), used)
            processor[one.pid] = times.user + times.system
        time.sleep(0.02)
    found = json.loads(process.stdout.read())
    parent = memory.pop(process.pid, 0)
    return {
        **found,
        "processor_seconds": sum(processor.values()),
        "parent_mb": parent >> 20,
        "worker_mb": max(memory.values(), default=0) >> 20,
    }


def children(process: Any) -> list[Any]:
    import psutil

    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def one_by_one(host: str, images: list[str]) -> dict[str, float]:
    del host
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", EACH, *images], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": time.monotonic() - began, "processor_seconds": spent(before, after)}


def copied(skopeo: str, host: str, images: list[str], folder: Path) -> dict[str, float]:
    del host
    policy = folder / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    for image in images:
        target = folder / "copied"
        command = [skopeo, "--policy", str(policy), "copy", "--quiet", "--src-tls-verify=false"]
        subprocess.run([*command, f"docker://{image}", f"dir:{target}"], check=True)
        for blob in target.iterdir():
            if blob.stat().st_size > 4096 and "." not in blob.name:
                subprocess.run(["tar", "-tzf", str(blob)], stdout=subprocess.DEVNULL, check=True)
        shutil.rmtree(target)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": time.monotonic() - began, "processor_seconds": spent(before, after)}


def spent(before: Any, after: Any) -> float:
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return float(user + system)


def best(runs: list[dict[str, Any]]) -> dict[str, Any]:
    quickest = min(runs, key=lambda run: run["processor_seconds"])
    return {
        **quickest,
        "parent_mb": max(run["parent_mb"] for run in runs),
        "worker_mb": max(run["worker_mb"] for run in runs),
        "seconds": min(run["seconds"] for run in runs),
    }


def more_by_byte(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Processor seconds that each byte more takes."""
    seconds = after["processor_seconds"] - before["processor_seconds"]
    return float(seconds / (after["tar_bytes"] - before["tar_bytes"]))


def write(rows: list[dict[str, Any]], others: dict[str, dict[str, float]], jobs: int) -> None:
    first = rows[0]
    each = [more_by_byte(before, after) for before, after in pairwise(rows)]
    fixed = first["processor_seconds"] - each[0] * first["tar_bytes"]
    for row in rows:
        row["memory"] = round(
            max(row["parent_mb"], row["worker_mb"]) / max(first["parent_mb"], first["worker_mb"]), 3
        )
    beside = {
        name: {
            "times_the_seconds": round(other["seconds"] / first["seconds"], 2),
            "times_the_processor": round(
                other["processor_seconds"] / first["processor_seconds"], 2
            ),
        }
        for name, other in others.items()
    }
    result = {
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "jobs": jobs,
        "start_processor_seconds": round(fixed, 2),
        "tar_bytes_per_processor_second": round(1 / each[-1]),
        "linear": round(each[-1] / each[0], 3),
        "sizes": rows,
        "beside_1x": beside,
    }
    target = ROOT / "benchmarks" / "results" / "registry.json"
    target.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
