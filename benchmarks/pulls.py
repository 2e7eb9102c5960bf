"""`make pulls`: the cost model beside real pulls: `python benchmarks/pulls.py [--images N]`.

Small crafted images (layers, bytes, files and compressibility differ) are pulled by private engines
of both image stores from a registry on loopback that sends at a limited rate, in gzip and in zstd.
Half of the images, drawn before anything is measured, calibrate the model's rates; the error is
that of the other half. Needs root and dockerd. Writes results/pulls.json and the table between the
`pulls` marks of docs/fleet.md.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import zstandard

from imgopt.fleet.cost.model import Layer, pull
from imgopt.fleet.cost.parameters import Parameters
from imgopt.report import write_atomic
from imgopt.report.common import table_markdown

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "pulls.json"
PAGE = ROOT / "docs" / "fleet.md"
MARKS = re.compile(r"(<!-- pulls -->\n).*?(<!-- /pulls -->)", re.DOTALL)
RATES = (6.0, 20.0, 60.0)
"""MB/s."""
CODECS = ("gzip", "zstd")
AGAIN = 5
"""Images that are pulled a second time: how far the same pull differs from itself."""
STORES = {"overlay2": "{}", "containerd": '{"features": {"containerd-snapshotter": true}}'}
FREE = {"connection_bandwidth": 1e6, "registry_bandwidth": 1e6}
FITTED = ("pull_seconds", "layer_seconds", "gzip_rate", "zstd_rate", "disk_rate", "file_seconds")
ENGINE_DATA = Path(os.environ.get("IMGOPT_ENGINE_DATA", "/var/lib/imgopt-engine"))


@dataclass(frozen=True)
class Pulled:
    """One image at one rate. `layers`: wire bytes, raw bytes and files of each; `seconds`: the
    quickest of `tries`, for nothing makes a pull quicker than it is."""

    store: str
    image: int
    rate: float
    codec: str
    layers: list[tuple[int, int, int]]
    tries: list[float]

    @property
    def seconds(self) -> float:
        return min(self.tries)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=24)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="imgopt-pulls-") as name:
        folder = Path(name)
        made = craft(folder / "registry", options.images)
        pulls = [one for store in STORES for one in measured(folder, store, made)]
    result = judged(pulls, options.images)
    write_atomic(RESULTS, json.dumps(result, indent=1) + "\n")
    text = MARKS.sub(rf"\1\n{table(result)}\n\n\2", PAGE.read_text())
    write_atomic(PAGE, text)
    print(table(result))
    return 0


def craft(folder: Path, images: int) -> dict[tuple[int, float, str], list[tuple[int, int, int]]]:
    """Every image once for each rate and codec, with blobs of its own."""
    (folder / "blobs").mkdir(parents=True)
    (folder / "tags").mkdir()
    made = {}
    for number in range(images):
        shape = random.Random(f"image {number}")
        layers = [
            (shape.choice((1, 3, 20, 100, 400, 1200)), shape.uniform(0.1, 9.0), shape.random())
            for _ in range(shape.choice((1, 2, 3, 4, 6)))
        ]
        for rate in RATES:
            for codec in CODECS:
                key = (number, rate, codec)
                made[key] = _image(folder, f"i{number}-{codec}-r{rate:g}", layers, codec)
    return made


def _image(
    folder: Path, name: str, layers: Sequence[tuple[int, float, float]], codec: str
) -> list[tuple[int, int, int]]:
    found, descriptors, diffs = [], [], []
    for index, (files, megabytes, noise) in enumerate(layers):
        raw = _tar(f"{name} {index}", index, files, int(megabytes * 1e6), noise)
        data = gzip.compress(raw, 6) if codec == "gzip" else zstandard.compress(raw, 3)
        kind = f"application/vnd.oci.image.layer.v1.tar+{codec}"
        descriptors.append(_blob(folder, data, kind))
        diffs.append(f"sha256:{hashlib.sha256(raw).hexdigest()}")
        found.append((len(data), len(raw), files))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["x"]},
        "rootfs": {"type": "layers", "diff_ids": diffs},
    }
    kind = "application/vnd.oci.image.config.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _blob(folder, json.dumps(config).encode(), kind),
        "layers": descriptors,
    }
    digest = _blob(folder, json.dumps(manifest).encode(), manifest["mediaType"])["digest"]
    (folder / "tags" / name).write_text(digest.removeprefix("sha256:"))
    return found


def _tar(name: str, index: int, files: int, size: int, noise: float) -> bytes:
    """Files of one size, each begun with random bytes: `noise` of them."""
    drawn, buffer = random.Random(name), io.BytesIO()
    each = max(1, size // files)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(files):
            info = tarfile.TarInfo(f"l{index}/d{number % 17}/f{number}")
            random_part = drawn.randbytes(max(16, int(each * noise)))
            data = (random_part + b"some words of a text\n" * (each // 21 + 1))[:each]
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _blob(folder: Path, data: bytes, kind: str) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs" / digest).write_bytes(data)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}


def measured(
    folder: Path, store: str, made: dict[tuple[int, float, str], list[tuple[int, int, int]]]
) -> Iterator[Pulled]:
    """Every image of the registry pulled once, some once more, in an order drawn before."""
    order = [*made, *(key for key in made if key[0] < AGAIN)]
    random.Random(store).shuffle(order)
    tries: dict[tuple[int, float, str], list[float]] = {key: [] for key in made}
    with (
        engine(folder / store, STORES[store]) as (client, process),
        registry(folder / "registry", process) as port,
    ):
        for position, key in enumerate(order):
            number, rate, codec = key
            name = f"127.0.0.1:{port}/r{rate:g}/i{number}-{codec}-r{rate:g}"
            tries[key].append(_seconds(client, name))
            print(f"{store} {position + 1}/{len(order)} {tries[key][-1]:.2f} s", file=sys.stderr)
    for (number, rate, codec), seconds in tries.items():
        yield Pulled(store, number, rate, codec, made[number, rate, codec], seconds)


def _seconds(client: Any, name: str) -> float:
    """One pull, and nothing of it left."""
    begin = time.perf_counter()
    for said in client.api.pull(name, tag="t", stream=True, decode=True):
        if "error" in said:
            raise SystemExit(f"{name}: {said['error']}")
    seconds = time.perf_counter() - begin
    client.images.remove(f"{name}:t", force=True)
    return seconds


@contextmanager
def engine(folder: Path, config: str) -> Iterator[tuple[Any, int]]:
    """An engine of its own in a network of its own: a client, and its process."""
    import docker

    program = shutil.which("dockerd") or str(ENGINE_DATA / "packages/root/usr/sbin/dockerd")
    folder.mkdir()
    (folder / "daemon.json").write_text(config)
    places = {"config-file": "daemon.json", "data-root": "data", "exec-root": "x", "pidfile": "pid"}
    command = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$0" "$@"', program]
    command += ["--bridge=none", "--iptables=false", f"--host=unix://{folder}/sock"]
    command += [f"--{name}={folder / place}" for name, place in places.items()]
    paths = (Path(program).parent, ENGINE_DATA / "packages/root/usr/bin", os.environ["PATH"])
    environment = {**os.environ, "PATH": ":".join(map(str, paths))}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        for _ in range(300):
            time.sleep(0.2)
            try:
                client = docker.DockerClient(base_url=f"unix://{folder}/sock", timeout=None)
                client.ping()
                break
            except docker.errors.DockerException:
                continue
        else:
            raise SystemExit(f"no engine: {(folder / 'log').read_text()[-800:]}")
        yield client, server.pid
        client.close()
    finally:
        server.terminate()
        server.wait()


@contextmanager
def registry(folder: Path, process: int) -> Iterator[int]:
    """The registry inside the engine's network; its port."""
    script = str(Path(__file__).parent / "pull_registry.py")
    command = ["nsenter", "--net", "--target", str(process), sys.executable, script, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def predicted(one: Pulled, values: Parameters) -> float:
    layers = [
        Layer(str(number), wire, raw, files, one.codec)
        for number, (wire, raw, files) in enumerate(one.layers)
    ]
    return pull(layers, values.with_values(node_bandwidth=one.rate, **FREE)).seconds


def fitted(pulls: Sequence[Pulled]) -> Parameters:
    """Rates with the least squares of the errors' logarithms."""
    from scipy.optimize import least_squares

    start = [math.log(Parameters({})[name]) for name in FITTED]

    def values_of(point: Sequence[float]) -> Parameters:
        return Parameters({name: math.exp(at) for name, at in zip(FITTED, point, strict=True)})

    def errors(point: Sequence[float]) -> list[float]:
        values = values_of(point)
        wide = [0.05 * (at - begin) for at, begin in zip(point, start, strict=True)]
        return [math.log(predicted(one, values) / one.seconds) for one in pulls] + wide

    return values_of(least_squares(errors, start, loss="soft_l1", f_scale=0.2).x)


def judged(pulls: Sequence[Pulled], images: int) -> dict[str, Any]:
    numbers = list(range(images))
    random.Random("halves").shuffle(numbers)
    taught = set(numbers[: images // 2])
    rows, calibrated = [], {}
    for store in STORES:
        own = [one for one in pulls if one.store == store]
        values = fitted([one for one in own if one.image in taught])
        calibrated[store] = {name: values[name] for name in FITTED}
        for codec in CODECS:
            for rate in RATES:
                asked = [
                    one
                    for one in own
                    if one.codec == codec and one.rate == rate and one.image not in taught
                ]
                rows.append(
                    {"store": store, "codec": codec, "rate": rate}
                    | _errors(asked, values)
                    | {"default_median": _errors(asked, Parameters({}))["median"]}
                )
        asked = [one for one in own if one.image not in taught]
        rows.append(
            {"store": store, "codec": "all", "rate": None}
            | _errors(asked, values)
            | {"default_median": _errors(asked, Parameters({}))["median"]}
        )
    return {
        "images": images,
        "taught": sorted(taught),
        "rows": rows,
        "calibrated": calibrated,
        "noise": {store: _noise(pulls, store) for store in STORES},
        "pulls": [asdict(one) for one in pulls],
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def _noise(pulls: Sequence[Pulled], store: str) -> float:
    """How far the slower of two pulls of the same image is from the quicker, in the median."""
    twice = [one.tries for one in pulls if one.store == store and len(one.tries) > 1]
    return statistics.median(max(tries) / min(tries) - 1 for tries in twice)


def _errors(pulls: Sequence[Pulled], values: Parameters) -> dict[str, float]:
    found = sorted(abs(predicted(one, values) / one.seconds - 1) for one in pulls)
    return {
        "pulls": len(found),
        "median": statistics.median(found),
        "p90": found[min(len(found) - 1, int(len(found) * 0.9))],
        "worst": found[-1],
        "seconds": statistics.median(one.seconds for one in pulls),
    }


def table(result: dict[str, Any]) -> str:
    rows = [
        (
            row["store"],
            row["codec"],
            "all" if row["rate"] is None else f"{row['rate']:g} MB/s",
            str(row["pulls"]),
            f"{row['seconds']:.2f} s",
            f"{row['median']:.1%}",
            f"{row['p90']:.1%}",
            f"{row['worst']:.1%}",
            f"{row['default_median']:.1%}",
        )
        for row in result["rows"]
    ]
    head = ("store", "codec", "rate", "pulls", "median pull", "median error", "90 %", "worst")
    noise = ", ".join(f"{store} {share:.0%}" for store, share in result["noise"].items())
    said = (
        f"The same pull twice differed by (median): {noise}; load {result['machine']['load']:.0f}."
    )
    return f"{said}\n\n" + table_markdown((*head, "by defaults"), rows, right=range(3, 9))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
