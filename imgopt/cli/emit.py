"""Gives a result: to standard output, and to files. Inside GitHub Actions no name in it can become
a command."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.cli.options import OutputOptions
from imgopt.cli.streams import write_document
from imgopt.errors import EnvironmentFailure, Location
from imgopt.results import Result
from imgopt.results.ci import CiResult

if TYPE_CHECKING:
    from rich.console import RenderableType

_SUMMARY_BYTES = 900_000
"""A step summary may have 1 MiB; above it nothing of it is shown."""


def give(result: Result, out: OutputOptions) -> None:
    """To standard output in the format that was asked for, and to every file that was."""
    from imgopt.report import render, renderable, write_outputs

    if out.format == "text":
        show(renderable(result))
    else:
        write_document(render(result, out.format))
    write_outputs(result, out.output or ())


def emit(result: Result, format: str) -> None:
    """To standard output. `github` also appends to the step summary and the outputs, where the
    runner names them."""
    from imgopt.report import render, renderable

    if format == "github" and isinstance(result, CiResult):
        write_document(render(result, "github"))
        _to_runner(result)
    elif format != "text":  # machines read it; no line of it can begin with a command
        write_document(render(result, format))
    elif os.environ.get("GITHUB_ACTIONS") == "true":
        _quoted(render(result, "text", width=_log_width()))
    else:
        show(renderable(result), width=None if sys.stdout.isatty() else _log_width())


def show(what: RenderableType, *, width: int | None = None) -> None:
    """For people: to standard output, without spaces at the ends of lines where it is no
    terminal."""
    from rich.console import Console

    console = Console(highlight=False, width=width)
    if console.is_terminal:
        console.print(what, crop=False)
        return
    with console.capture() as capture:
        console.print(what, crop=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def _log_width() -> int:
    """A log has no edge to wrap at; COLUMNS decides where it is set."""
    import shutil

    return shutil.get_terminal_size((160, 24)).columns


def _quoted(text: str) -> None:
    """The runner reads commands from the log: they are off between these two lines, whose word
    nobody can guess."""
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
        raise EnvironmentFailure(
            f"${variable} cannot be written: {error.strerror}", location=Location(path)
        ) from None
