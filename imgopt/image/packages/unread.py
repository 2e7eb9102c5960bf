"""Package databases that are in an image and that imgopt cannot read: nothing is known of their
packages, which is not the same as none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imgopt.image.packages import rpm
from imgopt.image.packages.model import Found, Paths, Unread
from imgopt.image.tree import Node

_FILES = (
    ("deb", "/var/lib/dpkg/status", "dpkg's"),
    ("apk", "/lib/apk/db/installed", "apk's"),
    ("apk", "/usr/lib/apk/db/installed", "apk's"),
    ("", "/var/lib/opkg/status", "opkg's"),
    ("", "/usr/lib/opkg/status", "opkg's"),
    ("", "/nix/var/nix/db/db.sqlite", "Nix's"),
)
_FOLDERS = (
    ("/var/lib/pacman/local", "pacman's (Arch Linux)"),
    ("/var/db/pkg", "Portage's (Gentoo)"),
    ("/var/db/xbps", "XBPS' (Void Linux)"),
    ("/var/lib/pkgtools/packages", "pkgtools' (Slackware)"),
)
"""Their packages lie in it, one file or folder each."""


def find_unread(paths: Paths, found: Iterable[Found]) -> tuple[Unread, ...]:
    """Databases with something in them of which nothing was read. One that was read and is empty
    is none of them, nor what an upgrade left beside the one that is in use."""
    read = {item.ecosystem for item in found}
    return tuple(_unread(paths, read))


def _unread(paths: Paths, read: set[str]) -> Iterator[Unread]:
    if "rpm" not in read:
        yield from (Unread(node.path, what) for node, what in rpm.unreadable(paths))
    for ecosystem, path, what in _FILES:
        node = paths.get(path)
        if ecosystem not in read and node is not None and node.size and not _is_empty(node):
            yield Unread(node.path, what)
    for path, what in _FOLDERS:
        node = paths.get(path)
        if node is not None and any(child.children for child in (node.children or {}).values()):
            yield Unread(node.path, what)


def _is_empty(node: Node) -> bool:
    """Records, none of which is of a package that is installed: as after the last one was
    removed."""
    text = node.read(1 << 16)
    return not text.strip() or text.startswith((b"Package:", b"C:Q", b"P:"))
