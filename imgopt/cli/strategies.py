"""`imgopt strategies`: list them, or explain one."""

from __future__ import annotations

from typing import Annotated

import typer

Name = Annotated[str | None, typer.Argument(help="Name of a strategy.")]


def register(app: typer.Typer) -> None:
    app.command(
        "strategies", help="List the rewrite strategies, or explain one with its examples."
    )(strategies_command)


def strategies_command(name: Name = None) -> int:
    from imgopt.cli.emit import show
    from imgopt.report.strategies import listing, page
    from imgopt.rewrite.registry import all_strategies, find_strategy

    show(listing(all_strategies()) if name is None else page(find_strategy(name)))
    return 0
