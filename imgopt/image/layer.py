"""Layer: the same small view whatever the source."""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import BinaryIO

from imgopt.image.contents import Contents, MissingContents
from imgopt.image.entries import Entry, LayerIndex
from imgopt.image.memory import Memory

_CHUNK = 1 << 20


class Layer:
    """One layer. `wire_bytes` is the size of its compressed blob, or None when the source holds no
    compressed blob."""

    def __init__(
        self,
        index: int,
        diff_id: str,
        contents: Contents,
        memory: Memory,
        *,
        digest: str | None = None,
        wire_bytes: int | None = None,
        codec: str | None = None,
    ) -> None:
        self.index, self.diff_id, self.digest, self.wire_bytes = index, diff_id, digest, wire_bytes
        self.codec = codec
        """What its blob is compressed by: "gzip", "zstd", "xz", "bzip2", "none"; None where there
        is no blob, or it does not say."""
        self._contents, self.memory = contents, memory
        self._lock = Lock()
        self._digests: dict[str, str] = {}
        self._read: LayerIndex | None = None

    def __repr__(self) -> str:
        return f"Layer({self.index}, {self.diff_id[:19]})"

    @property
    def missing(self) -> bool:
        """True for a foreign layer: its blob is not part of the image."""
        return isinstance(self._contents, MissingContents)

    def entries(self) -> list[Entry]:
        """All entries in tar order, the deleted and the repeated ones too."""
        return self._index().entries

    @property
    def tar_bytes(self) -> int:
        """Bytes of the uncompressed tar."""
        return self._index().tar_bytes

    @property
    def payload_bytes(self) -> int:
        """Sum of the bytes stored for regular files."""
        return sum(entry.size for entry in self.entries())

    @property
    def unread_bytes(self) -> int:
        """What entries() still has to read, where that is known; else 0."""
        known = self._read is not None or self.memory.has("layers", self._key)
        return 0 if known else self._contents.index_bytes

    def open(self, entry: Entry) -> BinaryIO:
        """The contents of a regular file, seekable."""
        return self._contents.open(entry)

    def read(self, entry: Entry, limit: int | None = None, start: int = 0) -> bytes:
        """At most `limit` bytes of a regular file, or all of it, from `start`."""
        return self._contents.read(entry, start, -1 if limit is None else limit)

    def file_digest(self, entry: Entry) -> str:
        """ "sha256:…" of the contents; computed once."""
        known = self._digests.get(entry.path)
        if known is None:
            if entry.size <= _CHUNK and entry.sparse_header < 0:
                digest = hashlib.sha256(self.read(entry))
            else:
                digest = hashlib.sha256()
                with self.open(entry) as file:
                    while chunk := file.read(_CHUNK):
                        digest.update(chunk)
            known = self._digests[entry.path] = f"sha256:{digest.hexdigest()}"
        return known

    def _index(self) -> LayerIndex:
        with self._lock:
            if self._read is None:
                self._read = self.memory.layer_index(self._key)
                if self._read is None:
                    self._read = self._contents.index()
                    if not self.missing:
                        self.memory.keep_layer_index(self._key, self._read)
            return self._read

    @property
    def _key(self) -> str:
        return f"{self.diff_id}-{self._contents.flavour}"
