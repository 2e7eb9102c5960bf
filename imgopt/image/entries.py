"""What one layer says about the file system: its entries, as they stand in the layer's tar."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Kind = Literal["file", "dir", "symlink", "hardlink", "char", "block", "fifo", "whiteout", "opaque"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry of a layer.

    `path` is absolute and clean ("/usr/bin/env"), as the layer names it: links in other layers are
    not followed. For a whiteout it is the path that is removed, for an opaque whiteout the
    directory whose contents are hidden. Names that are not UTF-8 carry surrogate escapes. `size`
    counts the bytes stored in the tar (0 for a hard link), `mtime` nanoseconds. `offset` is where
    the contents start in the uncompressed tar, -1 where the source has no tar.
    """

    path: str
    kind: Kind
    size: int = 0
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    linkname: str = ""
    offset: int = -1
    checksum: bytes = b""
    """A CRC-64 of the contents where the source knows it for free: unequal means different, equal
    means look."""
    xattrs: tuple[tuple[str, bytes], ...] = ()
    sparse_header: int = -1
    """Where the header of a sparse file starts in the uncompressed tar; -1 for files that are not
    sparse."""


class LayerIndex(msgspec.Struct, frozen=True):
    """All entries of a layer in tar order, and the bytes of its uncompressed tar."""

    entries: list[Entry]
    tar_bytes: int


def printable(path: str) -> str:
    """A path as valid text: bytes that are not UTF-8 as \\xNN, control characters as escapes.

    >>> printable("/a\\udcff\\x1b[31m")
    '/a\\\\xff\\\\x1b[31m'
    """
    if path.isascii() and path.isprintable():
        return path
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
