"""Whether a command could be run in an image, by the user that it would run as: its program, its
interpreter, its libraries."""

from __future__ import annotations

import posixpath
import re

from imgopt.deploy.check.names import names
from imgopt.deploy.check.workload import Container
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.programs import SHELLS
from imgopt.inspect.start.shell_programs import called_programs
from imgopt.inspect.system.libraries import unresolved
from imgopt.inspect.system.users import EXECUTE, Identity

_ASKS_FIRST = re.compile(r"\b(?:command\s+-v|which|type|hash)\s")


def why_not(
    view: ImageView, container: Container, words: tuple[str, ...], identity: Identity | None
) -> str:
    """Why these words cannot be run there; "" where they can, or where nobody can tell."""
    seen = _seen_from(view, container)
    if not words or not words[0] or "$" in words[0]:
        return ""
    found = _program(seen, container, words[0], identity)
    if found:
        return found
    if _is_shell(words):
        return _in_shell(seen, container, words[2], identity)
    return _script(seen, container, words)


def _seen_from(view: ImageView, container: Container) -> ImageView:
    """The image with the PATH and the working directory of the container."""
    path, workdir = container.environment.get("PATH"), container.working_dir
    if path is None and not workdir:
        return view
    seen = ImageView(view.image)
    if path is not None and path.origin == "value":
        seen.search_path = tuple(folder for folder in path.value.text.split(":") if folder)
    if workdir:
        seen.workdir = posixpath.normpath(posixpath.join("/", workdir))
    return seen


def _program(view: ImageView, container: Container, word: str, identity: Identity | None) -> str:
    places = [word] if "/" in word else [f"{folder}/{word}" for folder in view.search_path]
    if any(container.covers(posixpath.join(view.workdir, place)) for place in places):
        return ""  # it may come with what is mounted
    node = view.command(word)
    if node is None:
        where = "" if "/" in word else f" in {':'.join(view.search_path)}"
        return f"{word} is not in the image{where}"
    if identity is not None and not view.may(EXECUTE, node.path, identity):
        return f"user {identity.uid} may not execute {node.path}"
    return _loaded(view, container, node)


def _loaded(view: ImageView, container: Container, node: Node) -> str:
    head = view.shebang(node)
    if head:
        inner = head[1].split()[0] if posixpath.basename(head[0]) == "env" and head[1:] else head[0]
        if inner.startswith("-") or container.covers(inner):
            return ""
        if view.command(inner) is None:
            return f"{node.path} needs {inner}, which is not in the image"
        return ""
    elf = view.elf(node)
    if elf is None:
        return ""
    gap = next(unresolved(view, node, elf), None)
    return f"{node.path} needs {gap.library}, which is not in the image" if gap else ""


def _is_shell(words: tuple[str, ...]) -> bool:
    name = posixpath.basename(words[0])
    return name in SHELLS and len(words) > 2 and words[1].startswith("-") and "c" in words[1]


def _in_shell(view: ImageView, container: Container, text: str, identity: Identity | None) -> str:
    """Of the programs that a shell's line names, one that is missing; where the line has another
    way, only if none is there."""
    if _ASKS_FIRST.search(text):
        return ""
    reasons = [_program(view, container, name, identity) for name in called_programs(text)]
    missing = [reason for reason in reasons if reason]
    if not missing or ("||" in text and len(missing) < len(reasons)):
        return ""
    return missing[0]


def _script(view: ImageView, container: Container, words: tuple[str, ...]) -> str:
    """The file that an interpreter is given."""
    name = posixpath.basename(words[0])
    if name not in names().interpreters.programs or len(words) < 2:
        return ""
    place = posixpath.join(view.workdir, words[1])
    if words[1].startswith("-") or "$" in words[1] or container.covers(place):
        return ""
    return "" if view.exists(place) else f"{words[1]} is not in the image"
