"""The ways to lay groups into layers, and which moves least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from imgopt.fleet.cost.parameters import Parameters
from imgopt.fleet.layout.expected import Group, Placed, expected, replayed
from imgopt.fleet.layout.grouping import ORDER, GroupName
from imgopt.fleet.layout.releases import Releases, with_bases
from imgopt.fleet.layout.sizes import Sizes
from imgopt.results.fleet import LayoutGroup, LayoutOption

_MEMBERS = 12
LINKED = ("installed-linked", "heavy-light-linked")
ASSUMED: Mapping[GroupName, float] = {"system": 0.0, "heavy": 1.0, "light": 6.0}
"""Changes a month where no history says it: the worked example's."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each group changes a month, by the releases of a history or by assumption."""

    per_month: float
    changes: Mapping[GroupName, float]
    releases: tuple[frozenset[GroupName], ...]


def rates_of(releases: Releases | None, values: Parameters) -> Rates:
    """Without a history each release changes the code."""
    base = values["base_changes_per_month"]
    if releases is None:
        month = values["releases_per_month"]
        return Rates(month, {**ASSUMED, "base": base, "code": month}, ())
    month = releases.per_month if releases.per_month is not None else values["releases_per_month"]
    made = with_bases(releases.changed, month, base)
    counted = Releases(made)
    return Rates(month, {name: counted.rate(name, month) for name in ORDER}, made)


def groups_of(sizes: Sizes, rates: Rates) -> list[LayoutGroup]:
    """Groups that have bytes, from the lowest up."""
    found = []
    for name in ORDER:
        size = sizes.of(name)
        members = [one.name for one in sizes.members if one.group == name]
        if size:
            found.append(
                LayoutGroup(
                    name=name,
                    wire=size,
                    changes_per_month=rates.changes.get(name, 0.0),
                    members=members[:_MEMBERS],
                    member_count=len(members),
                )
            )
    return found


def options_of(sizes: Sizes, rates: Rates) -> list[LayoutOption]:
    """Each way with its bytes, the least first. Proposed is the least of those that need no
    installation which gives the same bytes twice."""
    made = [_option(name, what, layers, rates) for name, what, layers in _ways(sizes, rates)]
    made.sort(key=lambda one: (_weight(one), one.name != "today"))
    best = next(one for one in made if one.name not in LINKED)
    return [structs.replace(one, proposed=one is best) for one in made]


def _weight(option: LayoutOption) -> int:
    seen = option.replayed_bytes_per_node_month
    return option.expected_bytes_per_node_month if seen is None else seen


def _ways(sizes: Sizes, rates: Rates) -> Iterator[tuple[str, str, Sequence[Placed]]]:
    group = {
        name: Group(name, sizes.of(name), rates.changes.get(name, 0.0))
        for name in ORDER
        if sizes.of(name)
    }

    def layer(*names: GroupName, independent: bool = False) -> Placed:
        return Placed(
            "+".join(names), tuple(group[name] for name in names if name in group), independent
        )

    apart = {"heavy", "light"} <= group.keys()
    together = layer("heavy", "light")
    yield "today", "as the image lies now", _as_it_is(sizes, group)
    yield (
        "one",
        "all in one: source in front of the installation",
        [layer("base"), layer("system", "heavy", "light", "code")],
    )
    yield (
        "installed",
        "packages in one layer below the code",
        [layer("base"), layer("system"), together, layer("code")],
    )
    yield (
        "installed-linked",
        "packages in one layer, reproducible and by COPY --link",
        [layer("base"), layer("system"), _linked(together), layer("code", independent=True)],
    )
    if apart:
        yield (
            "heavy-light",
            "heavy packages below the light ones",
            [layer("base"), layer("system"), layer("heavy"), layer("light"), layer("code")],
        )
        yield (
            "heavy-light-linked",
            "heavy apart from light, reproducible and by COPY --link",
            [
                layer("base"),
                layer("system"),
                *(layer(name, independent=True) for name in ("heavy", "light", "code")),
            ],
        )


def _linked(placed: Placed) -> Placed:
    return Placed(placed.name, placed.groups, True)


def _as_it_is(sizes: Sizes, groups: Mapping[GroupName, Group]) -> list[Placed]:
    """The image's own layers, each with the part of every group that lies in it."""
    return [
        Placed(
            str(number),
            tuple(
                Group(name, size, groups[name].changes)
                for name, size in layer.items()
                if name in groups
            ),
        )
        for number, layer in enumerate(sizes.layers)
    ]


def _option(name: str, what: str, layers: Sequence[Placed], rates: Rates) -> LayoutOption:
    kept = [layer for layer in layers if layer.groups]
    seen = None
    if rates.releases:
        moved = sum(replayed(kept, rates.releases))
        seen = round(moved * rates.per_month / len(rates.releases))
    return LayoutOption(
        name=name,
        what=what,
        layers=[[group.name for group in layer.groups] for layer in kept],
        expected_bytes_per_node_month=round(expected(kept, rates.per_month)),
        replayed_bytes_per_node_month=seen,
    )
