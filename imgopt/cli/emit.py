"""Gives a result: to standard output, and to files. Inside GitHub Actions no name in it can become a command."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from imgopt.cli.options import OutputOptions
from imgopt.errors import EnvironmentFailure, Location
from imgopt.results import Result
from imgopt.results.ci import CiResult

_SUMMARY_BYTES = 900_000
"""A step summary may have 1 MiB; above it nothing of it is shown."""


def give(result: Result, out: OutputOptions, *, soft_wrap: bool = False) -> None:
    """To standard output in the format that was asked for, and to every file that was."""
    from imgopt.report import render, write_outputs

    if out.format == "text":
        _to_terminal(result, soft_wrap=soft_wrap)
    else:
        sys.stdout.write(render(result, out.format))
    write_outputs(result, out.output or ())


def emit(result: Result, format: str) -> None:
    """To standard output. `github` also appends to the step summary and the outputs, where the runner names them."""
    from imgopt.report import render

    if format == "github" and isinstance(result, CiResult):
        sys.stdout.write(render(result, "github"))
        _to_runner(result)
    elif format != "text":  # machines read it; no line of it can begin with a command
        sys.stdout.write(render(result, format))
    elif os.environ.get("GITHUB_ACTIONS") == "true":
        _quoted(render(result, "text", width=_log_width()))
    elif sys.stdout.isatty():
        _to_terminal(result)
    else:
        sys.stdout.write(render(result, "text", width=_log_width()))


def _log_width() -> int:
    """A log has no edge to wrap at; COLUMNS decides where it is set."""
    import shutil

    return shutil.get_terminal_size((160, 24)).columns


def _to_terminal(result: Result, *, soft_wrap: bool = False) -> None:
    from rich.console import Console

    from imgopt.report import renderable

    Console(highlight=False).print(renderable(result), soft_wrap=soft_wrap)


def _quoted(text: str) -> None:
    """The runner reads commands from the log: they are off between these two lines, whose word nobody can guess."""
    token = f"imgopt-{secrets.token_hex(16)}"
    sys.stdout.write(f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::\n")


def _to_runner(result: CiResult) -> None:
    from imgopt.report.comment import markdown
    from imgopt.report.github import outputs

    _append("GITHUB_STEP_SUMMARY", markdown(result, _SUMMARY_BYTES))
    _append("GITHUB_OUTPUT", outputs(result))


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise EnvironmentFailure(f"${variable} cannot be written: {error.strerror}", location=Location(path)) from None
