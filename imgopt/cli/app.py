"""The command line: one module per command, registered here; the only place that catches errors and
exits."""

from __future__ import annotations

import atexit
import errno
import inspect
import os
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer

from imgopt import __version__
from imgopt.cli.streams import HANDLER, Streams, tell
from imgopt.errors import EnvironmentFailure, ImgoptError, Location

COMMANDS: tuple[str, ...] = (
    "analyze",
    "rewrite",
    "optimize",
    "prove",
    "lives",
    "run-facts",
    "cache",
    "bench",
    "diff",
    "deploy",
    "registry",
    "fleet",
    "ci",
    "deploy",
    "report",
    "strategies",
    "doctor",
    "completion",
    "docker-plugin",
)
"""Modules of imgopt.cli, in the order of `imgopt --help`; each has `register(app: typer.Typer) ->
None`."""

_VALUED = ("-H", "--host", "-c", "--docker-context")
"""Options in front of the command that take a value."""

app = typer.Typer(
    name="imgopt",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Make Docker images smaller and rebuilds faster, and prove that the service still does the"
        " same job."
    ),
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"imgopt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            "-H",
            metavar="URL",
            help="Engine to ask, as docker's --host: unix://, tcp://, ssh://.",
        ),
    ] = None,
    docker_context: Annotated[
        str | None,
        typer.Option("--docker-context", "-c", metavar="NAME", help="As docker's --context."),
    ] = None,
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version."
    ),
) -> None:
    del version  # its callback has done all
    if host or docker_context:
        from imgopt.cli.engine import choose

        choose(host, docker_context)


def main(arguments: list[str] | None = None, name: str = "imgopt") -> int:
    """Runs one command; the exit code: 0 fine, 1 findings, 2 input, 3 environment, 130 interrupted.
    `name` is what the user called."""
    for command in _needed(_completed() or (sys.argv[1:] if arguments is None else arguments)):
        module = f"imgopt.cli.{command.replace('-', '_')}"
        register: Callable[[typer.Typer], Any] = import_module(module).register
        register(app)
    columns = shutil.get_terminal_size().columns
    narrow = columns if columns < _PANELS else None
    _flow(app, narrow is not None)
    try:
        code = app(
            args=arguments,
            prog_name=name,
            complete_var="_IMGOPT_COMPLETE",
            standalone_mode=False,
            terminal_width=narrow,
        )
    except ImgoptError as error:
        return say(error)
    except KeyboardInterrupt:
        tell("interrupted")
        return 130
    except OSError as error:
        return say(_no_space(error)) if error.errno in _FULL else _apologize(error)
    except Exception as error:  # typer's own usage errors have exit_code and show()
        show = getattr(error, "show", None)
        if show is None:
            return _apologize(error)
        show()
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0


_PANELS = 72
"""Columns that typer's panels need; in fewer it cuts words and names of options, so plain lists
stand there."""


def _flow(typer_app: typer.Typer, narrow: bool) -> None:
    """Help texts are written in lines of our source; on a terminal each paragraph flows into its
    width."""
    typer_app.rich_markup_mode = None if narrow else "rich"
    for command in typer_app.registered_commands:
        command.help = _flowing(command.help or inspect.getdoc(command.callback) or "", narrow)
    for group in typer_app.registered_groups:
        if group.typer_instance is not None:
            _flow(group.typer_instance, narrow)


def _flowing(text: str, plain: bool) -> str:
    if plain:
        text = text.replace("[bold]", "").replace("[/bold]", "")
    parts = text.strip().split("\n\n")
    return "\n\n".join(part if part.startswith("  ") else " ".join(part.split()) for part in parts)


_FULL = (errno.ENOSPC, errno.EDQUOT)


def _no_space(error: OSError) -> EnvironmentFailure:
    """A full disk wherever it shows: of the working tree, of the temporary folder, of the home
    folder."""
    where = (
        Location(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else None
    )
    return EnvironmentFailure(
        f"{os.strerror(error.errno or errno.ENOSPC)}",
        location=where,
        hint="free some space; TMPDIR=FOLDER puts temporary files elsewhere",
    )


def _completed() -> list[str] | None:
    """The words of a line that a shell completes, where one asks."""
    if "_IMGOPT_COMPLETE" not in os.environ:
        return None
    from imgopt.cli.completion import prepare

    return prepare(os.environ)


def _needed(arguments: list[str]) -> tuple[str, ...]:
    """Only the command that is asked for: typer checks the options of every command that it knows,
    at each start."""
    left = list(arguments)
    while len(left) > 2 and left[0] in _VALUED:
        del left[:2]
    first = next(iter(left), "")
    return (first,) if first in COMMANDS else COMMANDS


def say(error: ImgoptError) -> int:
    """On standard error; the exit code."""
    tell(
        str(error),
        *(f"| {line}" for line in _last_lines(error)),
        *([error.hint] if error.hint else []),
    )
    return error.exit_code


def _last_lines(error: ImgoptError) -> list[str]:
    """What the step that failed said last; other errors have no log."""
    log: tuple[str, ...] = getattr(error, "log", ())
    return [line.rstrip() for line in log if line.strip()][-8:]


def _apologize(error: Exception) -> int:
    """A bug of ours: a short word and a log to paste, not a page of stack."""
    import tempfile
    import traceback

    text = f"imgopt {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n"
    text += "".join(traceback.format_exception(error))
    print(
        f"imgopt: sorry, this is a bug of imgopt: {type(error).__name__}: {error}", file=sys.stderr
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="imgopt-", suffix=".log", delete=False, encoding="utf-8", errors=HANDLER
        ) as log:
            log.write(text)
    except OSError:
        print(text, file=sys.stderr)
    else:
        print(f"        please report it with the log in {log.name}", file=sys.stderr)
    return 2


def run() -> None:
    """Entry point of the `imgopt` script: ends without taking apart what it built, which takes a
    tenth of a run."""
    code = 0
    atexit.register(lambda: os._exit(code))  # registered first, it runs behind all others
    code = Streams().finish(main())
    sys.exit(code)


if __name__ == "__main__":
    run()
