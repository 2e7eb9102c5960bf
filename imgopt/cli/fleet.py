"""`imgopt fleet`: what images cost on many nodes, and how their bytes should lie in layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.emit import give
from imgopt.cli.grouped import grouped

if TYPE_CHECKING:
    from imgopt.fleet.cost.parameters import Parameters

Subjects = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE|CONTEXT|REPO...",
        help="Images, build contexts, or repositories with all of their tags.",
    ),
]
Subject = Annotated[str, typer.Argument(metavar="IMAGE|CONTEXT", help="Image or build context.")]
Nodes = Annotated[int | None, typer.Option("--nodes", min=1, help="Nodes (100).")]
Replicas = Annotated[int | None, typer.Option("--replicas", min=1, help="Pods (one a node).")]
Releases = Annotated[
    float | None,
    typer.Option("--releases", help="Releases a month, where no history says it (30)."),
]
Bandwidth = Annotated[
    float | None, typer.Option("--bandwidth", help="MB/s that one node receives (100).")
]
Price = Annotated[
    float | None, typer.Option("--price", help="Dollars for a GB that leaves the registry (0.045).")
]
AppSeconds = Annotated[
    float | None, typer.Option("--app-seconds", help="From start to first good answer (5).")
]
Surge = Annotated[str, typer.Option("--surge", help="maxSurge: pods, or a share as 25%.")]
Unavailable = Annotated[str, typer.Option("--unavailable", help="maxUnavailable, likewise.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any figure of the model; repeatable."),
]
ImageOf = Annotated[
    str | None, typer.Option("--image", help="The image of the context; default: it is built.")
]
Commits = Annotated[int, typer.Option("--commits", min=1, help="Commits of a context to play.")]

COST = """
What images cost on many nodes: bytes per node and month by their release history, dollars of the
registry's traffic, seconds to pull, unpack and be ready, and a rollout's time.

A repository's own tags are its releases; of a context, its last commits are played against its
Dockerfile. Every figure has a unit, a default and a source: --format json or markdown lists them.

  imgopt fleet cost . --nodes 200 --bandwidth 60

  imgopt fleet cost reg.example/app --nodes 9
"""

LAYOUT = """
How an image's bytes should lie in layers for the least that moves to a node in a month: the base,
large packages that are seldom raised, all others, the code.

A package's group is decided by its name, so it stays where it is whatever else changes. Of a
context the last commits are replayed, and the proposal is a change to its Dockerfile: unproven
here, and proven by `imgopt optimize . --allow heavy-light`.

  imgopt fleet layout .

  imgopt fleet layout app:1.0 --heavy grpcio
"""
Heavy = Annotated[
    list[str] | None,
    typer.Option("--heavy", metavar="PACKAGE", help="Lies with the heavy ones; repeatable."),
]


def register(app: typer.Typer) -> None:
    fleet = typer.Typer(
        no_args_is_help=True,
        help="What images cost on many nodes, and how their bytes should lie in layers.",
    )
    fleet.command("cost", help=COST)(grouped(cost, choices.format_option("fleet-cost")))
    fleet.command("layout", help=LAYOUT)(grouped(layout, choices.format_option("fleet-layout")))
    app.add_typer(fleet, name="fleet")


def cost(
    subjects: Subjects,
    nodes: Nodes = None,
    replicas: Replicas = None,
    releases: Releases = None,
    bandwidth: Bandwidth = None,
    price: Price = None,
    app_seconds: AppSeconds = None,
    surge: Surge = "25%",
    unavailable: Unavailable = "25%",
    set_: Settings = None,
    image: ImageOf = None,
    commits: Commits = 100,
    *,
    build: options.BuildOptions,
    out: options.OutputOptions,
) -> int:
    from imgopt.cli.fleet_subjects import series_of
    from imgopt.fleet.cost.estimate import Plan, estimate, used
    from imgopt.fleet.cost.model import allowed
    from imgopt.fleet.cost.parameters import parameters, read_settings
    from imgopt.results.fleet import FleetCost

    out.check("fleet-cost")
    given: dict[str, float | None] = {
        "nodes": nodes,
        "replicas": replicas,
        "releases_per_month": releases,
        "node_bandwidth": bandwidth,
        "price_per_gb": price,
        "app_seconds": app_seconds,
    }
    values: Parameters = parameters({**given, **read_settings(set_ or ())})
    for word in (surge, unavailable):
        allowed(word, values.replicas, up=True)
    found, skipped = series_of(subjects, build, image, values, commits)
    plan = Plan(surge, unavailable)
    costs = [estimate(one, values, plan) for one in found]
    result = FleetCost(
        subjects=sorted(costs, key=lambda one: (-one.bytes_per_month, one.name)),
        parameters=used(values),
        skipped=skipped,
    )
    give(result, out)
    return 0


def layout(
    subject: Subject,
    releases: Releases = None,
    heavy: Heavy = None,
    set_: Settings = None,
    image: ImageOf = None,
    commits: Commits = 200,
    *,
    build: options.BuildOptions,
    out: options.OutputOptions,
) -> int:
    from imgopt.cli.fleet_subjects import layout_of
    from imgopt.fleet.cost.parameters import parameters, read_settings
    from imgopt.fleet.layout.project import Asked

    out.check("fleet-layout")
    values = parameters({"releases_per_month": releases, **read_settings(set_ or ())})
    give(layout_of(subject, build, image, Asked(values, heavy or (), commits)), out)
    return 0
