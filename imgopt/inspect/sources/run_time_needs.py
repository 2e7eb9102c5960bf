"""What sources need of the system behind a name: the compiler of what is compiled while the service
runs, the libraries of an extension that a module of the language loads, modules of a script."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imgopt.context.facts.lookups import Compiled, Modules
from imgopt.image.packages.names import plain_name
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import language_packages
from imgopt.inspect.sources.modules import library_folders
from imgopt.inspect.sources.python_imports import imported_modules
from imgopt.inspect.sources.texts import written_texts
from imgopt.inspect.system.libraries import library_path
from imgopt.inspect.system.looked_up import matching


@dataclass(frozen=True, slots=True)
class Needed:
    """A path of the image that a run may come to, and who asks for it."""

    path: str
    by: str


def compiles(
    view: ImageView, facts: Iterable[Compiled], ran: str = ""
) -> Iterator[tuple[Compiled, str]]:
    """The facts that hold, each with who compiles. `ran`: what the steps of the build ran: a source
    that they name did its work there."""
    for fact in facts:
        wanted = frozenset(fact.packages)
        for package in language_packages(view) if wanted else ():
            if plain_name(package.name) in wanted:
                yield fact, f"{package.ecosystem} package {package.name}"
                break
        else:
            pattern = re.compile(fact.named)
            found = (path for path, text in written_texts(view) if pattern.search(text))
            by = next((path for path in found if posixpath.basename(path) not in ran), "")
            if by:
                yield fact, by


def build_steps(view: ImageView) -> str:
    """The words of the steps over the base."""
    steps = view.image.layer_history[view.base_layers :]
    texts = (step.created_by for step in steps if step is not None)
    return "\n".join(
        text for text in texts if not re.match(r"(?:/bin/sh -c #\(nop\) )?(?:COPY|ADD)\b", text)
    )


def compilers(view: ImageView, facts: Iterable[Compiled]) -> Iterator[Needed]:
    """Paths of the compilers that a run may start, as far as the image has them."""
    for fact, by in compiles(view, facts, build_steps(view)):
        for glob in fact.needs:
            yield from (
                Needed(path, f"{by}, which compiles while it runs")
                for path in matching(view.tree, glob)
            )


def extensions(view: ImageView) -> Iterator[tuple[Node, str]]:
    """Extensions that a module of the language's own library loads, as `tkinter` loads `_tkinter`,
    for the modules that the application's sources import."""
    wanted = imported_modules(view)
    for home in library_folders(view):
        for name in sorted(wanted):
            for node in _extensions_of(view, home, name):
                yield node, name


_LOADS = re.compile(r"^[ \t]*(?:import|from)[ \t]+(_\w+)", re.MULTILINE)


def _extensions_of(view: ImageView, home: str, name: str) -> Iterator[Node]:
    texts = (
        view.read(f"{home}/{place}", 1 << 20) for place in (f"{name}.py", f"{name}/__init__.py")
    )
    loaded = {
        match for text in texts if text for match in _LOADS.findall(text.decode("utf-8", "replace"))
    }
    for found in sorted({name, *loaded}):
        for path in matching(view.tree, f"{home}/lib-dynload/{found}.*so"):
            node = view.file(path)
            if node is not None:
                yield node


def extension_libraries(view: ImageView) -> Iterator[Needed]:
    """Shared libraries of these extensions, where the image has them."""
    for node, name in extensions(view):
        elf = view.elf(node)
        for library in elf.needed if elf is not None else ():
            path = library_path(view, node, elf, library) if elf is not None else None
            if path is not None and path.startswith("/"):
                yield Needed(path, f"module {name}")


def script_modules(view: ImageView, facts: Iterable[Modules]) -> Iterator[Needed]:
    """Files of modules that scripts use by name, as far as the image has them."""
    for fact in facts:
        pattern = re.compile(fact.uses, re.MULTILINE)
        folders = [path for glob in fact.folders for path in matching(view.tree, glob)]
        for path, text in written_texts(view):
            if not path.endswith(tuple(fact.sources)):
                continue
            for name in dict.fromkeys(pattern.findall(text)):
                file = name.replace(fact.separator, "/") + fact.ending
                places = (f"{folder}/{file}" for folder in folders)
                found = next((place for place in places if view.is_file(place)), "")
                if found:
                    yield Needed(found, path)
