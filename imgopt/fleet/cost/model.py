"""The model: bytes that a release moves to a node, seconds until it is ready, and a rollout's time.

Values in, values out: sizes in bytes, times in seconds, rates in bytes a second. As engines and
containerd pull: up to so many layers are fetched at a time in the manifest's order, each over one
connection, and they are unpacked one after the other in that order as they arrive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imgopt.errors import InputError
from imgopt.fleet.cost.parameters import Parameters

START_BOUND = 0.05
"""The share of the time to readiness below which the pull does not decide it."""
_RATES = {"gzip": "gzip_rate", "zstd": "zstd_rate"}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of one release. `estimated`: raw bytes and files follow from the wire size by
    rules of thumb. `base`: of the base image; `still`: no release moves it."""

    digest: str
    wire: int
    raw: int
    files: int
    codec: str = "gzip"
    label: str = ""
    estimated: bool = False
    base: bool = False
    still: bool = False


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull on one node. `download` is when the last byte came, `unpack` the work of unpacking
    alone, `seconds` the end of both; `size` in bytes."""

    size: int
    download: float
    unpack: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Ready:
    """From a pod's making to its first good answer; `pull_share` of 1."""

    pull: Pull
    seconds: float
    pull_share: float

    @property
    def start_bound(self) -> bool:
        """Whether even an image of no size would change this by less than a twentieth."""
        return self.pull_share < START_BOUND


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rolling update: `batch` pods at a time in `waves`, the first `pulling` of which fetch."""

    batch: int
    waves: int
    pulling: int
    seconds: float


def unpack_seconds(layer: Layer, values: Parameters) -> float:
    """One layer, decompressed and written by one core."""
    rate = values.rate(_RATES.get(layer.codec, "plain_rate"))
    return (
        layer.raw / rate
        + layer.raw / values.rate("disk_rate")
        + layer.files * values["file_seconds"]
        + values["layer_seconds"]
    )


def downloads(sizes: Sequence[int], node: float, connection: float, streams: int) -> list[float]:
    """When each layer is there: connections share the node's bandwidth evenly, none has more than
    its own."""
    ends, now = [0.0] * len(sizes), 0.0
    left: dict[int, float] = {}
    waiting = list(range(len(sizes)))
    while waiting or left:
        while waiting and len(left) < streams:
            number = waiting.pop(0)
            left[number] = float(sizes[number])
        rate = min(connection, node / len(left))
        step = min(left.values()) / rate
        now += step
        for number in list(left):
            left[number] -= step * rate
            if left[number] <= sizes[number] * 1e-12:
                ends[number] = now
                del left[number]
    return ends


def pull(layers: Sequence[Layer], values: Parameters, active: int = 1) -> Pull:
    """What a node fetches while `active` nodes do. Nothing to fetch takes no time: the engine asks
    for nothing."""
    if not layers:
        return Pull(0, 0.0, 0.0, 0.0)
    node = min(values.rate("node_bandwidth"), values.rate("registry_bandwidth") / max(1, active))
    came = downloads(
        [layer.wire for layer in layers],
        node,
        values.rate("connection_bandwidth"),
        max(1, values.count("download_streams")),
    )
    work = [unpack_seconds(layer, values) for layer in layers]
    end = _unpacked(came, work, max(1, values.count("unpack_streams")))
    return Pull(
        sum(layer.wire for layer in layers), max(came), sum(work), values["pull_seconds"] + end
    )


def _unpacked(came: Sequence[float], work: Sequence[float], workers: int) -> float:
    """When the last is unpacked: in order, each by the first worker that is free."""
    free = [0.0] * workers
    for there, seconds in zip(came, work, strict=True):
        free.sort()
        free[0] = max(free[0], there) + seconds
    return max(free)


def ready(pulled: Pull, values: Parameters) -> Ready:
    """T_sched + T_pull + T_start + T_app."""
    rest = values["schedule_seconds"] + values["start_seconds"] + values["app_seconds"]
    whole = pulled.seconds + rest
    return Ready(pulled, whole, pulled.seconds / whole if whole else 0.0)


def allowed(word: str, replicas: int, *, up: bool) -> int:
    """Pods of a maxSurge (`up`: percentages are rounded up) or maxUnavailable. Raises InputError.

    >>> allowed("25%", 10, up=True), allowed("25%", 10, up=False), allowed("3", 10, up=True)
    (3, 2, 3)
    """
    number = word.strip().removesuffix("%")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise InputError(f"{word!r} is not a number of pods", hint="for instance 3 or 25%")
    if not word.strip().endswith("%"):
        return int(number)
    share = int(number) * replicas
    return -(-share // 100) if up else share // 100


def rollout(surge: str, unavailable: str, values: Parameters, layers: Sequence[Layer]) -> Rollout:
    """A rolling update to a release of which a node still has to fetch `layers`.

    Waves of maxSurge + maxUnavailable pods (Kubernetes: `ResolveFenceposts` takes one pod where
    both are none). The first pod of a node fetches; pods are spread over the nodes. Controllers
    replace so many pods a second at most: a wave begins spread out by that, and where it is longer
    than a pod takes, it is what decides.
    """
    replicas = values.replicas
    more, fewer = (
        allowed(surge, replicas, up=True),
        min(replicas, allowed(unavailable, replicas, up=False)),
    )
    batch = min(replicas, max(1, more + fewer))
    waves = math.ceil(replicas / batch)
    nodes = min(values.count("nodes"), replicas)
    pulling = min(waves, math.ceil(nodes / batch)) if layers else 0
    pulled = ready(pull(layers, values, active=min(batch, nodes)), values).seconds
    there = ready(pull((), values), values).seconds
    between = values["min_ready_seconds"] + values["wave_seconds"]
    rate = values["pods_per_second"]
    slowest = (pulled if pulling else there) + between
    waiting = pulling * pulled + (waves - pulling) * there + waves * between + batch / rate
    return Rollout(batch, waves, pulling, max(waiting, replicas / rate + slowest))


def missing(layers: Sequence[Layer], cached: frozenset[str]) -> tuple[Layer, ...]:
    """What a node with those layers has to fetch; the same layer twice is fetched once."""
    seen = set(cached)
    found = []
    for layer in layers:
        if layer.digest not in seen:
            seen.add(layer.digest)
            found.append(layer)
    return tuple(found)


def updates(releases: Sequence[Sequence[Layer]], kept: int) -> tuple[tuple[Layer, ...], ...]:
    """What each release after the first moves to a node that has those of `kept` before it."""
    return tuple(
        missing(
            releases[number],
            frozenset(
                layer.digest
                for earlier in releases[max(0, number - max(1, kept)) : number]
                for layer in earlier
            ),
        )
        for number in range(1, len(releases))
    )


def in_zstd(layer: Layer, values: Parameters) -> Layer:
    """The same layer in zstd; what is no gzip stays as it is."""
    if layer.codec != "gzip":
        return layer
    return replace(layer, codec="zstd", wire=round(layer.wire * values["zstd_ratio"]))
