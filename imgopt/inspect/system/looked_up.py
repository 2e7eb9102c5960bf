"""Tables that a run looks up only when somebody asks: which of an image the service may come to.

A name behind an ending, a port's number, a clock far away, the name behind a user's number: no
probe asks for all of them, and the answer is another one where the table is gone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.facts.lookups import Table
from imgopt.image.packages.names import plain_name
from imgopt.image.tree import Node, Tree
from imgopt.inspect.files.settings_files import settings_texts
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import language_packages
from imgopt.inspect.sources.texts import written_texts

_MOST_OF_PROGRAM = 256 << 20


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A path of the image, a file or a folder with all in it, and who may look it up."""

    path: str
    reason: str
    by: str
    """A source, a package or a program."""


def looked_up(
    view: ImageView,
    tables: Iterable[Table],
    executed: Iterable[str] = (),
    opened: Iterable[str] = (),
    *,
    programs: bool = True,
) -> tuple[LookedUp, ...]:
    """The tables that the image has and the service may look up; `executed`, `opened`: what a run
    started and read. `programs`: also what the program that the image starts names, which may be of
    a library that nobody calls."""
    found: dict[str, LookedUp] = {}
    names, opened = frozenset(started_names(view, executed)), sorted(opened)
    for table in tables:
        paths = [path for glob in table.paths for path in matching(view.tree, glob)]
        by = (
            _asks(view, table, names, opened, programs)
            if paths and not _brings(view, table)
            else ""
        )
        by_path = {path: by for path in paths if by} or (
            _in_part(paths, opened) if table.if_part_opened else {}
        )
        for path, asking in by_path.items():
            found.setdefault(path, LookedUp(path, table.reason, asking))
    return tuple(found.values())


def _in_part(paths: Iterable[str], opened: list[str]) -> dict[str, str]:
    """Folders of which the run opened a part -> the first file of it."""
    parts = {
        path: next((one for one in opened if one.startswith(f"{path}/")), "") for path in paths
    }
    return {path: part for path, part in parts.items() if part}


def _brings(view: ImageView, table: Table) -> bool:
    """Whether the application has this table with it."""
    own = {plain_name(p.name) for p in language_packages(view)} if table.unless_packages else set()
    return bool(own & set(table.unless_packages)) or bool(
        table.unless and named_by(view, table.unless)
    )


def _asks(
    view: ImageView, table: Table, started: frozenset[str], opened: list[str], programs: bool
) -> str:
    """Who looks this table up; "" for nobody that is known."""
    for name in sorted(started):
        if any(fnmatchcase(name, glob) for glob in table.programs):
            return name
    loaded = next((path for path in opened for glob in table.opened if fnmatchcase(path, glob)), "")
    if loaded:
        return loaded
    wanted = frozenset(table.packages)
    for package in language_packages(view) if wanted else ():
        if plain_name(package.name) in wanted or package.name in wanted:
            return f"{package.ecosystem} package {package.name}"
    return named_by(view, table.named, program=programs) if table.named else ""


def named_by(view: ImageView, expression: str, *, program: bool = False) -> str:
    """The first text of the application in which this stands: a source, a setting, or the
    `program` that the image starts; "" for none."""
    pattern = re.compile(expression)
    for path, text in (*written_texts(view), *settings_texts(view)):
        if pattern.search(text):
            return path
    started = compiled_program(view) if program else None
    if started is not None and re.search(expression.encode(), started.read(_MOST_OF_PROGRAM)):
        return started.path
    return ""


def compiled_program(view: ImageView) -> Node | None:
    """The program that the image starts, where it was compiled for it."""
    for word in (*(view.config.entrypoint or ()), *(view.config.cmd or ()))[:1]:
        node = view.command(word)
        if node is not None and view.elf(node) is not None and not view.in_base(node):
            return node
    return None


def started_names(view: ImageView, executed: Iterable[str]) -> Iterator[str]:
    """Names of the programs that the start names, of those that their first lines name, and of
    those that ran."""
    words = (*(view.config.entrypoint or ()), *(view.config.cmd or ()))
    nodes = [*map(view.command, " ".join(words).split()), *map(view.file, executed)]
    for node in nodes:
        if node is None:
            continue
        yield node.name
        for word in " ".join(view.shebang(node)).split():
            yield posixpath.basename(word)


def matching(tree: Tree, glob: str) -> list[str]:
    """The paths that a glob pattern over absolute paths names, as it spells them: links are
    followed, `*` does not cross `/`."""
    found = [""]
    for part in glob.strip("/").split("/"):
        step = []
        for folder in found:
            node = tree.resolve(folder or "/")
            names = sorted((node.children or ()) if node is not None else ())
            step += [f"{folder}/{name}" for name in names if fnmatchcase(name, part)]
        found = step
    return [path for path in found if tree.resolve(path) is not None]


def lacking(view: ImageView, found: LookedUp, tree: Tree) -> list[str]:
    """The files of a table that another image's tree has not, at the paths where they are looked
    for."""
    root = view.tree.resolve(found.path)
    if root is None:
        return []
    nodes = (node for node in root.walk() if node.inode is not None)
    paths = (found.path + node.path.removeprefix(root.path) for node in nodes)
    return sorted(path for path in paths if not _has(tree, path))


def _has(tree: Tree, path: str) -> bool:
    """Libraries and their tables may be in either of two folders where only one image has /usr
    merged."""
    other = path.removeprefix("/usr") if path.startswith("/usr/lib") else path
    return tree.resolve(path) is not None or tree.resolve(other) is not None
