"""`imgopt fleet layout`: an image, or a build context with its image, read into a proposal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgopt.config import Config
from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import IgnoreFile
from imgopt.fleet.cost.parameters import Parameters
from imgopt.fleet.cost.sources import steps_of
from imgopt.fleet.layout.grouping import Names
from imgopt.fleet.layout.propose import LINKED, groups_of, options_of, rates_of
from imgopt.fleet.layout.releases import Releases, releases_of
from imgopt.fleet.layout.sizes import Sizes, sizes_of
from imgopt.image import Image
from imgopt.results.fleet import FleetLayout, LayoutChange, LayoutGroup, LayoutOption
from imgopt.results.size_text import size_text
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.source import Source, read_source
from imgopt.rewrite.strategy import Project
from imgopt.strategies.registry import find_strategy

STRATEGY = "heavy-light"
LARGE = 20_000_000
"""Bytes on the wire from which a light package is worth a word."""
_NO_HISTORY = "no history: rates are assumed (imgopt fleet layout CONTEXT reads the commits)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the proposal rests on beside the image."""

    values: Parameters
    heavy: Collection[str] = ()
    """Names that the user puts among the heavy ones."""
    commits: int = 200


def image_layout(image: Image, asked: Asked) -> FleetLayout:
    """An image alone: rates by assumption, and no Dockerfile to change."""
    names = Names(builtin_ecosystems(), asked.heavy)
    sizes = sizes_of(image, steps_of(image, None), names)
    return _layout(image.reference, sizes, None, asked, _NO_HISTORY)


def context_layout(
    context: Path, dockerfile: Path, config: Config, image: Image, asked: Asked
) -> FleetLayout:
    """A context: rates by its commits, and the proposal as a change to its Dockerfile."""
    from msgspec import structs

    source = read_source(context, dockerfile, config)
    names = Names(source.ecosystems, asked.heavy)
    ignore = IgnoreFile.parse(source.context.ignore) if source.context.ignore else None
    sizes = sizes_of(image, steps_of(image, source.dockerfile), names)
    found = releases_of(
        context, source.context.dockerfile, ignore, names, asked.commits, sizes.languages
    )
    releases = found if isinstance(found, Releases) else None
    history = _said(found) if isinstance(found, Releases) else f"rates are assumed: {found}"
    laid = _layout(str(context), sizes, releases, asked, history)
    change = change_of(source, config)
    command = f"imgopt optimize {context} --allow {STRATEGY}" if change.dockerfile else ""
    return structs.replace(laid, original=source.text, change=change, next=command)


def _said(releases: Releases) -> str:
    most = sorted(releases.packages.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    often = ", ".join(f"{name} ({count})" for name, count in most)
    return f"the last {len(releases.changed)} commits" + (
        f"; raised most: {often}" if often else ""
    )


def _layout(
    name: str, sizes: Sizes, releases: Releases | None, asked: Asked, history: str
) -> FleetLayout:
    rates = rates_of(releases, asked.values)
    groups, options = groups_of(sizes, rates), options_of(sizes, rates)
    return FleetLayout(
        name=name,
        releases=len(rates.releases),
        releases_per_month=rates.per_month,
        history=history,
        groups=groups,
        options=options,
        original=None,
        change=None,
        notes=[
            *(releases.notes if releases else ()),
            *_large(sizes),
            *_without(groups),
            *_linked(options),
        ],
    )


def _large(sizes: Sizes) -> list[str]:
    """Light packages that are large today: only their names could make them heavy."""
    return [
        f"{one.name} ({size_text(one.size)}) lies with the light packages: no table calls it heavy;"
        f" --heavy {one.name} does"
        for one in sizes.members
        if one.group == "light" and one.size >= LARGE
    ][:5]


def _linked(options: Sequence[LayoutOption]) -> list[str]:
    """Said where what lies below keeps its bytes only in installations that are made for it."""
    first = options[0]
    if first.name not in LINKED:
        return []
    return [
        f"{first.what}: less still, where an installation gives the same bytes twice (no times, no"
        " bytecode) in a stage of its own; the proposed change does not go so far"
    ]


def _without(groups: list[LayoutGroup]) -> list[str]:
    have = {group.name for group in groups}
    if {"heavy", "light"} <= have:
        return []
    what = "no package" if not {"heavy", "light"} & have else "packages of one kind alone"
    return [f"{what} found over the base: there is nothing to lay apart"]


def change_of(source: Source, config: Config) -> LayoutChange:
    """The strategy asked alone: what it would write, or why it does not."""
    project = Project(
        source.context,
        source.ecosystems,
        target=config.build.target,
        args=config.build.args,
        churn=source.churn,
        allow=frozenset({STRATEGY}),
    )
    plan = make_plan(source.text, project, (find_strategy(STRATEGY),))
    changes = [change.because for change in plan.changes]
    return LayoutChange(
        strategy=STRATEGY,
        dockerfile=plan.dockerfile if changes else None,
        because=changes,
        skips=[skip.reason for skip in plan.skips],
    )
