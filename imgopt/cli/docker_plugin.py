"""`imgopt docker-plugin`: makes `docker imgopt ...` work, and takes it away again."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import typer

from imgopt.errors import EnvironmentFailure, InputError, Location

_MARK = "# written by `imgopt docker-plugin install`; `imgopt docker-plugin remove` removes it"
INSTALL = """
Write the docker CLI plugin, so that `docker imgopt analyze IMAGE` and `docker --context NAME
imgopt doctor` work.

It goes to ~/.docker/cli-plugins, or below DOCKER_CONFIG. A file there that is not ours is never
replaced.
"""


def register(app: typer.Typer) -> None:
    plugin = typer.Typer(
        no_args_is_help=True,
        help="Use imgopt as `docker imgopt ...`: install or remove the plugin.",
    )
    plugin.command("install", help=INSTALL)(install)
    plugin.command(
        "remove", help="Remove what `imgopt docker-plugin install` wrote, and nothing else."
    )(remove)
    app.add_typer(plugin, name="docker-plugin")


def install() -> int:
    from imgopt.report.files import write_atomic

    path = plugin_path()
    _refuse_foreign(path)
    write_atomic(path, script(Path(sys.executable)), mode=0o755)
    print(f"imgopt: wrote {path}; try: docker imgopt --help", file=sys.stderr)
    return 0


def remove() -> int:
    path = plugin_path()
    if not os.path.lexists(path):
        print(f"imgopt: nothing to remove: there is no {path}", file=sys.stderr)
        return 0
    _refuse_foreign(path)
    try:
        path.unlink()
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot be removed: {error.strerror}", location=Location(str(path))
        ) from None
    print(f"imgopt: removed {path}", file=sys.stderr)
    return 0


def plugin_path() -> Path:
    """Where the docker CLI looks for a user's plugins."""
    from imgopt.endpoint import config_folder

    return config_folder(os.environ) / "cli-plugins" / "docker-imgopt"


def _refuse_foreign(path: Path) -> None:
    if not os.path.lexists(path):
        return
    try:
        ours = not path.is_symlink() and _MARK in path.read_text(errors="replace")
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot be read: {error.strerror}", location=Location(str(path))
        ) from None
    if not ours:
        raise InputError(
            "was not written by imgopt and is left alone",
            location=Location(str(path)),
            hint="move it away first, if `docker imgopt` is to be this imgopt",
        )


def script(python: Path) -> str:
    """-P: a folder that docker is called from must not become a place of modules."""
    quoted = shlex.quote(str(python))
    return f"""\
#!/bin/sh
{_MARK}
if [ ! -x {quoted} ]; then
    echo "imgopt: {python} is gone; install imgopt again, then run" \\
        "\\`imgopt docker-plugin install\\`" >&2
    exit 3
fi
exec {quoted} -P -m imgopt.cli.plugin "$@"
"""
