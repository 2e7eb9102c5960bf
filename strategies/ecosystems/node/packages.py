"""Which packages of node_modules are there for development only, what goes with them, and what
names them all the same.

Source: Node.js' documentation, "Loading from node_modules folders"; npm's, "package.json".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from imgopt.inspect.packages.development_packages import marked_for_development
from imgopt.inspect.packages.named_packages import named_in, named_in_settings, partners
from imgopt.inspect.sources.modules import MARKUP, TYPED
from imgopt.inspect.sources.texts import source_texts
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.order.workspaces import json_object

_MODULES = "node_modules"
_MANIFEST = "package.json"
_STORE = f"/{_MODULES}/.pnpm/"
_SETTINGS_OF_TOOLS = re.compile(r"(?:^|/)\.[^/]*$|\.config\.[^/]*$|[-.]config\.[cm]?js$")


class NodePackages:
    """Those of the project in one folder of the image."""

    installed_in = _MODULES

    def __init__(self, evidence: Evidence, folder: str) -> None:
        self._evidence, self._folder = evidence, folder
        self._modules = posixpath.join(folder, _MODULES) + "/"

    def for_development(self) -> tuple[str, ...]:
        """By npm's own record of the tree, or because no package that production needs leads to
        them."""
        marked = marked_for_development(self._evidence.view, self._folder)
        if marked is not None:
            return marked
        if not self._json(self._folder).get("devDependencies"):
            return ()
        needed = self._needed()
        there = {
            posixpath.dirname(package.metadata)
            for package in self._evidence.all_packages
            if package.ecosystem == "node"
        }
        own = (path for path in there if path.startswith(self._modules))
        return tuple(sorted(path for path in own if path not in needed))

    def pruned(self, packages: Iterable[str]) -> set[str]:
        """Their files, pnpm's folder around each, links to them, and their programs."""
        packages = list(packages)
        gone = {_store_folder(package) for package in packages}
        programs = {name for package in packages for name in self._programs(package)}
        paths = {path for package in gone for path in self._below(package)}
        shims = (f"{self._modules}.bin/", f"{self._modules}.pnpm/{_MODULES}/.bin/")
        for path, fact in self._evidence.facts.items():
            if not path.startswith(self._modules) or fact.kind == "dir":
                continue
            is_link = fact.kind == "symlink"
            target = self._evidence.tree.resolve(path) if is_link else None
            led = target is not None and is_below(target.path, gone)
            is_shim = path.startswith(shims) and posixpath.basename(path) in programs
            if led or (target is None and is_shim):
                paths.add(path)
        return paths

    def named(self, packages: Iterable[str], spared: frozenset[str]) -> tuple[str, str] | None:
        """Of those that the project lists itself in its sources and settings, of all in the
        manifests of packages that stay."""
        view = self._evidence.view
        gone = {posixpath.join(path, _MANIFEST) for path in packages}
        names = frozenset(self.package_of(path) for path in gone)
        listed = (self._json(place) for place in (self._folder, *self._members()))
        own = names & {name for one in listed for name in _keys(one.get("devDependencies"))}
        for found in (named_in(self._run_texts(), own), named_in_settings(view, own)):
            if (first := next(found, None)) is not None:
                return first
        own_manifest = posixpath.join(self._folder, _MANIFEST)
        kept = (
            package.metadata
            for package in self._evidence.all_packages
            if is_below(package.metadata, [self._folder]) and package.metadata not in gone
        )
        found = partners(view, (path for path in kept if path != own_manifest))
        return next((pair for pair in found if pair[0] in names - spared), None)

    def package_of(self, path: str) -> str:
        parts = path.rpartition(f"/{_MODULES}/")[2].split("/")
        return "/".join(parts[:2]) if parts[0].startswith("@") else parts[0]

    def _run_texts(self) -> Iterator[tuple[str, str]]:
        """Sources that a run may come to: settings of tools and what is compiled first are none,
        unless the run opened them."""
        opened = self._evidence.opened
        typed = any(path.endswith(TYPED) for path in opened)
        compiled = MARKUP if typed else (*MARKUP, *TYPED)
        for path, text in source_texts(self._evidence.view):
            aside = _SETTINGS_OF_TOOLS.search(path) or path.endswith(compiled)
            if path in opened or not aside:
                yield path, text

    def _programs(self, package: str) -> Iterable[str]:
        """Names that a package puts into node_modules/.bin."""
        about = self._json(package)
        given = about.get("bin")
        if isinstance(given, dict):
            return [str(name) for name in given]
        return [str(about.get("name", "")).rpartition("/")[2]] if isinstance(given, str) else []

    def _needed(self) -> set[str]:
        """Real folders of the packages that production needs, found as Node.js finds them: here and
        above."""
        found = {self._folder, *self._members()}
        stack = [*found]
        while stack:
            here = stack.pop()
            about = self._json(here)
            for kind in ("dependencies", "optionalDependencies", "peerDependencies"):
                for name in _keys(about.get(kind)):
                    place = self._resolve(here, name)
                    if place and place not in found:
                        found.add(place)
                        stack.append(place)
        return found

    def _members(self) -> Iterable[str]:
        """Folders of the project that have a manifest of their own, as the members of a workspace
        have."""
        below, ending = self._folder + "/", f"/{_MANIFEST}"
        own = (path for path in self._evidence.facts if path.startswith(below))
        manifests = (path for path in own if path.endswith(ending))
        return (posixpath.dirname(path) for path in manifests if f"/{_MODULES}/" not in path)

    def _resolve(self, here: str, name: str) -> str:
        while True:
            node = self._evidence.tree.resolve(posixpath.join(here, _MODULES, name))
            if node is not None:
                return node.path
            if here in ("/", ""):
                return ""
            here = posixpath.dirname(here)

    def _json(self, folder: str) -> dict[str, object]:
        return json_object(self._evidence.view.read(posixpath.join(folder, _MANIFEST)) or b"")

    def _below(self, folder: str) -> list[str]:
        return [
            node.path
            for node in self._evidence.tree.walk(folder)
            if node.kind != "dir" and node.path in self._evidence.facts
        ]


def _keys(table: object) -> set[str]:
    return set(table) if isinstance(table, dict) else set()


def _store_folder(package: str) -> str:
    head, store, tail = package.partition(_STORE)
    return head + store + tail.partition("/")[0] if store else package
