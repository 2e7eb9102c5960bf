"""`imgopt strategies`: list them, or explain one."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = """
List the rewrite strategies, or explain one with its examples.

With --ecosystems: the languages and package managers that are known, and how far each was tried.

  imgopt strategies layer-order
"""
Ecosystems = Annotated[
    bool, typer.Option("--ecosystems", help="List the ecosystems and how far each was tried.")
]
Name = Annotated[str | None, typer.Argument(help="Name of a strategy.")]


def register(app: typer.Typer) -> None:
    app.command("strategies", help=HELP)(strategies_command)


def strategies_command(name: Name = None, ecosystems: Ecosystems = False) -> int:
    from imgopt.cli.emit import show

    if ecosystems:
        from imgopt.context.ecosystems import builtin_ecosystems
        from imgopt.report.ecosystems import ecosystem_listing

        show(ecosystem_listing(builtin_ecosystems()))
        return 0
    from imgopt.report.strategies import listing, page
    from imgopt.strategies.registry import all_strategies, find_strategy

    show(listing(all_strategies()) if name is None else page(find_strategy(name)))
    return 0
