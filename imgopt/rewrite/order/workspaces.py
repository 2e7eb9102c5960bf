"""What a manifest of JavaScript makes its installer read beside itself: the members of a workspace,
and hooks.

Sources: npm's documentation ("Scripts", life cycle of `npm install`; "Workspaces"), pnpm's and
Yarn's on workspaces.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from imgopt.context.facts.builds import Hook
from imgopt.context.facts.managers import Manager
from imgopt.inspect.packages.json_manifests import package_folders
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True, slots=True)
class More:
    """Files of the context that are read as well, or why that is not known."""

    files: tuple[str, ...] = ()
    refused: str = ""


def hooks(manager: Manager, known: Iterable[Hook], path: str, text: str) -> More:
    """What the scripts read that an installation runs; refused where one is not known to read so
    little."""
    scripts = json_object(text).get("scripts")
    named = scripts.items() if isinstance(scripts, dict) else ()
    files: list[str] = []
    for name, command in named:
        if not re.search(manager.hooks, f'"{name}":'):
            continue
        hook = next((one for one in known if re.fullmatch(one.command, str(command).strip())), None)
        if hook is None:
            return More(
                refused=f'{path} runs the project\'s own code (`"{name}": "{str(command)[:60]}"`)'
            )
        files += hook.reads
    return More(tuple(files))


def members(path: str, text: str, context: ContextFiles) -> More:
    """The manifests of the members of a workspace."""
    folder = posixpath.dirname(path)
    globs = _globs(path, text)
    if not globs or any(not _PLAIN.fullmatch(glob) for glob in globs):
        return More(refused=f"{context.said(path)} has a workspace whose members are not known")
    name = "package.json"
    inside = f"{folder.rstrip('/')}/" if folder else ""
    others = (one for one in context.named(name) if one.startswith(inside) and one != path)
    own = (one for one in others if not package_folders() & set(one.split("/")[:-1]))
    found = [
        one
        for one in own
        if posixpath.dirname(one) != folder and _is_member(one[len(inside) : -len(name) - 1], globs)
    ]
    said = context.said(path)
    if not found:
        return More(refused=f"{said} has a workspace, and no member of it is in the build context")
    program = next((one for one in found if _has_program(context.text(one))), None)
    if program is not None:
        return More(refused=f"{context.said(program)} has a program that the installation links")
    return More(tuple(found))


_PLAIN = re.compile(r"!?(?:[\w.@*-]+|\*\*)(?:/(?:[\w.@*-]+|\*\*))*")
"""Folders, with `*` for a part of a name and `**` for any depth; `!` leaves some out again."""


def _has_program(text: str) -> bool:
    """Whether a manifest names programs; one that cannot be read may."""
    found = json_object(text)
    return "bin" in found if found else '"bin"' in text


def _is_member(place: str, globs: Iterable[str]) -> bool:
    """Whether a folder fits; a pattern with `!` leaves it out, wherever it stands."""
    globs = list(globs)
    left_out = any(_fits(place, glob[1:]) for glob in globs if glob.startswith("!"))
    return not left_out and any(_fits(place, glob) for glob in globs if not glob.startswith("!"))


def _fits(place: str, glob: str) -> bool:
    parts = [re.escape(part).replace(r"\*", "[^/]*") + "/" for part in glob.split("/")]
    pattern = "".join("(?:[^/]+/)*" if part == "[^/]*[^/]*/" else part for part in parts)
    return re.fullmatch(pattern, place + "/") is not None


def _globs(path: str, text: str) -> list[str]:
    """The patterns of members, as npm and Yarn write them (JSON) or pnpm (a list in YAML, in lines
    or in brackets)."""
    if path.endswith((".yaml", ".yml")):
        given = _yaml_list(text)
    else:
        said = json_object(text).get("workspaces")
        listed = said.get("packages") if isinstance(said, dict) else said
        given = [str(word) for word in listed] if isinstance(listed, list) else []
    return [_normal(word) for word in given if _normal(word) not in (".", "./")]


def _normal(glob: str) -> str:
    out = "!" if glob.startswith("!") else ""
    return out + posixpath.normpath(glob.removeprefix("!").rstrip("/") or ".").removeprefix("/")


def _yaml_list(text: str) -> list[str]:
    """The plain list below `packages:`."""
    flow = re.search(r"^packages:[ \t]*\[([^\]]*)\]", text, re.MULTILINE)
    if flow:
        return [
            word.strip().strip("\"'")
            for word in re.sub(r"#.*", "", flow[1]).split(",")
            if word.strip()
        ]
    block = re.search(
        r"^packages:[ \t]*(?:#.*)?\r?\n((?:[ \t]*(?:-.*|#.*)?\r?\n)+)", text + "\n", re.MULTILINE
    )
    return re.findall(r"^[ \t]*-[ \t]*[\"']?([^\"'#\s]+)", block[1], re.MULTILINE) if block else []


def json_object(text: str | bytes) -> dict[str, object]:
    """The object that a JSON file holds; an empty one for anything else."""
    try:
        found = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
