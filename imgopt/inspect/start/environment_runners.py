"""Poetry, Pipenv and uv as launchers: `poetry run X` starts X of the project's virtual
environment."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from imgopt.context.facts.starts import Runner
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.runners import runner_of

_FILE = r"^/usr/bin/file$"
"""What platform.architecture() asks."""
_OF_FILE = r"|/libmagic\.so[.\d]*$|^/(?:etc|usr/lib/file|usr/share/misc|usr/share/file)/magic"


@dataclass(frozen=True, slots=True)
class Run:
    """What a launcher starts; `files` is a regular expression of what only the launcher opens."""

    words: tuple[str, ...]
    environment: str
    """The virtual environment's folder; "" where the command is found by the search path."""
    files: str


def run_by(view: ImageView, words: tuple[str, ...]) -> Run | None:
    """None for what is no such launcher, for options that are not known, and where several
    environments could do."""
    runner = runner_of(words)
    if runner is None or runner.reads != "environment" or words[1:2] != ("run",):
        return None
    rest = _command(runner, words[2:])
    if not rest:
        return None
    folders = virtual_environments(view)
    found = [folder for folder in folders if view.is_file(f"{folder}/bin/{rest[0]}")]
    if len(found) > 1 or (not found and view.command(rest[0]) is None):
        return None
    if not found:
        return Run(rest, "", _own_files(view, runner, ""))
    return Run(
        (f"{found[0]}/bin/{rest[0]}", *rest[1:]), found[0], _own_files(view, runner, found[0])
    )


def _command(runner: Runner, words: tuple[str, ...]) -> tuple[str, ...]:
    """The command behind the launcher's own options; () where one is not known."""
    while words and words[0] in runner.options:
        words = words[1:]
    if words[:1] == ("--",):
        words = words[1:]
    sources = runner.runs_sources_by
    if sources and words and (words[0].endswith(".py") or words[0] in ("-m", "--module")):
        return (
            sources,
            *(("-m",) if words[0].startswith("-") else ()),
            *words[words[0].startswith("-") :],
        )
    return () if not words or words[0].startswith("-") or "/" in words[0] else words


def virtual_environments(view: ImageView) -> tuple[str, ...]:
    """The project's own one where it has one (`.venv` in its folder), else all of the image."""
    own = posixpath.join(view.workdir, ".venv")
    if view.is_file(f"{own}/pyvenv.cfg"):
        return (own,)
    return tuple(
        sorted(
            posixpath.dirname(node.path) for node in view.tree.files() if node.name == "pyvenv.cfg"
        )
    )


def _own_files(view: ImageView, runner: Runner, environment: str) -> str:
    """The launcher's program, and the packages that only it can import: those of its own prefix,
    where the service's environment does not look."""
    node = view.command(runner.program)
    shebang = view.shebang(node) if node is not None else ()
    aside = f"{_FILE}|{runner.aside}" + ("" if _uses_libmagic(view) else _OF_FILE)
    program = (f"^{re.escape(node.path)}$|" if node is not None else "") + aside
    prefix = posixpath.dirname(posixpath.dirname(shebang[0])) if shebang else ""
    if not prefix or not environment or prefix == environment or not is_closed(view, environment):
        return program
    return rf"{program}|^{re.escape(prefix)}/lib/python3\.\d+/site-packages/"


def _uses_libmagic(view: ImageView) -> bool:
    """Whether the service itself may look into files as `file` does."""
    return any(
        "magic" in package.name for package in view.packages if package.ecosystem == "python"
    )


def is_closed(view: ImageView, environment: str) -> bool:
    """Whether a virtual environment does not look at the packages outside of it."""
    text = (view.read(f"{environment}/pyvenv.cfg", 65536) or b"").decode("utf-8", "replace").lower()
    return re.search(r"^include-system-site-packages\s*=\s*false", text, re.MULTILINE) is not None


def environment_of(view: ImageView, words: tuple[str, ...]) -> str:
    """The virtual environment whose program these words start; "" for none."""
    if not words:
        return ""
    places = (
        [words[0]]
        if "/" in words[0]
        else [posixpath.join(folder, words[0]) for folder in view.search_path]
    )
    place = next((path for path in places if view.is_file(posixpath.join(view.workdir, path))), "")
    folder = posixpath.dirname(
        posixpath.dirname(posixpath.normpath(posixpath.join(view.workdir, place)))
    )
    return folder if place and view.is_file(f"{folder}/pyvenv.cfg") else ""
