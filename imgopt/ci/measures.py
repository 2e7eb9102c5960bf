"""What each rule measures: a figure now, the figure of the baseline, and the whole that a share is
taken of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.ci.entries import Entry
from imgopt.ci.facts import Facts
from imgopt.ci.rebuild import Rebuild
from imgopt.ci.settings import Budget, Rule
from imgopt.image import Tree
from imgopt.results.ci import FourSizes, Metric, Unit


@dataclass(frozen=True, slots=True)
class Measure:
    """`now` is None where it was not measured, and `reason` says why; `error` is what an estimate
    may be off by."""

    now: int | None
    before: int | None = None
    whole: int = 0
    unit: Unit = "bytes"
    error: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file of the final tree with all its names; `size` in bytes."""

    names: tuple[str, ...]
    size: int


def live_files(tree: Tree) -> tuple[LiveFile, ...]:
    """Every file once, whatever number of names it has."""
    names: dict[int, list[str]] = defaultdict(list)
    sizes: dict[int, int] = {}
    for node in tree.files():
        names[id(node.inode)].append(node.path)
        sizes[id(node.inode)] = node.size
    return tuple(LiveFile(tuple(paths), sizes[key]) for key, paths in names.items())


@dataclass(frozen=True, slots=True)
class Sides:
    """The image as it is, and its entry in the baseline."""

    facts: Facts
    before: Entry | None
    metric: Metric
    live: Sequence[LiveFile]
    """All files of the final tree; empty where no budget asks for them."""
    rebuild: Rebuild
    codecs: str | None = None
    """How the compression changed, where it did: wire sizes of both are no growth then."""


def size_measures(sides: Sides, rules: Mapping[str, Rule]) -> dict[str, Measure]:
    """The rules that have figures."""
    return {
        name: measure(sides, rules[name].metric or sides.metric)
        for name, measure in _MEASURES.items()
    }


def size_measure(name: str, sides: Sides, metric: Metric) -> Measure:
    """One of them, in another metric."""
    return _MEASURES[name](sides, metric)


def _total(sides: Sides, metric: Metric) -> Measure:
    before = sides.before.sizes if sides.before else None
    return _sized(sides.facts.sizes, before, metric)


def _own(sides: Sides, metric: Metric) -> Measure:
    now = _difference(sides.facts.sizes, sides.facts.base_sizes)
    if sides.before is None:
        return _sized(now, None, metric)
    base = sides.before.base.sizes if sides.before.base else _NOTHING
    return _sized(now, _difference(sides.before.sizes, base), metric)


def _base(sides: Sides, metric: Metric) -> Measure:
    before = (
        None if sides.before is None else sides.before.base.sizes if sides.before.base else _NOTHING
    )
    return _sized(sides.facts.base_sizes, before, metric)


def _wasted(sides: Sides, _: Metric) -> Measure:
    return _figure(sides, sides.facts.wasted, "wasted", sides.facts.sizes.payload)


def _junk(sides: Sides, _: Metric) -> Measure:
    return _figure(sides, sides.facts.junk, "junk", sides.facts.sizes.live)


def _layers(sides: Sides, _: Metric) -> Measure:
    before = sides.before.figures.get("layers") if sides.before else None
    return Measure(len(sides.facts.own_layers), before, unit="count")


def _rebuild(sides: Sides, _: Metric) -> Measure:
    before = sides.before.figures.get("rebuild") if sides.before else None
    return Measure(
        sides.rebuild.bytes, before, sides.facts.sizes.tar or 0, reason=sides.rebuild.reason
    )


_MEASURES: Mapping[str, Callable[[Sides, Metric], Measure]] = {
    "total": _total,
    "own-layers": _own,
    "base": _base,
    "wasted": _wasted,
    "junk": _junk,
    "layers": _layers,
    "rebuild": _rebuild,
}
_NOTHING = FourSizes(wire=0, tar=0, payload=0, live=0)


def path_measure(sides: Sides, budget: Budget) -> Measure:
    """Live bytes of all files that the glob matches (`**` and `*` cross slashes), base and own."""
    if not sides.facts.complete:
        return Measure(None, reason=_MANIFEST_ONLY)
    now = sum(
        file.size
        for file in sides.live
        if any(matches_path(name, budget.match) for name in file.names)
    )
    before = sides.before.figures.get(f"path {budget.match}") if sides.before else None
    return Measure(now, before, sides.facts.sizes.live or 0)


def package_measure(sides: Sides, budget: Budget) -> Measure:
    """Live bytes of all packages that the glob matches: "python:torch*", "deb:*", or a bare name in
    any ecosystem."""
    if not sides.facts.complete:
        return Measure(None, reason=_MANIFEST_ONLY)
    now = sum(
        facts.live
        for name, facts in sides.facts.packages.items()
        if matches_package(name, budget.match)
    )
    before = sides.before.figures.get(f"package {budget.match}") if sides.before else None
    return Measure(now, before, sides.facts.sizes.live or 0)


_MANIFEST_ONLY = "only the manifest was read; --pull reads the layers"


def matches_path(path: str, glob: str) -> bool:
    """A glob that ends in `/` or names a folder takes everything below it."""
    return fnmatchcase(path, glob.replace("**", "*")) or path.startswith(f"{glob.rstrip('/')}/")


def matches_package(name: str, glob: str) -> bool:
    return fnmatchcase(name, glob) or (
        ":" not in glob and fnmatchcase(name.partition(":")[2], glob)
    )


def _figure(sides: Sides, now: int, name: str, whole: int | None) -> Measure:
    if not sides.facts.complete:
        return Measure(None, reason=_MANIFEST_ONLY)
    before = sides.before.figures.get(name) if sides.before else None
    return Measure(now, before, whole or 0)


def _sized(now: FourSizes, before: FourSizes | None, metric: Metric) -> Measure:
    size = now.of(metric)
    reason = (
        _MANIFEST_ONLY
        if size is None and metric != "wire"
        else "the wire size of a layer is not known"
    )
    was = before.of(metric) if before else None
    error = now.wire_error + (before.wire_error if before else 0) if metric == "wire" else 0
    return Measure(
        size, was, whole=was if was is not None else size or 0, error=error, reason=reason
    )


def _difference(whole: FourSizes, part: FourSizes) -> FourSizes:
    def minus(metric: Metric) -> int | None:
        one, other = whole.of(metric), part.of(metric)
        return None if one is None or other is None else one - other

    return FourSizes(
        wire=minus("wire"),
        tar=minus("tar"),
        payload=minus("payload"),
        live=minus("live"),
        wire_error=whole.wire_error,
    )
