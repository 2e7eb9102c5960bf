"""The language run times of an image and their versions, read from the interpreters' own files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.runs import Version
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView

_MOST = 256 << 20
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Runtime:
    """A run time, and how its version is found."""

    name: str
    facts: Version

    def is_program(self, path: str) -> bool:
        return re.search(self.facts.program, path) is not None

    def interface(self, version: str) -> str:
        """The version without its patches."""
        return ".".join(version.split(".")[: self.facts.parts])


@cache
def _runtimes() -> tuple[Runtime, ...]:
    versions = ((one.name, one.runtime.version) for one in builtin_ecosystems())
    return tuple(Runtime(name, version) for name, version in versions if version is not None)


def used_runtimes(view: ImageView, opened: frozenset[str] | None) -> Iterator[tuple[Runtime, str]]:
    for runtime in _runtimes():
        node = _executed(view, runtime, opened)
        version = _version(view, runtime.facts, node) if node is not None else None
        if version:
            yield runtime, version


def _executed(view: ImageView, runtime: Runtime, opened: frozenset[str] | None) -> Node | None:
    if opened is not None:
        paths = sorted(path for path in opened if runtime.is_program(path))
    else:
        words = [*(view.config.entrypoint or ()), *(view.config.cmd or ())]
        named = (view.command(word) for text in words for word in text.split())
        interpreters = [
            view.command(w)
            for node in named
            if node
            for w in " ".join(view.shebang(node)).split()[-1:]
        ]
        started = (view.command(word) for text in words for word in text.split())
        nodes = (node for node in (*started, *interpreters) if node is not None)
        paths = [node.path for node in nodes if runtime.is_program(node.path)]
    return next((node for path in paths if (node := view.file(path)) is not None), None)


def version_of(view: ImageView, runtime: Runtime) -> str | None:
    """Of the program that the name leads to, or of any that is there."""
    nodes = (
        node for node in view.tree.files() if node.mode & 0o111 and runtime.is_program(node.path)
    )
    found = sorted(
        {version for node in nodes if (version := _version(view, runtime.facts, node))},
        reverse=True,
    )
    return found[0] if found else None


def installed_version(view: ImageView, name: str) -> str:
    """The version of an ecosystem's run time that the image has; "" for none that says it."""
    found = (version_of(view, one) for one in _runtimes() if one.name == name)
    return next(filter(None, found), "")


def _version(view: ImageView, facts: Version, node: Node) -> str | None:
    if facts.library and view.elf(node) is None:
        return None
    return next(_said(view, facts, node), None)


def _said(view: ImageView, facts: Version, node: Node) -> Iterator[str]:
    """Versions, that which counts first."""
    named = re.search(r"[\d.]*$", node.path)
    for place in _places(view, facts, node):
        data = view.read(place, _MOST) or b""
        for text in facts.inside:
            pattern = text.replace("{named}", re.escape(named[0] if named else ""))
            if match := re.search(pattern.encode(), data):
                yield match[1].decode("ascii", "replace")
    for folder in facts.folders:
        names = (each.name for each in view.tree.walk(folder) if each.kind == "dir")
        yield from filter(_VERSION.fullmatch, names)
    if facts.by_path and (by_path := re.search(facts.by_path, node.path)):
        yield by_path[1]


def _places(view: ImageView, facts: Version, node: Node) -> Iterator[str]:
    """Files that say it: libraries of the program, and the program itself or what stands for it."""
    folder, elf = posixpath.dirname(node.path), view.elf(node)
    if facts.library and elf is not None:
        for name in elf.needed:
            if name.startswith(facts.library):
                found = view.loader.find(name, elf.machine, folder, elf.runpath, elf.rpath)
                yield from (found,) if found else ()
    yield posixpath.normpath(posixpath.join(folder, facts.beside)) if facts.beside else node.path
