"""Which package put a file into a layer, by the databases that lie in the same layer."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import BinaryIO, cast

from imgopt.image.entries import Entry, LayerIndex, printable
from imgopt.image.layer import Layer
from imgopt.image.memory import Memory
from imgopt.image.packages.model import Package

_KEPT = re.compile(
    r"^/(?:etc|usr/lib)/os-release$"
    r"|^/var/lib/dpkg/(?:status$|status\.d/|info/[^/]+\.list$)"
    r"|^/(?:usr/)?lib/apk/db/installed$|^/etc/apk/world$"
    r"|^/(?:var/lib|usr/lib/sysimage)/rpm/[^/]+$"
    r"|\.(?:dist|egg)-info(?:/(?:METADATA|PKG-INFO|RECORD|installed-files\.txt|top_level\.txt))?$"
    r"|/node_modules/(?:@[^/]+/)?[^/]+/package\.json$"
    r"|/conda-meta/[^/]+\.json$"
)
_MOST_KEPT = 96 << 20
"""Bytes of databases that are held in memory for one layer; a whole Debian has 10 MB."""
_MOST_FILE = 64 << 20
_MOST_ENTRIES = 400_000
"""Entries for which owners are looked up: a tree of them is held in memory."""


class Kept:
    """The contents of the databases of one layer."""

    flavour = "stream"
    index_bytes = 0

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}
        self._bytes = 0
        self._entries: Sequence[Entry] = ()

    def wants(self, entry: Entry) -> bool:
        fits = entry.size <= _MOST_FILE and self._bytes + entry.size <= _MOST_KEPT
        return fits and entry.sparse_header < 0 and bool(_KEPT.search(entry.path))

    def keep(self, entry: Entry, data: bytes) -> None:
        self._contents[entry.path] = data
        self._bytes += len(data)

    def system(self) -> str:
        """ "debian 12", where the layer says it."""
        for path in ("/etc/os-release", "/usr/lib/os-release"):
            text = self._contents.get(path, b"").decode("utf-8", "replace")
            fields = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)', text, re.MULTILINE))
            if fields.get("ID"):
                return printable(f"{fields['ID']} {fields.get('VERSION_ID', '')}".strip())
        return ""

    def owners(self, entries: list[Entry]) -> tuple[dict[str, str], tuple[str, ...]]:
        """Path -> "deb:libc6"; and all packages that the databases name."""
        if not self._contents or len(entries) > _MOST_ENTRIES:
            return {}, ()
        from imgopt.image.packages import find_packages
        from imgopt.image.tree import Merge

        self._entries = entries
        layer = Layer(0, "stream", self, Memory(None))
        found = find_packages(Merge((layer,)).tree, databases_only=True)
        names = {_name(each) for each in found}
        owned = {path: _name(each) for each in found for path in each.files}
        return owned, tuple(sorted(names))

    def index(self) -> LayerIndex:
        return LayerIndex(list(self._entries), 0)

    def open(self, entry: Entry) -> BinaryIO:
        return cast(BinaryIO, io.BytesIO(self._contents.get(entry.path, b"")))

    def read(self, entry: Entry, start: int, size: int) -> bytes:
        data = self._contents.get(entry.path, b"")
        return data[start:] if size < 0 else data[start : start + size]


def _name(package: Package) -> str:
    """As valid text: databases may hold anything."""
    return printable(f"{package.ecosystem}:{package.name}")
