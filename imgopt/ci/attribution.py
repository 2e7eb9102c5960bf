"""Explains a change in size three times: by instruction, by package, by path; each time the parts
sum to the whole.

Packages and paths are counted in payload bytes, the only ones that a file has. The difference to
another metric (headers and padding of the tar, compression, bytes that are not live) is a row of
its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from imgopt.ci.entries import BaseRecord, Entry, LayerRecord
from imgopt.ci.facts import Facts
from imgopt.ci.lines import Origin
from imgopt.ci.partition import line_of, narrowed
from imgopt.results.ci import Attribution, Cause, FourSizes, Metric, Place

_RESTS: Mapping[Metric, str] = {
    "tar": "headers and padding of the layer tars",
    "wire": "compression",
    "live": "shipped, but not in the final tree",
    "payload": "rounding",
}
NO_PACKAGE = "files of no package"
_ALIKE = 0.6
"""From this likeness on, two instructions are one that was edited."""


@dataclass(frozen=True, slots=True)
class Now:
    """The image as it is: `origins` of its own layers, and where things are written."""

    facts: Facts
    base: BaseRecord | None
    origins: Sequence[Origin]
    place_of: Callable[[Origin], Place | None]
    places_of_package: Callable[[str], tuple[list[Place], str]]
    """Places that ask for a package, and a word on who needs it."""


def attribute(before: Entry, now: Now, metric: Metric) -> Attribution:
    """Raises nothing: the sizes of `metric` must be known on both sides."""
    whole = before.sizes.of(metric) or 0, now.facts.sizes.of(metric) or 0
    base = _base(before.base, now.base, metric)
    own = whole[1] - whole[0] - (base.delta if base else 0)
    rest = _rest(before, now, metric, own)
    return Attribution(
        metric=metric,
        before=whole[0],
        after=whole[1],
        base=base,
        instructions=_instructions(before.layers, now, metric),
        packages=_sorted([*_packages(before, now), *rest]) if rest is not None else [],
        paths=_sorted([*_paths(before, now), *rest]) if rest is not None else [],
    )


def _base(before: BaseRecord | None, after: BaseRecord | None, metric: Metric) -> Cause | None:
    if before is None and after is None:
        return None
    old, new = before or BaseRecord(), after or BaseRecord()
    detail = ""
    if old.chain != new.chain:
        names = [_base_name(old), _base_name(new)]
        detail = f"{names[0]} -> {names[1]}"
    return Cause(
        name=new.reference or old.reference or "base image",
        before=old.sizes.of(metric) or 0,
        after=new.sizes.of(metric) or 0,
        detail=detail,
    )


def _base_name(base: BaseRecord) -> str:
    short = base.chain.removeprefix("sha256:")[:12] or "nothing"
    return f"{base.reference} ({short})" if base.reference else short


def _rest(before: Entry, now: Now, metric: Metric, own: int) -> list[Cause] | None:
    """The row that leads from payload to the metric; None where a side was never looked into."""
    old, new = _own(before.layers, "payload"), _own_now(now, "payload")
    if old is None or new is None:
        return None
    wanted = _own(before.layers, metric) or 0, _own_now(now, metric) or 0
    if (new - old) == own:
        return []
    return [Cause(name=_RESTS[metric], before=wanted[0] - old, after=wanted[1] - new, rest=True)]


def _own(layers: Sequence[LayerRecord], metric: Metric) -> int | None:
    sizes = [getattr(layer, metric) for layer in layers]
    return None if None in sizes else sum(sizes)


def _own_now(now: Now, metric: Metric) -> int | None:
    sizes = [layer.sizes.of(metric) for layer in now.facts.own_layers]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _instructions(before: Sequence[LayerRecord], now: Now, metric: Metric) -> list[Cause]:
    pairs = match_layers(before, now)
    causes = []
    for old, new in pairs:
        was = getattr(before[old], metric) or 0 if old is not None else 0
        size: FourSizes = now.facts.own_layers[new].sizes if new is not None else FourSizes()
        text = now.origins[new].text if new is not None else before[old or 0].text
        place = now.place_of(now.origins[new]) if new is not None else None
        detail = "new" if old is None else "removed" if new is None else ""
        if old is not None and new is not None and before[old].key != now.origins[new].key:
            detail = f"was: {before[old].text}"
        causes.append(
            Cause(
                name=text,
                before=was,
                after=size.of(metric) or 0,
                places=[place] if place else [],
                detail=detail,
            )
        )
    return _sorted(causes)


def match_layers(before: Sequence[LayerRecord], now: Now) -> list[tuple[int | None, int | None]]:
    """Pairs of own layers: by instruction (moved ones too), then by content, then by likeness;
    None: no partner."""
    old, new = list(range(len(before))), list(range(len(now.origins)))
    keys, diffs = [layer.key for layer in before], [layer.diff for layer in now.facts.own_layers]
    pairs: list[tuple[int | None, int | None]] = []
    in_order = SequenceMatcher(None, keys, [origin.key for origin in now.origins], autojunk=False)
    for block in in_order.get_matching_blocks():
        pairs += [(block.a + step, block.b + step) for step in range(block.size)]
    _remove(old, new, pairs)
    pairs += _pair(old, new, lambda a, b: float(keys[a] == now.origins[b].key))
    _remove(old, new, pairs)
    pairs += _pair(old, new, lambda a, b: float(before[a].diff == diffs[b]))
    _remove(old, new, pairs)
    pairs += _pair(old, new, lambda a, b: _likeness(before[a].text, now.origins[b].text))
    _remove(old, new, pairs)
    return [*pairs, *((number, None) for number in old), *((None, number) for number in new)]


def _pair(
    old: list[int], new: list[int], likeness: Callable[[int, int], float]
) -> list[tuple[int | None, int | None]]:
    """The best partners first; each layer once."""
    ranked = sorted((-likeness(a, b), a, b) for a in old[:200] for b in new[:200])
    used: set[tuple[str, int]] = set()
    pairs: list[tuple[int | None, int | None]] = []
    for score, a, b in ranked:
        if -score < _ALIKE:
            break
        if ("old", a) not in used and ("new", b) not in used:
            used |= {("old", a), ("new", b)}
            pairs.append((a, b))
    return pairs


def _remove(old: list[int], new: list[int], pairs: Sequence[tuple[int | None, int | None]]) -> None:
    gone_old, gone_new = {a for a, _ in pairs}, {b for _, b in pairs}
    old[:] = [number for number in old if number not in gone_old]
    new[:] = [number for number in new if number not in gone_new]


def _likeness(one: str, other: str) -> float:
    if one.partition(" ")[0] != other.partition(" ")[0]:
        return 0.0
    return SequenceMatcher(None, one.split()[:200], other.split()[:200], autojunk=False).ratio()


def _packages(before: Entry, now: Now) -> list[Cause]:
    after = {name: package.own for name, package in now.facts.packages.items() if package.own}
    smallest = min(before.packages.values(), default=0) if before.small_packages else 0
    names = {*before.packages, *(name for name, size in after.items() if size > smallest)}
    causes = [
        _package(name, before.packages.get(name, 0), after.get(name, 0), now) for name in names
    ]
    small = sum(size for name, size in after.items() if name not in names)
    if small or before.small_packages:
        causes.append(
            Cause(name="small packages", before=before.small_packages, after=small, rest=True)
        )
    was = sum(before.packages.values()) + before.small_packages
    unowned = (
        (_own(before.layers, "payload") or 0) - was,
        (_own_now(now, "payload") or 0) - sum(after.values()),
    )
    causes.append(Cause(name=NO_PACKAGE, before=unowned[0], after=unowned[1]))
    return [cause for cause in causes if cause.delta]


def _package(name: str, before: int, after: int, now: Now) -> Cause:
    if after <= before:
        return Cause(name=name, before=before, after=after)
    places, who = now.places_of_package(name)
    version = now.facts.packages[name].version
    detail = ", ".join(part for part in (version, "new" if not before else "", who) if part)
    return Cause(name=name, before=before, after=after, places=places, detail=detail)


def _paths(before: Entry, now: Now) -> list[Cause]:
    grouped: dict[str, dict[str, int]] = defaultdict(dict)
    for path, size in now.facts.paths.items():
        grouped[line_of(path, before.paths)][path] = size
    causes = []
    for line in {*before.paths, *grouped}:
        files = grouped.get(line, {})
        was, size = before.paths.get(line, 0), sum(files.values())
        if size == was:
            continue
        causes.append(_path(line, was, size, files, now))
    return causes


def _path(line: str, before: int, after: int, files: Mapping[str, int], now: Now) -> Cause:
    """A line that grew is named by what grew in it, as far as that can be told from a total."""
    if after < before:
        return Cause(name=line, before=before, after=after)
    name = narrowed(line, after - before, files)
    inside = {
        path: size
        for path, size in files.items()
        if path == name or path.startswith(f"{name.rstrip('/')}/")
    }
    largest = max(inside, key=lambda path: (inside[path], path))
    layer = now.facts.path_layers.get(largest)
    place = now.place_of(now.origins[layer - now.facts.base_layers]) if layer is not None else None
    detail = f"in {line}" if name != line else "" if name == largest else f"largest: {largest}"
    return Cause(
        name=name, before=before, after=after, places=[place] if place else [], detail=detail
    )


def _sorted(causes: Sequence[Cause]) -> list[Cause]:
    return sorted(
        (cause for cause in causes if cause.delta),
        key=lambda cause: (-abs(cause.delta), cause.name),
    )
