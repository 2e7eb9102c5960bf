"""What AUFS wrote into layers for itself, read as moby's UnpackLayer reads it: its files are none
of the image, but for contents that hard links lead to (moby: pkg/archive/diff.go)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from imgopt.image.entries import Entry

OWN = "/.wh..wh."
"""What begins so lies in the root of a layer and is AUFS' own."""
_LINKED = "/.wh..wh.plnk/"
"""Where it keeps the contents of files with several names."""


def without_bookkeeping(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries of the image: of the names that link to one of AUFS' files the first carries its
    contents, and the others are links to that name."""
    contents = {
        entry.path: entry
        for entry in entries
        if entry.kind == "file" and entry.path.startswith(_LINKED)
    }
    carriers: dict[str, str] = {}
    for entry in entries:
        if entry.path.startswith(OWN):
            continue
        if entry.kind != "hardlink" or entry.linkname not in contents:
            yield entry
        elif entry.linkname in carriers:
            yield msgspec.structs.replace(entry, linkname=carriers[entry.linkname])
        else:
            carriers[entry.linkname] = entry.path
            yield msgspec.structs.replace(contents[entry.linkname], path=entry.path)
