"""One image as the checks see it: its configuration, its final tree, and what is asked of them
again and again."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Hashable
from functools import cached_property

from imgopt.image.config import ImageConfig
from imgopt.image.elf import Elf, is_elf, read_elf
from imgopt.image.image import Image
from imgopt.image.packages import Package, Packages, find_packages
from imgopt.image.packages.names import plain_name
from imgopt.image.tree import Inode, Node, Tree
from imgopt.inspect.system.loader import Loader, folders_of, read_cache
from imgopt.inspect.system.users import EXECUTE, Identity, resolve_user

_SCRIPT_HEAD = 256  # the kernel reads no more of a first line (BINPRM_BUF_SIZE)
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What the engine sets where the image sets none (moby, oci/defaults)."""


class ImageView:
    """An image of the comparison; `base` is the image that it was built on, where that is known.

    `base_layers` says how many of its layers count as the base's where only that is known;
    `base_known` is False where nobody can tell which files are the base's.
    """

    def __init__(
        self,
        image: Image,
        base: Image | None = None,
        base_layers: int = 0,
        *,
        base_known: bool = True,
    ) -> None:
        self.image = image
        self.config: ImageConfig = image.config
        self.tree: Tree = image.tree()
        self.base = base
        self.base_layers = _shared_layers(image, base) or base_layers
        self.base_known = base_known
        self.answers: dict[Hashable, object] = {}
        """Of functions about this image that are called again and again (`remembered`)."""
        self._elves: dict[Inode, Elf | None] = {}
        self._heads: dict[Inode, bytes] = {}

    @cached_property
    def identity(self) -> Identity | None:
        """The user of the configuration; None when the image does not know it."""
        return resolve_user(self.config.user, self.read)

    @cached_property
    def has_shell(self) -> bool:
        """Whether a step of a build could run in it, and the shell form of a command."""
        return self.exists("/bin/sh")

    @cached_property
    def workdir(self) -> str:
        return posixpath.normpath(posixpath.join("/", self.config.workdir or "/"))

    @cached_property
    def search_path(self) -> tuple[str, ...]:
        path = self.config.environment.get("PATH") or DEFAULT_PATH
        return tuple(folder for folder in path.split(":") if folder)

    @cached_property
    def loader(self) -> Loader:
        musl = next(
            (node for node in self.tree.walk("/lib") if node.name.startswith("ld-musl-")), None
        )
        library_path = folders_of(self.config.environment.get("LD_LIBRARY_PATH"))
        cache = read_cache(self.read("/etc/ld.so.cache") or b"")
        return Loader(
            self.is_file, cache, tuple(library_path), self._musl_path(musl.name) if musl else None
        )

    def _musl_path(self, name: str) -> tuple[str, ...]:
        arch = name.removeprefix("ld-musl-").partition(".")[0]
        listed = (self.read(f"/etc/ld-musl-{arch}.path") or b"").decode("utf-8", "replace")
        return tuple(folders_of(listed.replace("\n", ":"))) or (
            "/lib",
            "/usr/local/lib",
            "/usr/lib",
        )

    @cached_property
    def packages(self) -> Packages:
        return find_packages(self.tree)

    @cached_property
    def package_index(self) -> dict[tuple[str, str, str], list[Package]]:
        """Packages by ecosystem, plain name and version."""
        found: dict[tuple[str, str, str], list[Package]] = defaultdict(list)
        for package in self.packages:
            found[package.ecosystem, plain_name(package.name), package.version].append(package)
        return found

    @cached_property
    def package_folders(self) -> frozenset[str]:
        """Folders of three names (`/usr/share/mime`) in which packages have files."""
        files = (path for package in self.packages for path in package.files)
        return frozenset("/".join(path.split("/")[:4]) for path in files)

    def owner(self, path: str) -> Package | None:
        """The system or language package that owns this path."""
        return self.packages.owner(path)

    @cached_property
    def base_view(self) -> ImageView | None:
        """The base image by itself."""
        return ImageView(self.base) if self.base is not None else None

    def in_base(self, node: Node) -> bool:
        """Did the base image ship what this path holds?"""
        return node.content_layer < self.base_layers

    def read(self, path: str, limit: int | None = None) -> bytes | None:
        """The contents of the file at `path`, links followed; None where there is none."""
        node = self.tree.resolve(path)
        return node.read(limit) if node is not None and node.inode is not None else None

    def exists(self, path: str) -> bool:
        return self.tree.resolve(path) is not None

    def names(self, folder: str) -> frozenset[str]:
        """What is in a folder; empty where there is none."""
        node = self.tree.resolve(folder)
        return frozenset(node.children or ()) if node is not None else frozenset()

    def is_file(self, path: str) -> bool:
        node = self.tree.resolve(path)
        return node is not None and node.inode is not None

    def file(self, path: str) -> Node | None:
        """The regular file at `path`, links followed."""
        node = self.tree.resolve(path)
        return node if node is not None and node.inode is not None else None

    def head(self, node: Node) -> bytes:
        """The first bytes of a regular file."""
        if node.inode is None:
            return b""
        known = self._heads.get(node.inode)
        if known is None:
            known = self._heads[node.inode] = node.read(_SCRIPT_HEAD)
        return known

    def elf(self, node: Node) -> Elf | None:
        """The dynamic section, None for what is no ELF file."""
        if node.inode is None:
            return None
        if node.inode not in self._elves:
            found = None
            if is_elf(self.head(node)):
                with node.open() as file:
                    found = read_elf(file)
            self._elves[node.inode] = found
        return self._elves[node.inode]

    def shebang(self, node: Node) -> tuple[str, ...]:
        """The interpreter of a script and its argument; () for what is no script."""
        head = self.head(node)
        if not head.startswith(b"#!"):
            return ()
        line = head[2:].partition(b"\n")[0].decode("utf-8", "replace").strip()
        return tuple(line.split(None, 1))

    def command(self, word: str) -> Node | None:
        """The file that this word of a start command runs, as execvp finds it: PATH, or relative to
        the workdir."""
        places = (
            [word] if "/" in word else [posixpath.join(folder, word) for folder in self.search_path]
        )
        found = (self.file(posixpath.join(self.workdir, place)) for place in places)
        return next(
            (node for node in found if node is not None and ("/" in word or node.mode & 0o111)),
            None,
        )

    def may(self, wanted: int, path: str, identity: Identity | None = None) -> bool:
        """May the user (the configuration's, if none is given) do this with `path`, all folders
        above it included?"""
        identity = identity or self.identity
        node = self.tree.resolve(path)
        if node is None or identity is None:
            return False
        return identity.may(wanted, node.mode, node.uid, node.gid) and self._may_reach(
            node.parent, identity
        )

    def _may_reach(self, node: Node | None, identity: Identity) -> bool:
        while node is not None:
            if not identity.may(EXECUTE, node.mode, node.uid, node.gid):
                return False
            node = node.parent
        return True


def _shared_layers(image: Image, base: Image | None) -> int:
    """How many layers at the bottom are the base's; 0 when the base is not below this image at
    all."""
    if base is None or len(base.layers) > len(image.layers):
        return 0
    same = all(
        ours.diff_id == theirs.diff_id
        for ours, theirs in zip(image.layers, base.layers, strict=False)
    )
    return len(base.layers) if same else 0
