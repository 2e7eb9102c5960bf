"""Which bases images stand on, known by their layers; and the fewest that would serve all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from imgopt.fleet.findings.weights import View, pulls
from imgopt.fleet.scan.census import moment
from imgopt.fleet.scan.facts import Facts
from imgopt.fleet.scan.model import FleetImage

Chain = tuple[str, ...]


@dataclass
class Base:
    """Layers that images begin with, and those images."""

    chain: Chain
    name: str
    created: str | None
    platform: str
    images: list[FleetImage] = field(default_factory=list)
    system: str = ""
    packages: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    known: bool = False
    """All of its layers were read."""

    @property
    def weight(self) -> int:
        return sum(pulls(image) for image in self.images)


def base_layers(view: View) -> dict[tuple[str, str], int]:
    """(repository, image) -> how many of its layers are its base's.

    A base is another image of the fleet as a whole, or what images of several repositories begin
    with; of an image with neither it is the lowest layer.
    """
    whole = {image.blobs for image in view.images}
    owners: dict[Chain, set[str]] = defaultdict(set)
    for image in view.images:
        for depth in range(1, len(image.blobs)):
            owners[image.blobs[:depth]].add(image.repository)
    found = {}
    for image in view.images:
        depths = range(len(image.blobs) - 1, 0, -1)
        named = next((depth for depth in depths if image.blobs[:depth] in whole), 0)
        shared = next((depth for depth in depths if len(owners[image.blobs[:depth]]) > 1), 0)
        lowest = min(1, max(0, len(image.blobs) - 1))
        found[image.repository, image.digest] = named or shared or lowest
    return found


def census_of_bases(
    view: View, facts: Mapping[str, Facts], programs: Mapping[str, frozenset[str]]
) -> list[Base]:
    """Those with most images first. `programs` are the commands that each blob has."""
    depth = base_layers(view)
    names = {image.blobs: image for image in reversed(view.images)}
    found: dict[tuple[Chain, str], Base] = {}
    for image in view.images:
        chain = image.blobs[: depth[image.repository, image.digest]]
        if not chain:
            continue
        base = found.get((chain, image.platform))
        if base is None:
            base = found[chain, image.platform] = _base(view, chain, image, names.get(chain))
            _learn(base, facts, programs)
        base.images.append(image)
    return sorted(found.values(), key=lambda base: (-len(base.images), base.name))


def _base(view: View, chain: Chain, image: FleetImage, named: FleetImage | None) -> Base:
    top = image.layers[len(chain) - 1]
    name = view.name(named) if named is not None else f"layers up to {chain[-1][:19]}"
    created = (named.created if named is not None else None) or top.created
    return Base(chain, name, created, image.platform)


def _learn(base: Base, facts: Mapping[str, Facts], programs: Mapping[str, frozenset[str]]) -> None:
    known = [facts.get(blob) for blob in base.chain]
    base.known = all(each is not None and each.status == "read" for each in known)
    told = [each for each in known if each is not None]
    base.system = next((each.system for each in reversed(told) if each.system), "")
    base.packages = frozenset(name for each in told for name in each.packages)
    base.programs = frozenset(
        path for blob in base.chain for path in programs.get(blob, frozenset())
    )


def fewest(bases: list[Base]) -> dict[int, list[Base]]:
    """Number of a chosen base in the list -> those that it could stand in for, itself included.

    One serves another when it is of the same platform and system, and has all of its packages and
    programs by name. Greedy set cover: the one that serves most is chosen first, and of several the
    newest. A base whose layers or whose system are not known serves itself alone.
    """
    serves = {
        number: [n for n, other in enumerate(bases) if _serves(base, other)]
        for number, base in enumerate(bases)
    }
    left, chosen = set(range(len(bases))), dict[int, list[Base]]()
    while left:
        best = max(
            serves,
            key=lambda number: (
                sum(bases[n].weight for n in serves[number] if n in left),
                _time(bases[number]),
                -len(bases[number].chain),
                -number,
            ),
        )
        taken = [number for number in serves[best] if number in left]
        chosen[best] = [bases[number] for number in taken]
        left.difference_update(taken)
    return chosen


def _serves(base: Base, other: Base) -> bool:
    if base is other:
        return True
    same = (base.platform, base.system) == (other.platform, other.system)
    known = base.known and other.known and bool(base.system)
    return same and known and other.packages <= base.packages and other.programs <= base.programs


def _time(base: Base) -> float:
    made = moment(base.created)
    return made.timestamp() if made is not None else 0.0
