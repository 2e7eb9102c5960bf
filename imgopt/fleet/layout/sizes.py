"""How an image's bytes fall into groups, layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from imgopt.analysis.steps import Step
from imgopt.fleet.layout.grouping import GroupName, Names
from imgopt.image import Image
from imgopt.image.layer import Layer
from imgopt.image.packages import find_packages
from imgopt.image.wire import wire_size

_COPIES = ("COPY", "ADD")
LANGUAGES = {"python": "python", "conda": "python", "node": "node", "gem": "ruby"}
"""Kinds of packages that lie in files of their own -> whose table of heavy names holds. Those that
are linked into a program move with it, whatever changes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A package: its share of its layer's wire bytes."""

    name: str
    group: GroupName
    size: int


_Part = tuple[str, GroupName, int, str]
"""A package: its name, group, bytes and ecosystem."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """`layers`: wire bytes by group in each layer, from the lowest up; `members`: packages, the
    largest first."""

    layers: tuple[dict[GroupName, int], ...]
    members: tuple[Member, ...]
    languages: frozenset[str] = frozenset()
    """Ecosystems of which packages lie over the base."""

    def of(self, group: GroupName) -> int:
        return sum(layer.get(group, 0) for layer in self.layers)


def sizes_of(image: Image, steps: Sequence[Step], names: Names) -> Sizes:
    """Packages of languages by name, what was copied, and the rest; a package counts where it was
    installed."""
    by_layer = {step.layer: step for step in steps if step.layer is not None}
    owned = _owned(image, names)
    kinds = sorted({group for parts in owned.values() for _, group, _, _ in parts})
    layers: list[dict[GroupName, int]] = []
    members: list[Member] = []
    for number, layer in enumerate(image.layers):
        step = by_layer.get(number)
        wire = wire_size(layer)
        size = wire.bytes if wire is not None else 0
        if _is_base(step):
            layers.append({"base": size})
            continue
        payload = 0 if layer.missing else max(1, layer.payload_bytes)
        found: Counter[GroupName] = Counter()
        for name, group, part, _ in owned.get(number, ()):
            share = min(size, round(size * part / payload)) if payload else 0
            found[group] += share
            members.append(Member(name, group, share))
        rest = size - sum(found.values())
        if step is None or step.keyword not in _COPIES:
            found["system"] += rest
        elif kinds and _lists_packages(layer, names):  # it changes with any of them
            found.update(dict.fromkeys(kinds, 0))
            found[kinds[-1]] += rest
        else:
            found["code"] += rest
        layers.append(dict(found))
    languages = {
        language
        for number, parts in owned.items()
        if not _is_base(by_layer.get(number))
        for *_, language in parts
    }
    ordered = sorted(members, key=lambda one: (-one.size, one.name))
    return Sizes(tuple(layers), tuple(ordered), frozenset(languages))


def _is_base(step: Step | None) -> bool:
    return bool(step is not None and step.base)


def _lists_packages(layer: Layer, names: Names) -> bool:
    """Whether it holds nothing but lists of packages."""
    if layer.missing:
        return False
    copied = [entry.path for entry in layer.entries() if entry.kind == "file"]
    return bool(copied) and all(names.is_list(path.rpartition("/")[2]) for path in copied)


def _owned(image: Image, names: Names) -> dict[int, list[_Part]]:
    """Layer -> packages of languages that it installed."""
    found: dict[int, list[_Part]] = {}
    for package in find_packages(image.tree()):
        if package.inside is None and package.ecosystem in LANGUAGES:
            language = LANGUAGES[package.ecosystem]
            group = names.group(package.name, language)
            part = (package.name, group, package.bytes, language)
            found.setdefault(package.layer, []).append(part)
    return found
