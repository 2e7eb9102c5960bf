"""A program that does nothing but hand out the files of one folder: which it is, of what folder, on
what port."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.starts import FileServer as FileServerFacts
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.start_words import plain_start

INDEX = "index.html"


_COMMENT = r"^[ \t]*//.*$|^[ \t]*/\*[\s\S]*?\*/|[ \t]//.*$"
"""A comment where no string can be meant, as one may hold `//` or `/*`."""


@cache
def known_servers() -> Mapping[str, FileServerFacts]:
    """By the words that a start begins with."""
    return {
        fact.command: fact for ecosystem in builtin_ecosystems() for fact in ecosystem.file_server
    }


@dataclass(frozen=True, slots=True)
class FileServer:
    """`folder` is absolute; `port` None: an environment variable of that name decides at start, or
    what is usual."""

    program: str
    folder: str
    port: int | None = None
    port_variable: str = ""


@dataclass(frozen=True, slots=True)
class NoFileServer:
    """The start is one of these programs, but does more; or it is none of them (`reason` is
    empty)."""

    reason: str = ""


@dataclass
class _Said:
    """A command line taken apart."""

    arguments: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    unknown: str = ""


def file_server(view: ImageView) -> FileServer | NoFileServer:
    """What the image starts, when that only serves files; else why not."""
    start = plain_start(view)
    names = [posixpath.basename(word) for word in start[:2]]
    program = next(
        (name for name in (names[:1], names[:2]) if " ".join(name) in known_servers()), None
    )
    if program is None:
        return _other(start, names)
    name = " ".join(program)
    known = known_servers()[name]
    said = _read(start[len(program) :], known)
    if said.unknown:
        return NoFileServer(
            f"`{' '.join(start)}`: what {said.unknown} does is not known to be the same elsewhere"
        )
    folder = next((said.values[option] for option in known.folder if option in said.values), "")
    folder = folder or (
        said.arguments[0] if said.arguments and not known.folder else _usual(view, known)
    )
    path = posixpath.normpath(posixpath.join(view.workdir, folder))
    refusal = _says_more(view, path, known)
    if refusal:
        return NoFileServer(f"{name}: {refusal}")
    if not view.is_file(f"{path}/{INDEX}"):
        return NoFileServer(f"{name} serves {path}, which has no {INDEX}")
    return FileServer(name, path, _port(said, known), known.port_variable)


def _other(start: Sequence[str], names: Sequence[str]) -> NoFileServer:
    options_follow = len(start) < 2 or start[1].startswith("-")
    servers = {each for ecosystem in builtin_ecosystems() for each in ecosystem.compiling_servers}
    bare = {each for ecosystem in builtin_ecosystems() for each in ecosystem.serves_bare}
    compiles = " ".join(names) in servers or (options_follow and not bare.isdisjoint(names[:1]))
    return (
        NoFileServer(f"`{' '.join(start)}` compiles what it serves while it runs")
        if compiles
        else NoFileServer()
    )


def _usual(view: ImageView, known: FileServerFacts) -> str:
    return known.usual if view.exists(posixpath.join(view.workdir, known.usual)) else "."


def _read(rest: Sequence[str], known: FileServerFacts) -> _Said:
    said = _Said()
    waiting = list(rest)
    while waiting and not said.unknown:
        word = waiting.pop(0)
        option, equals, value = word.partition("=")
        short = next(
            (o for o in known.values if len(o) == 2 and word.startswith(o) and len(word) > 2), None
        )
        if not word.startswith("-"):
            said.arguments.append(word)
        elif option in known.values and (equals or (waiting and not waiting[0].startswith("-"))):
            said.values[option] = value if equals else waiting.pop(0)
        elif word in known.flags:
            continue
        elif short is not None and not word.startswith("--"):
            said.values[short] = word[2:]
        else:
            said.unknown = word
    if len(said.arguments) > 1:
        said.unknown = said.arguments[1]
    return said


def _port(said: _Said, known: FileServerFacts) -> int | None:
    given = next((said.values[option] for option in known.port if option in said.values), "")
    match = re.fullmatch(r"(?:tcp://[\w.\[\]:-]*:)?(\d+)", given)
    return int(match[1]) if match else None


def _says_more(view: ImageView, folder: str, known: FileServerFacts) -> str:
    for place in dict.fromkeys((folder, view.workdir)):
        for name in (*known.answers, *known.settings):
            text = view.read(posixpath.join(place, name))
            if text is None:
                continue
            said = re.sub(_COMMENT, "", text.decode("utf-8", "replace"), flags=re.MULTILINE)
            if name in known.answers or not (known.harmless and re.search(known.harmless, said)):
                return f"{posixpath.join(place, name)} may give answers of its own"
    return ""
