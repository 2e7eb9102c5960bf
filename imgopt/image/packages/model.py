"""Packages as their own databases describe them, and who owns which file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imgopt.image.entries import printable
from imgopt.image.tree import Node, Tree

Alternatives = tuple[str, ...]
_NOBODY = sys.maxsize
"""In place of a package's number: no package claims the file."""


@dataclass(frozen=True, slots=True)
class Part:
    """A package inside of another's file (a jar in a jar, a module in a program), with its share of
    the bytes."""

    name: str
    version: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a database says: a package and the paths it claims, before any byte has its one
    owner."""

    ecosystem: str
    name: str
    version: str
    metadata: Node
    """The file that says so: its layer is the package's layer."""
    claims: tuple[Node, ...] = ()
    """Regular files that the package owns; a directory claims all below."""
    architecture: str = ""
    depends: tuple[Alternatives, ...] = ()
    """Names without versions; each item is a choice ("a | b")."""
    provides: tuple[str, ...] = ()
    auto: bool | None = None
    """True when it came only as a dependency, None when the database does not say."""
    essential: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """A package and what it occupies in the final tree. `layer` is the index of the layer that
    installed it."""

    ecosystem: str
    name: str
    version: str
    bytes: int
    """Live bytes that no package before it in the list owns."""
    files: tuple[str, ...]
    layer: int
    metadata: str
    architecture: str = ""
    depends: tuple[Alternatives, ...] = ()
    provides: tuple[str, ...] = ()
    auto: bool | None = None
    essential: bool = False
    inside: str | None = None
    """The package whose file contains this one: its bytes are part of that one's bytes."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A package database that imgopt cannot read: where it is, and whose."""

    path: str
    what: str

    @property
    def text(self) -> str:
        return (
            f"{printable(self.path)} is a package database ({self.what}) that imgopt cannot read:"
            " its files count as files of no package"
        )


class Packages:
    """All packages of a tree. Every live byte has one owner or none: the bytes of those that are
    not inside another, with `unowned_bytes`, sum to the live bytes."""

    def __init__(
        self,
        packages: tuple[Package, ...],
        owners: dict[str, Package],
        unowned_bytes: int,
        linked: dict[int, Package] | None = None,
        unread: tuple[Unread, ...] = (),
    ) -> None:
        self.packages, self.unowned_bytes = packages, unowned_bytes
        self.unread = unread
        """Databases that are there and could not be read."""
        self._owners, self._linked = owners, linked or {}

    def __iter__(self) -> Iterator[Package]:
        return iter(self.packages)

    def __len__(self) -> int:
        return len(self.packages)

    def owner(self, path: str) -> Package | None:
        """The package that owns the file at this path of the tree (a path of a Node: no links on
        the way)."""
        return self._owners.get(path)

    def owner_of(self, node: Node) -> Package | None:
        """The package that owns the file at this node by this name or by another one: an installer
        may keep a hard link of what it installs."""
        return self._owners.get(node.path) or self._linked.get(id(node.inode))

    def named(self, name: str, ecosystem: str | None = None) -> Package | None:
        """The first package of that name."""
        return next(
            (p for p in self.packages if p.name == name and ecosystem in (None, p.ecosystem)), None
        )


class Paths:
    """Looks up many paths; each directory only once."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._directories: dict[str, Node | None] = {}

    def get(self, path: str) -> Node | None:
        """As Tree.get."""
        directory, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            return self.tree.get(path)
        children = self._children(directory)
        return children.get(name) if children is not None else None

    def files(self, paths: Iterable[str]) -> tuple[Node, ...]:
        """Those that are regular files of the tree."""
        found = []
        last, children = None, None
        for path in paths:
            directory, _, name = path.rpartition("/")
            if name in ("", ".", ".."):
                continue
            if directory != last:  # lists are by directory
                last, children = directory, self._children(directory)
            node = children.get(name) if children is not None else None
            if node is not None and node.inode is not None:
                found.append(node)
        return tuple(found)

    def _children(self, directory: str) -> dict[str, Node] | None:
        if directory not in self._directories:
            self._directories[directory] = self.tree.resolve(directory or "/")
        parent = self._directories[directory]
        return parent.children if parent is not None else None


def assign(tree: Tree, found: Iterable[Found], unread: tuple[Unread, ...] = ()) -> Packages:
    """Gives every file the first package that claims it; bytecode goes with its source."""
    items = list(found)
    owned = _claimed(items)
    _own_bytecode(tree, owned)
    files: list[list[str]] = [[] for _ in items]
    sizes = [0] * len(items)
    unowned = 0
    linked: dict[int, tuple[int, int]] = {}
    for node in tree.files():
        number = owned.get(node.path, _NOBODY)
        inode = node.inode
        assert inode is not None
        if number != _NOBODY:
            files[number].append(node.path)
        if inode.links > 1:
            best = linked.get(id(inode), (_NOBODY, node.size))
            linked[id(inode)] = min(best, (number, node.size))
        elif number != _NOBODY:
            sizes[number] += node.size
        else:
            unowned += node.size
    for number, size in linked.values():
        if number != _NOBODY:
            sizes[number] += size
        else:
            unowned += size
    packages = [_package(*each) for each in zip(items, sizes, files, strict=True)]
    owners = {path: packages[number] for path, number in owned.items()}
    by_link = {key: packages[number] for key, (number, _) in linked.items() if number != _NOBODY}
    for item, package in zip(items, list(packages), strict=True):
        if item.parts:
            packages.extend(_parts(item, package))
    return Packages(tuple(packages), owners, unowned, by_link, unread)


def _claimed(items: list[Found]) -> dict[str, int]:
    """The number of the first package that claims each file."""
    owned: dict[str, int] = {}
    for number, item in enumerate(items):
        for claim in item.claims:
            for node in (claim,) if claim.inode is not None else claim.nodes():
                if node.inode is not None:
                    owned.setdefault(node.path, number)
    return owned


def _parts(item: Found, package: Package) -> Iterator[Package]:
    """Packages without files of their own; their bytes count as their container's, and are named
    apart by `inside`."""
    for part in item.parts:
        yield Package(
            item.ecosystem,
            part.name,
            part.version,
            part.bytes,
            (),
            package.layer,
            package.metadata,
            inside=package.name,
        )


def _own_bytecode(tree: Tree, owned: dict[str, int]) -> None:
    for node in tree.files():
        if node.path.endswith(".pyc") and node.path not in owned:
            directory, _, name = node.path.rpartition("/")
            source = f"{directory.removesuffix('/__pycache__')}/{name.partition('.')[0]}.py"
            if source in owned:
                owned[node.path] = owned[source]


def _package(item: Found, size: int, files: list[str]) -> Package:
    return Package(
        item.ecosystem,
        item.name,
        item.version,
        size,
        tuple(sorted(files)),
        item.metadata.layer,
        item.metadata.path,
        item.architecture,
        item.depends,
        item.provides,
        item.auto,
        item.essential,
    )


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Paragraphs of "Key: value" lines with continuations (RFC 822 style: dpkg, METADATA), keys in
    lower case."""
    fields: dict[str, str] = {}
    key = ""
    for line in text.split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields, key = {}, ""
        elif line[0] in " \t":
            if key:
                fields[key] += f"\n{line}"
        else:
            name, colon, value = line.partition(":")
            if colon:
                key = name.lower()
                fields.setdefault(key, value.strip())
    if fields:
        yield fields
