"""Measured facts of the original that strategies may use: its files, its packages, and what the
smoke run opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.runs import SystemPackages as SystemFacts
from imgopt.image.config import ImageConfig
from imgopt.image.image import Image
from imgopt.image.packages import Package, find_packages
from imgopt.image.tree import Node, Tree
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.runtimes import installed_version
from imgopt.rewrite.final.fates import PathFact
from imgopt.run.observation import KILLED
from imgopt.run.pictures import Process

T = TypeVar("T")
_LISTS = "/var/lib/dpkg/info"


@dataclass(frozen=True)
class SystemPackages:
    """The image's own package database: which package owns a path, and what is installed."""

    owners: Mapping[str, str] = field(default_factory=dict)
    """Real path -> package name."""
    installed: Mapping[str, str] = field(default_factory=dict)
    """Package name -> version."""
    chosen: tuple[str, ...] = ()
    """Installed over the base, and not only as a dependency of another package."""
    depends: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Package name -> the installed packages that it depends on."""

    def without_dependencies(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Those of `wanted` that no other of them brings along."""
        brought: set[str] = set()
        for name in wanted:
            brought |= self._below(name) - {name}
        both_ways = {
            name
            for name in wanted
            if name in brought and any(name in self._below(o) for o in self._below(name))
        }
        return {
            name: why for name, why in wanted.items() if name not in brought or name in both_ways
        }

    def with_dependencies(self, wanted: Iterable[str]) -> set[str]:
        """These packages and all that they bring along."""
        names = list(wanted)
        return {*names}.union(*(self._below(name) for name in names))

    def _below(self, name: str) -> set[str]:
        found: set[str] = set()
        stack = list(self.depends.get(name, ()))
        while stack:
            item = stack.pop()
            if item not in found:
                found.add(item)
                stack += self.depends.get(item, ())
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """What the original said to a GET, with the headers that say how it is to be read; `digest` is
    that of the body."""

    status: int
    type: str = ""
    location: str = ""
    caching: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Seen:
    """What the smoke run of the original showed."""

    opened: frozenset[str] | None = None
    """Paths that it opened; None: not measured."""
    executed: frozenset[str] = frozenset()
    written: tuple[str, ...] = ()
    """Paths that it created or changed."""
    ports: tuple[int, ...] = ()
    pages: Mapping[str, Page] = field(default_factory=dict)
    """By path, of a service that has one port and speaks HTTP."""
    processes: tuple[Process, ...] = ()
    """Those that ran at the end of it."""
    stop_seconds: float | None = None
    """How long it took to end when it was told to; None: it was not, or ended before."""
    stop_code: int | None = None
    """With which exit code."""
    companions: tuple[str, ...] = ()
    """Services that ran beside it."""
    reaches: Mapping[str, tuple[str, ...]] | None = None
    """Whom it asked for a page, by the page's path; None: not measured."""

    @property
    def was_killed(self) -> bool:
        """Whether it did not end within its time when it was told to."""
        return self.stop_code == KILLED


@dataclass(frozen=True)
class Evidence:
    """What was measured on the original image."""

    view: ImageView
    """The original image, and the base that it was built on."""
    packages: SystemPackages
    seen: Seen = Seen()
    package_layers: frozenset[int] = frozenset()
    """Layers made by RUN steps that called the system's package manager."""
    look_into: Callable[[str], Image | None] | None = None
    """A candidate base image, or None where it cannot be had."""

    @property
    def tree(self) -> Tree:
        return self.view.tree

    @property
    def config(self) -> ImageConfig:
        return self.view.config

    @property
    def base_layers(self) -> int:
        return self.view.base_layers

    def once(self, key: str, find: Callable[[], T]) -> T:
        """What many plans ask of the same image, found out once."""
        if key not in self._answers:
            self._answers[key] = find()
        answer: T = self._answers[key]
        return answer

    @cached_property
    def _answers(self) -> dict[str, Any]:
        return {}

    @cached_property
    def facts(self) -> dict[str, PathFact]:
        """The whole final file system, each path once. Of several names of one file one carries the
        bytes: what was opened (Maven 4 links its archive into a repository beside it), else the
        first that is in no store of an installer (pnpm and uv link packages from there, and the
        packages are what is kept)."""
        nodes = [node for node in self.tree.walk() if node.path not in ("", "/")]
        stores = tuple(f"{home}/." for home in self.homes)
        carriers: dict[int, str] = {}
        for node in sorted(
            nodes, key=lambda node: (node.path not in self.opened, node.path.startswith(stores))
        ):
            carriers.setdefault(id(node.inode), node.path)
        return {node.path: _fact(node, carriers[id(node.inode)] == node.path) for node in nodes}

    @cached_property
    def delta(self) -> tuple[PathFact, ...]:
        """Files, links and empty folders that the original adds over its base."""
        return tuple(
            fact
            for fact in self.facts.values()
            if fact.layer >= self.base_layers and (fact.kind != "dir" or self._is_empty(fact.path))
        )

    def _is_empty(self, path: str) -> bool:
        """An empty folder that the base does not have."""
        node = self.tree.get(path)
        base = self.view.base
        return (
            node is not None
            and not node.children
            and (base is None or base.tree().get(path) is None)
        )

    @cached_property
    def os_release(self) -> dict[str, str]:
        """/etc/os-release of the image; empty where there is none."""
        return read_release(self.tree)

    def installed(self, ecosystem: str) -> str:
        """The version of the ecosystem's run time that the image has; "" for none that says it."""
        return self.once(f"version of {ecosystem}", lambda: installed_version(self.view, ecosystem))

    @cached_property
    def homes(self) -> tuple[str, ...]:
        """Home folders: root's, those of /etc/passwd below /home, and the one that HOME names."""
        listed = (home for _, _, home in self.users if home.startswith("/home/"))
        named = self.config.environment.get("HOME", "").rstrip("/")
        return tuple(dict.fromkeys(["/root", *listed, *([named] if named.startswith("/") else [])]))

    @cached_property
    def users(self) -> tuple[tuple[str, int, str], ...]:
        """Name, number and home folder of each user in /etc/passwd."""
        return read_users(self.tree)

    @cached_property
    def all_packages(self) -> tuple[Package, ...]:
        """Packages of every ecosystem in the original."""
        return tuple(find_packages(self.tree))

    @cached_property
    def opened(self) -> frozenset[str]:
        """Every path that the smoke run opened or executed, and where it leads, but for the state
        of tools."""
        paths = {*(self.seen.opened or ()), *self.seen.executed}
        return frozenset(path for path in self.real(paths) if not is_state(self.view, path))

    def system(self, ecosystems: Iterable[Ecosystem]) -> SystemFacts | None:
        """The system package manager of the image's distribution."""
        names = {self.os_release.get("ID", ""), *self.os_release.get("ID_LIKE", "").split()}
        systems = (item.system for item in ecosystems if item.system is not None)
        return next(
            (system for system in systems if not names.isdisjoint(system.distributions)), None
        )

    def owner(self, path: str) -> str | None:
        """The system package that owns a path; links in the path are followed, as for a merged
        /usr. A link that a package brings is its own (`/usr/bin/gcc` of gcc leads to a file of
        gcc-12)."""
        owners = self.packages.owners
        if path in owners:
            return owners[path]
        if path in self.links_of_packages:
            return self.links_of_packages[path]
        node = self.tree.resolve(path)
        return owners.get(node.path) if node is not None else None

    @cached_property
    def links_of_packages(self) -> dict[str, str]:
        """Symbolic link -> the package that brings it, by Debian's own lists."""
        found: dict[str, str] = {}
        for node in self.tree.walk(_LISTS):
            if node.inode is None or not node.name.endswith(".list"):
                continue
            package = node.name.removesuffix(".list").partition(":")[0]
            for path in node.read().decode("utf-8", "surrogateescape").splitlines():
                there = self.tree.get(path) if package in self.packages.installed else None
                if there is not None and there.kind == "symlink":
                    found[path] = package
        return found

    def real(self, paths: Iterable[str]) -> frozenset[str]:
        """The paths themselves and where they lead."""
        found: set[str] = set()
        for path in paths:
            node = self.tree.resolve(path)
            found |= {path} if node is None else {path, node.path}
        return frozenset(found)


def _fact(node: Node, carries: bool) -> PathFact:
    kind = node.kind if node.kind in ("file", "dir", "symlink") else "other"
    size = node.size if carries else 0
    return PathFact(node.path, kind, size, node.layer, node.mode, node.uid, node.gid, node.linkname)


def read_release(tree: Tree) -> dict[str, str]:
    """/etc/os-release; empty where there is none."""
    try:
        text = tree.read("/etc/os-release", 65536).decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def read_users(tree: Tree) -> tuple[tuple[str, int, str], ...]:
    """Name, number and home of every line of /etc/passwd that can be read."""
    try:
        text = tree.read("/etc/passwd", 1 << 20).decode("utf-8", "replace")
    except FileNotFoundError:
        return ()
    rows = (line.split(":") for line in text.splitlines())
    return tuple(
        (row[0], int(row[2]), row[5]) for row in rows if len(row) >= 6 and row[2].isdigit()
    )
