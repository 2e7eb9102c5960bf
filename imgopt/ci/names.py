"""What a layer ships, each file once: by the name of the package that owns it, or by its first
name, whatever the order in the archive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from imgopt.image import Layer, Node, Package, Packages, Tree


class FileNames:
    """Paths as the final tree names them (`/lib/x` is `/usr/lib/x` where `/lib` is a link), and
    whose file each is."""

    def __init__(self, tree: Tree, packages: Packages) -> None:
        self._tree, self._packages = tree, packages
        self._known: dict[str, str] = {}

    def shipped(self, layer: Layer) -> Iterator[tuple[int, str, Package | None]]:
        """Bytes, path and owner of every file of a layer, the deleted and the overwritten ones
        too."""
        links: dict[str, list[str]] = defaultdict(list)
        leads_to: dict[str, str] = {}
        for entry in layer.entries():
            if entry.kind == "hardlink":  # maybe of a link that came before
                leads_to[entry.path] = leads_to.get(entry.linkname, entry.linkname)
                links[leads_to[entry.path]].append(entry.path)
        for entry in layer.entries():
            if entry.kind == "file" and entry.size:
                names = [entry.path, *links.get(entry.path, ())]
                path, owner = self._named([self._canonical(name) for name in names])
                yield entry.size, path, owner

    def _named(self, names: list[str]) -> tuple[str, Package | None]:
        names = sorted(names)
        for name in names:
            owner = self._packages.owner(name)
            if owner is not None:
                return name, owner
        node = self._tree.get(names[0])
        return names[0], self._packages.owner_of(node) if node is not None else None

    def _canonical(self, path: str) -> str:
        directory, _, name = path.rpartition("/")
        real = self._known.get(directory)
        if real is None:
            node: Node | None = self._tree.resolve(directory or "/")
            real = self._known[directory] = node.path if node is not None else directory
        return f"{real}/{name}"
