"""Where an image starts, and what kind of program it starts."""

from __future__ import annotations

import posixpath
import re
from fnmatch import translate
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.image_view import ImageView


def started_folders(view: ImageView) -> tuple[str, ...]:
    """Where the image starts: its working directory, and the folders of what its start names. The
    application is there, though it be a folder for temporary files or the cache of a tool (`WORKDIR
    /go/src/app`, `WORKDIR /tmp`)."""
    words = (
        word
        for word in (*(view.config.entrypoint or ()), *(view.config.cmd or ()))
        if word.startswith("/")
    )
    folders = (view.workdir, *(posixpath.dirname(posixpath.normpath(word)) for word in words))
    return tuple(folder for folder in dict.fromkeys(folders) if folder != "/")


@cache
def _kinds() -> tuple[tuple[re.Pattern[str], str], ...]:
    facts = [fact for ecosystem in builtin_ecosystems() for fact in ecosystem.start]
    return tuple((re.compile("|".join(map(translate, fact.programs))), fact.kind) for fact in facts)


def started_program(view: ImageView) -> str:
    """What kind of program the image starts: "python", "java", "node", "compiled", ...; "" when it
    cannot be told."""
    for word in _start_words(view):
        name = word.rpartition("/")[2]
        kind = next((kind for pattern, kind in _kinds() if pattern.match(name)), None)
        if kind:
            return kind
        node = view.command(word)
        if node is not None and view.elf(node) is not None and not view.in_base(node):
            return "compiled"
    return ""


def has_own_authorities(view: ImageView) -> bool:
    """Whether what it starts brings root certificates of its own."""
    facts = (fact for ecosystem in builtin_ecosystems() for fact in ecosystem.start)
    return started_program(view) in {fact.kind for fact in facts if fact.own_authorities}


def _start_words(view: ImageView) -> list[str]:
    """The words of the start, those of `sh -c` and of an entry script's own lines included."""
    found: list[str] = []
    for word in (*(view.config.entrypoint or ()), *(view.config.cmd or ())):
        found.extend(word.replace(";", " ").replace("&", " ").split())
    scripts = [
        node for node in map(view.command, found[:4]) if node is not None and view.shebang(node)
    ]
    for script in scripts:
        for line in script.read(1 << 16).decode("utf-8", "replace").splitlines():
            if line.strip().startswith("exec "):
                found.extend(line.split()[1:])
    return found
