"""From releases to a result: the model asked for one image, project or repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from imgopt.fleet.cost.model import Layer, Pull, in_zstd, pull, ready, rollout, updates
from imgopt.fleet.cost.parameters import Parameters, known
from imgopt.results.fleet import (
    CostLayer,
    CostSubject,
    History,
    Lever,
    PullCost,
    RolloutCost,
    UsedParameter,
)

MONTH = 30 * 24 * 3600.0
HALF = 2


@dataclass(frozen=True, slots=True)
class Series:
    """Releases of one name, oldest first, as tuples of layers from the lowest up; `per_month` None:
    nothing says how often. `next` is the command that does something about the cost."""

    name: str
    history: History
    releases: tuple[tuple[Layer, ...], ...]
    per_month: float | None = None
    notes: tuple[str, ...] = ()
    next: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a release is rolled out: maxSurge and maxUnavailable as Kubernetes writes them."""

    surge: str = "25%"
    unavailable: str = "25%"


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is asked of each way to ship the same series."""

    bytes_per_node_month: float
    update: tuple[Layer, ...]
    ready_seconds: float
    rollout_seconds: float


def estimate(series: Series, values: Parameters, plan: Plan) -> CostSubject:
    """The cost of a series of at least one release."""
    per_month = series.per_month if series.per_month is not None else values["releases_per_month"]
    moved = _moved(series, values)
    figures = _figures(series, values, plan, per_month)
    newest = series.releases[-1]
    rolled = rollout(plan.surge, plan.unavailable, values, figures.update)
    share = _seed_share(values)
    fleet = figures.bytes_per_node_month * values.count("nodes") * share
    return CostSubject(
        name=series.name,
        history=series.history,
        releases=len(series.releases),
        releases_per_month=per_month,
        wire=sum(layer.wire for layer in newest),
        estimated=any(layer.estimated for layer in newest),
        cold=_pull_cost(newest, values),
        update=_pull_cost(figures.update, values),
        rollout=RolloutCost(
            pods=values.replicas,
            surge=plan.surge,
            unavailable=plan.unavailable,
            batch=rolled.batch,
            waves=rolled.waves,
            seconds=rolled.seconds,
        ),
        bytes_per_node_month=round(figures.bytes_per_node_month),
        bytes_per_month=round(fleet),
        dollars_per_month=fleet / 1e9 * values["price_per_gb"],
        layers=_by_label(series, moved, per_month, values),
        levers=sorted(
            _levers(series, values, plan, per_month), key=lambda one: one.bytes_per_node_month
        ),
        notes=list(series.notes),
        next=series.next,
    )


def _seed_share(values: Parameters) -> float:
    """Of the nodes, those that fetch from the registry."""
    seeds, nodes = values["seeds"], values["nodes"]
    return min(1.0, seeds / nodes) if seeds else 1.0


def _moved(series: Series, values: Parameters) -> tuple[tuple[Layer, ...], ...]:
    """What each release moves. Without a history: each moves all that is not the base's."""
    if len(series.releases) > 1:
        return updates(series.releases, values.count("kept_releases"))
    return (tuple(layer for layer in series.releases[0] if not (layer.base or layer.still)),)


def _base_bytes(series: Series, values: Parameters) -> float:
    """Per node and month, of a base that changes by itself: a history of tags shows it, commits and
    a single image do not."""
    if series.history == "tags":
        return 0.0
    base = sum(layer.wire for layer in series.releases[-1] if layer.base)
    return base * values["base_changes_per_month"]


def _figures(series: Series, values: Parameters, plan: Plan, per_month: float) -> _Figures:
    moved = _moved(series, values)
    mean = sum(layer.wire for layers in moved for layer in layers) / len(moved)
    whole = sum(layer.wire for layer in series.releases[-1])
    month = mean * per_month + _base_bytes(series, values) + whole * values["new_nodes_per_month"]
    update = _typical(moved)
    return _Figures(
        month,
        update,
        ready(pull(update, values), values).seconds,
        rollout(plan.surge, plan.unavailable, values, update).seconds,
    )


def _typical(moved: Sequence[tuple[Layer, ...]]) -> tuple[Layer, ...]:
    """The update of median size among those that move something."""
    some = [layers for layers in moved if layers]
    if not some:
        return ()
    middle = median_low([sum(layer.wire for layer in layers) for layers in some])
    return next(layers for layers in some if sum(one.wire for one in layers) == middle)


def _pull_cost(layers: Sequence[Layer], values: Parameters) -> PullCost:
    pulled: Pull = pull(layers, values)
    whole = ready(pulled, values)
    return PullCost(
        wire=pulled.size,
        layers=len(layers),
        download_seconds=pulled.download,
        unpack_seconds=pulled.unpack,
        pull_seconds=pulled.seconds,
        ready_seconds=whole.seconds,
        pull_share=whole.pull_share,
        start_bound=whole.start_bound,
    )


def _by_label(
    series: Series, moved: Sequence[tuple[Layer, ...]], per_month: float, values: Parameters
) -> list[CostLayer]:
    """What each instruction's layers move, the dearest first."""
    often: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for layers in moved:
        often.update({layer.label for layer in layers})
        for layer in layers:
            size[layer.label] += layer.wire
    scale = per_month / len(moved)
    wire: Counter[str] = Counter()
    for layer in series.releases[-1]:
        wire[layer.label] += layer.wire
    for label in set(often) - set(wire):
        wire[label] = 0
    fixed = _of_base(series, values)
    found = [
        CostLayer(
            label=label,
            wire=wire[label],
            changes_per_month=often[label] * scale + fixed.get(label, (0.0, 0.0))[0],
            bytes_per_node_month=round(size[label] * scale + fixed.get(label, (0.0, 0.0))[1]),
        )
        for label in wire
    ]
    return sorted(found, key=lambda one: (-one.bytes_per_node_month, -one.wire, one.label))


def _of_base(series: Series, values: Parameters) -> dict[str, tuple[float, float]]:
    """Label -> changes and bytes a month of a base that changes by itself."""
    if series.history == "tags":
        return {}
    often = values["base_changes_per_month"]
    size: Counter[str] = Counter()
    for layer in series.releases[-1]:
        if layer.base:
            size[layer.label] += layer.wire
    return {label: (often, many * often) for label, many in size.items()}


def _levers(series: Series, values: Parameters, plan: Plan, per_month: float) -> Iterator[Lever]:
    """The same series as it would be with one thing changed."""
    zstd = _changed(series, lambda layer: in_zstd(layer, values))
    if zstd.releases != series.releases:
        yield _lever("zstd", "layers compressed by zstd", zstd, values, plan, per_month)
    half = _changed(
        series,
        lambda layer: (
            layer
            if layer.base
            else replace(
                layer, wire=layer.wire // HALF, raw=layer.raw // HALF, files=layer.files // HALF
            )
        ),
    )
    yield _lever("half", "half the bytes over the base", half, values, plan, per_month)
    if series.history == "assumed" and len(_moved(series, values)[0]) > 1:
        top = series.releases[-1][-1]
        above = _changed(series, lambda layer: replace(layer, still=layer is not top))
        what = "only the last layer changes with a release"
        yield _lever("layout", what, above, values, plan, per_month)


def _changed(series: Series, change: Callable[[Layer], Layer]) -> Series:
    return replace(
        series,
        releases=tuple(tuple(change(layer) for layer in each) for each in series.releases),
    )


def _lever(
    name: str, what: str, series: Series, values: Parameters, plan: Plan, per_month: float
) -> Lever:
    figures = _figures(series, values, plan, per_month)
    return Lever(
        name=name,
        what=what,
        bytes_per_node_month=round(figures.bytes_per_node_month),
        ready_seconds=figures.ready_seconds,
        rollout_seconds=figures.rollout_seconds,
    )


def used(values: Parameters) -> list[UsedParameter]:
    """The figures behind a result, those that the user gave first."""
    found = [
        UsedParameter(
            name=one.name,
            what=one.what,
            value=values[one.name],
            unit=one.unit,
            given=one.name in values.given,
            source="given" if one.name in values.given else one.source,
        )
        for one in known()
    ]
    return sorted(found, key=lambda one: not one.given)
