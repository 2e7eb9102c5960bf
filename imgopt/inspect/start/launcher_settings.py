"""Settings that a launcher reads and hands on to what it starts, wherever it finds them: files of
the project, of the home folder and of the system, and variables of the image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.starts import HandedOn
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered

_LONGEST = 1 << 20
_PLAIN = re.compile(r"[\w./:=@,+% -]+\Z")
_OFF = ("", "0", "false", "no")


@dataclass(frozen=True, slots=True)
class Handed:
    """What a launcher hands on: variables whose values are known, or why it is not known
    (`refused`)."""

    environment: tuple[tuple[str, str], ...] = ()
    refused: str = ""


@remembered
def handed_on(view: ImageView, words: tuple[str, ...]) -> Handed:
    """What the launcher that these words call hands on to what it starts."""
    environment: dict[str, str] = {}
    for fact in _facts(words):
        if any(_is_on(view, name) for name in fact.unless):
            continue
        for place, value in _found(view, fact):
            known = fact.becomes not in environment or environment[fact.becomes] == value
            if not fact.becomes or value is None or not _PLAIN.match(value) or not known:
                return Handed(refused=f"{place}: {fact.means}")
            environment[fact.becomes] = value
    given = view.config.environment
    taken = next((name for name in environment if name in given), "")
    if taken:
        return Handed(refused=f"{taken} is set by the image and by a setting of {words[0]}")
    return Handed(tuple(environment.items()))


def said_in_files(words: tuple[str, ...], text_of: Callable[[str], str | None]) -> str:
    """Where files of a project hand something on by way of the launcher that these words call; ""
    for nowhere. `text_of` gives the text of a file that the launcher finds in its working
    directory, None where there is none."""
    for fact in _facts(words):
        for name in fact.files:
            text = text_of(name) if not name.startswith(("~", "/", "*")) else None
            if text is not None and (not fact.key or re.search(fact.key, text, re.MULTILINE)):
                return f"{name}: {fact.means}"
    return ""


def _facts(words: tuple[str, ...]) -> Iterator[HandedOn]:
    called = " ".join((posixpath.basename(words[0]), *words[1:])) if words else ""
    name = called.partition(" ")[0]
    for fact in (fact for ecosystem in builtin_ecosystems() for fact in ecosystem.handed_on):
        if any(fnmatchcase(called if " " in glob else name, glob) for glob in fact.programs):
            yield fact


def _is_on(view: ImageView, name: str) -> bool:
    return view.config.environment.get(name, "").lower() not in _OFF


def _found(view: ImageView, fact: HandedOn) -> Iterator[tuple[str, str | None]]:
    """(where, value) of each setting; no value where the fact has none to read."""
    for name, value in view.config.environment.items():
        if any(fnmatchcase(name, glob) for glob in fact.variables):
            yield name, value
    for path in sorted(set(_paths(view, fact.files))):
        node = view.file(path)
        if node is None or (fact.above_base and node.layer < view.base_layers):
            continue
        if not fact.key:
            yield path, None
            continue
        text = (view.read(path, _LONGEST) or b"").decode("utf-8", "replace")
        for match in re.finditer(fact.key, text, re.MULTILINE):
            said = match.groupdict().get("value")
            yield path, said.strip("\"'") if said is not None else None


def _paths(view: ImageView, globs: list[str]) -> Iterator[str]:
    identity = view.identity
    home = view.config.environment.get("HOME") or (identity.home if identity else "") or "/root"
    folders = [view.workdir]
    while folders[-1] != "/":
        folders.append(posixpath.dirname(folders[-1]))
    for glob in globs:
        if glob.startswith("~/"):
            yield from _existing(view, posixpath.join(home, glob[2:]))
        elif glob.startswith(("/", "*")):
            yield from _existing(view, glob)
        else:
            for folder in folders:
                yield from _existing(view, posixpath.join(folder, glob))


def _existing(view: ImageView, glob: str) -> Iterator[str]:
    if not any(sign in glob for sign in "*?["):
        if view.is_file(glob):
            yield glob
        return
    folder = posixpath.dirname(glob)
    if not any(sign in folder for sign in "*?["):
        names = (posixpath.join(folder, name) for name in view.names(folder))
        yield from (path for path in names if fnmatchcase(path, glob) and view.is_file(path))
        return
    yield from (node.path for node in view.tree.files() if fnmatchcase(node.path, glob))
