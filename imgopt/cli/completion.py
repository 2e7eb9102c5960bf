"""`imgopt completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any

import typer

VARIABLE = "_IMGOPT_COMPLETE"
"""What the scripts set when they ask."""
HELP = """
Print a script for bash, zsh or fish that completes commands and options.

  bash   eval "$(imgopt completion bash)"          in ~/.bashrc

  zsh    eval "$(imgopt completion zsh)"           in ~/.zshrc, behind compinit

  fish   imgopt completion fish | source           in ~/.config/fish/config.fish
"""


class Shell(StrEnum):
    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def register(app: typer.Typer) -> None:
    app.command("completion", help=HELP)(completion)


def completion(shell: Annotated[Shell, typer.Argument(help="The shell.")]) -> int:
    script = _typer().get_completion_script(
        prog_name="imgopt", complete_var=VARIABLE, shell=shell.value
    )
    sys.stdout.write(f"{script}\n")
    return 0


def prepare(environ: Mapping[str, str]) -> list[str]:
    """Lets typer answer a shell; what stands behind `imgopt` on the line that is completed."""
    _typer().completion_init()
    line = environ.get("COMP_WORDS") or environ.get("_TYPER_COMPLETE_ARGS") or ""
    return line.split()[1:]


def _typer() -> Any:
    """Typer's own completion, which it sets up by itself only with options of its own."""
    return import_module("typer.completion")
