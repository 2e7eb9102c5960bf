"""What a manifest of JavaScript makes its installer read beside itself: the members of a workspace, and hooks.

Sources: npm's documentation ("Scripts", life cycle of `npm install`; "Workspaces"), pnpm's and Yarn's on workspaces.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import msgspec

from imgopt.context.ecosystems import Hook, Manager
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True, slots=True)
class More:
    """Files of the context that are read as well, or why that is not known."""

    files: tuple[str, ...] = ()
    refused: str = ""


def hooks(manager: Manager, known: Iterable[Hook], path: str, text: str) -> More:
    """What the scripts read that an installation runs; refused where one is not known to read so little."""
    scripts = json_object(text).get("scripts")
    named = scripts.items() if isinstance(scripts, dict) else ()
    files: list[str] = []
    for name, command in named:
        if not re.search(manager.hooks, f'"{name}":'):
            continue
        hook = next((one for one in known if re.fullmatch(one.command, str(command).strip())), None)
        if hook is None:
            return More(refused=f'{path} runs the project\'s own code (`"{name}": "{str(command)[:60]}"`)')
        files += hook.reads
    return More(tuple(files))


def members(path: str, text: str, context: ContextFiles) -> More:
    """The manifests of the members of a workspace."""
    folder = posixpath.dirname(path)
    globs = _globs(path, text)
    if not globs or any(not _PLAIN.fullmatch(glob) for glob in globs):
        return More(refused=f"{path} has a workspace whose members are not known")
    name = "package.json"
    found = [one for one in context.named(name) if "node_modules/" not in one and _is_member(one, folder, globs)]
    if not found:
        return More(refused=f"{path} has a workspace, and no member of it is in the build context")
    program = next((one for one in found if "bin" in json_object(context.text(one))), None)
    if program is not None:
        return More(refused=f"{program} has a program that the installation links")
    return More(tuple(found))


_PLAIN = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*(?:/\*)?")
"""A folder, or all folders in one; nothing that is left out again, no depth that is not said."""


def _is_member(path: str, folder: str, globs: Iterable[str]) -> bool:
    place = posixpath.dirname(path)
    inside = posixpath.relpath(place or ".", folder or ".")
    return any(inside.count("/") == glob.count("/") and fnmatchcase(inside, glob) for glob in globs)


def _globs(path: str, text: str) -> list[str]:
    """The patterns of members, as npm and Yarn write them (JSON) or pnpm (a plain list in YAML)."""
    if path.endswith((".yaml", ".yml")):
        block = re.search(r"^packages:[ \t]*\n((?:[ \t]*(?:-.*|#.*)?\n)+)", text + "\n", re.MULTILINE)
        given = re.findall(r"^[ \t]*-[ \t]*[\"']?([^\"'#\s]+)", block[1], re.MULTILINE) if block else []
    else:
        said = json_object(text).get("workspaces")
        listed = said.get("packages") if isinstance(said, dict) else said
        given = [str(word) for word in listed] if isinstance(listed, list) else []
    return [word if word.startswith("!") else posixpath.normpath(word) for word in given]


def json_object(text: str | bytes) -> dict[str, object]:
    """The object that a JSON file holds; an empty one for anything else."""
    try:
        found = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
