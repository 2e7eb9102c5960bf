"""Layers laid over each other: the final tree, and what happened to every file that is not in it.

The rules are those of image-spec `layer.md` as moby's UnpackLayer applies them: whiteouts hit lower
layers only, a directory over a directory merges, anything else replaces the whole subtree, parents
that are links are followed inside the root, parents that are missing are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Literal

from imgopt.errors import InputError
from imgopt.image.entries import Entry, Kind
from imgopt.image.layer import Layer

Cause = Literal["replaced", "deleted", "deleted-directory", "opaque"]

_MAX_LINKS = 40
"""Linux' bound on links followed in one lookup."""


class Inode:
    """The contents of a file: the entry that shipped them, and how many names lead to them."""

    __slots__ = ("entry", "layer", "links", "names")

    def __init__(self, entry: Entry, layer: Layer) -> None:
        self.entry, self.layer = entry, layer
        self.links = 0
        """Names that are alive."""
        self.names = 0
        """Names that it ever had."""


class Node:
    """A path of the merged tree. A hard link is a file; several nodes may share one inode."""

    __slots__ = ("_layer", "children", "entry", "inode", "kind", "parent", "path")

    def __init__(
        self, path: str, kind: Kind, entry: Entry, layer: Layer | None, parent: Node | None
    ) -> None:
        self.path, self.kind, self.entry, self.parent = path, kind, entry, parent
        self._layer = layer
        self.children: dict[str, Node] | None = {} if kind == "dir" else None
        self.inode: Inode | None = None

    def __repr__(self) -> str:
        return f"Node({self.path!r}, {self.kind})"

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def layer(self) -> int:
        """Index of the layer that supplied this path (for a directory: that last wrote its
        attributes); -1 for none."""
        return self._layer.index if self._layer else -1

    @property
    def content_layer(self) -> int:
        """Index of the layer that ships the contents: differs from `layer` for a hard link into a
        lower layer."""
        return self.inode.layer.index if self.inode else self.layer

    @property
    def size(self) -> int:
        """Stored bytes of a regular file, else 0."""
        return self.inode.entry.size if self.inode else 0

    @property
    def mode(self) -> int:
        """Permission bits with setuid, setgid and sticky."""
        return self._attributes.mode

    @property
    def uid(self) -> int:
        return self._attributes.uid

    @property
    def gid(self) -> int:
        return self._attributes.gid

    @property
    def mtime(self) -> int:
        """Nanoseconds since 1970."""
        return self._attributes.mtime

    @property
    def linkname(self) -> str:
        """Target of a symbolic link, as written; "" for others."""
        return self.entry.linkname if self.kind == "symlink" else ""

    @property
    def digest(self) -> str | None:
        """ "sha256:…" of a regular file's contents, computed when first asked; None for others."""
        return self.inode.layer.file_digest(self.inode.entry) if self.inode else None

    @property
    def _attributes(self) -> Entry:
        return self.inode.entry if self.inode else self.entry

    def open(self) -> BinaryIO:
        """The contents of a regular file, seekable. Raises InputError for anything else."""
        if self.inode is None:
            raise InputError(f"{self.path} is no regular file but a {self.kind}")
        return self.inode.layer.open(self.inode.entry)

    def read(self, limit: int | None = None) -> bytes:
        """The first `limit` bytes of a regular file, or all of it. Raises InputError for anything
        else."""
        if self.inode is None:
            raise InputError(f"{self.path} is no regular file but a {self.kind}")
        return self.inode.layer.read(self.inode.entry, limit)

    def walk(self) -> Iterator[Node]:
        """This node and all below, parents first, names sorted."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.children:
                stack.extend(node.children[name] for name in sorted(node.children, reverse=True))

    def nodes(self) -> Iterator[Node]:
        """As walk(), in no particular order but faster."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.children:
                stack.extend(node.children.values())


class Tree:
    """The final file system of an image; paths are absolute and may go through links."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def get(self, path: str) -> Node | None:
        """The node at `path` as lstat sees it: links are followed on the way, not at the end."""
        return self._lookup(path, follow_last=False)

    def resolve(self, path: str) -> Node | None:
        """The node at `path` as stat sees it; None for what is not there, dangles or turns in a
        circle."""
        return self._lookup(path, follow_last=True)

    def open(self, path: str) -> BinaryIO:
        """Raises FileNotFoundError where there is no file."""
        return self._file(path).open()

    def read(self, path: str, limit: int | None = None) -> bytes:
        """The contents of the file at `path`, links followed. Raises FileNotFoundError where there
        is no file."""
        return self._file(path).read(limit)

    def walk(self, path: str = "/") -> Iterator[Node]:
        """Every node at and below `path`, parents first, names sorted; nothing where there is no
        such path."""
        node = self.get(path)
        return node.walk() if node is not None else iter(())

    def files(self, path: str = "/") -> Iterator[Node]:
        """Every regular file at and below `path`, in no particular order."""
        node = self.get(path)
        if node is self.root:
            return iter(self._all_files)
        return (
            (child for child in node.nodes() if child.inode is not None)
            if node is not None
            else iter(())
        )

    @cached_property
    def _all_files(self) -> list[Node]:
        return [node for node in self.root.nodes() if node.inode is not None]

    def _file(self, path: str) -> Node:
        node = self.resolve(path)
        if node is None or node.inode is None:
            raise FileNotFoundError(path)
        return node

    def _lookup(self, path: str, *, follow_last: bool) -> Node | None:
        node, links = self.root, 0
        parts = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        while parts:
            part = parts.pop()
            if part == "..":
                node = node.parent or node
                continue
            child = node.children.get(part) if node.children is not None else None
            if child is None:
                return None
            if child.kind != "symlink" or (not parts and not follow_last):
                node = child
                continue
            links += 1
            if links > _MAX_LINKS:
                return None
            target = child.entry.linkname
            if target.startswith("/"):
                node = self.root
            parts.extend(step for step in reversed(target.split("/")) if step not in ("", "."))
        return node


@dataclass(frozen=True, slots=True)
class Death:
    """Contents that are shipped but not in the final tree: the last name of `inode` went away in
    layer `killer`."""

    path: str
    inode: Inode
    killer: int
    cause: Cause
    successor: Inode | None = None
    """What stands at the path instead, when it is a regular file."""


class Merge:
    """Applies layers in order. `tree` is the result, `deaths` the files that were lost on the
    way."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.deaths: list[Death] = []
        self.tree = Tree(Node("", "dir", _IMPLIED, None, None))
        self._directories: dict[str, Node] = {}
        for layer in layers:
            self._apply(layer)

    def _apply(self, layer: Layer) -> None:
        entries = layer.entries()
        marks = [entry for entry in entries if entry.kind in ("whiteout", "opaque")]
        for mark in marks:
            if mark.kind == "opaque":
                self._hide_contents(mark, layer)
        for mark in marks:
            if mark.kind == "whiteout":
                self._delete(mark, layer)
        if marks:
            self._directories.clear()
        for entry in entries:
            if entry.kind not in ("whiteout", "opaque"):
                self._add(entry, layer)

    def _hide_contents(self, mark: Entry, layer: Layer) -> None:
        node = self.tree.get(mark.path)
        if node is not None and node.children:
            for child in list(node.children.values()):
                self._bury(child, layer, "opaque", "opaque")
            node.children.clear()

    def _delete(self, mark: Entry, layer: Layer) -> None:
        node = self.tree.get(mark.path)
        if node is None or node.parent is None or node.parent.children is None:
            return  # a whiteout of what is not below is legal: nothing to do
        del node.parent.children[node.name]
        self._bury(node, layer, "deleted", "deleted-directory")

    def _add(self, entry: Entry, layer: Layer) -> None:
        directory, _, name = entry.path.rpartition("/")
        if not name:  # the root itself
            self.tree.root.entry, self.tree.root._layer = entry, layer
            return
        parent = self._directories.get(directory) or self._directory(directory, layer)
        children = parent.children
        assert children is not None
        existing = children.get(name)
        if existing is not None and entry.kind == "dir" and existing.kind == "dir":
            existing.entry, existing._layer = entry, layer
            return
        path = entry.path if parent.path == directory else f"{parent.path}/{name}"
        node = self._node(path, entry, layer, parent)
        children[name] = node
        if existing is not None:
            if existing.kind in ("dir", "symlink"):
                self._directories.clear()
            self._bury(existing, layer, "replaced", "deleted-directory", node.inode)

    def _node(self, path: str, entry: Entry, layer: Layer, parent: Node) -> Node:
        if entry.kind == "hardlink":
            target = self.tree.get(entry.linkname)
            inode = target.inode if target is not None else None
            if (
                target is not None and inode is None and target.kind != "dir"
            ):  # a hard link to a link or a device
                return Node(path, target.kind, target.entry, layer, parent)
            inode = inode or Inode(
                Entry(path, "file"), layer
            )  # engines refuse a dangling one; here it is empty
        elif entry.kind == "file":
            inode = Inode(entry, layer)
        else:
            return Node(path, entry.kind, entry, layer, parent)
        node = Node(path, "file", entry, layer, parent)
        node.inode = inode
        inode.links += 1
        inode.names += 1
        return node

    def _bury(
        self, node: Node, layer: Layer, cause: Cause, below: Cause, successor: Inode | None = None
    ) -> None:
        """The node and all below lose their names; contents without a name left are dead."""
        for each in node.nodes():
            inode = each.inode
            if inode is None:
                continue
            inode.links -= 1
            if inode.links == 0 and inode.entry.size:
                own = each is node
                self.deaths.append(
                    Death(
                        each.path,
                        inode,
                        layer.index,
                        cause if own else below,
                        successor if own else None,
                    )
                )

    def _directory(self, path: str, layer: Layer) -> Node:
        """The directory at `path`, links followed inside the root, missing parts made."""
        node, links = self.tree.root, 0
        parts = [part for part in reversed(path.split("/")) if part]
        while parts:
            part = parts.pop()
            if part == "..":
                node = node.parent or node
                continue
            assert node.children is not None
            child = node.children.get(part)
            if child is not None and child.kind == "symlink" and links < _MAX_LINKS:
                links += 1
                target = child.entry.linkname
                if target.startswith("/"):
                    node = self.tree.root
                parts.extend(step for step in reversed(target.split("/")) if step not in ("", "."))
                continue
            if child is None or child.kind != "dir":
                child = self._make_directory(node, part, layer)
            node = child
        self._directories[path] = node
        return node

    def _make_directory(self, parent: Node, name: str, layer: Layer) -> Node:
        assert parent.children is not None
        node = Node(f"{parent.path}/{name}", "dir", _IMPLIED, layer, parent)
        existing = parent.children.get(name)
        parent.children[name] = node
        if existing is not None:
            self._directories.clear()
            self._bury(existing, layer, "replaced", "deleted-directory")
        return node


_IMPLIED = Entry("", "dir")
"""Stands for a directory that no layer has an entry for."""
