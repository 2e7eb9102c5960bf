"""`imgopt deploy`: files that say how an image is run, from what running it showed."""

from __future__ import annotations

from importlib import import_module

import typer

COMMANDS = ("compose", "kubernetes", "check", "prove")
"""Each is a module `imgopt.cli.deploy_NAME` with `register(group: typer.Typer) -> None`."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True,
        help="Files for Compose and Kubernetes from what a run showed; their check, their proof.",
    )
    for name in COMMANDS:
        import_module(f"imgopt.cli.deploy_{name}").register(group)
    app.add_typer(group, name="deploy")
