"""Image and Layer: the same small views whatever the source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Literal

from imgopt.errors import InputError
from imgopt.image.config import HistoryEntry, ImageConfig, ParsedConfig
from imgopt.image.contents import Contents, MissingContents
from imgopt.image.entries import Entry, LayerIndex
from imgopt.image.memory import Memory

if TYPE_CHECKING:
    from imgopt.image.provenance import Provenance
    from imgopt.image.tree import Merge, Tree

Source = Literal["engine", "store", "archive", "layout", "registry"]

_CHUNK = 1 << 20


class Layer:
    """One layer. `wire_bytes` is the size of its compressed blob, or None when the source holds no compressed blob."""

    def __init__(
        self,
        index: int,
        diff_id: str,
        contents: Contents,
        memory: Memory,
        *,
        digest: str | None = None,
        wire_bytes: int | None = None,
    ) -> None:
        self.index, self.diff_id, self.digest, self.wire_bytes = index, diff_id, digest, wire_bytes
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


class Image:
    """An image from any source; `digest` is that of its configuration, which names the same image everywhere."""

    def __init__(
        self,
        reference: str,
        source: Source,
        parsed: ParsedConfig,
        layers: tuple[Layer, ...],
        memory: Memory,
        *,
        provenance: Callable[[], Provenance | None] = lambda: None,
    ) -> None:
        if len(layers) != len(parsed.diff_ids):
            raise InputError(
                f"{reference}: {len(layers)} layers, but the configuration lists {len(parsed.diff_ids)}",
                hint="the image is damaged: save or fetch it again",
            )
        self.reference, self.source, self.layers, self.memory = reference, source, layers, memory
        self._parsed, self._read_provenance = parsed, provenance

    def __repr__(self) -> str:
        return f"Image({self.reference!r}, {self.source}, {self.digest[:19]})"

    @property
    def digest(self) -> str:
        return self._parsed.digest

    @property
    def config(self) -> ImageConfig:
        return self._parsed.config

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        return self._parsed.history

    @property
    def raw_config(self) -> bytes:
        """The configuration blob as it is."""
        return self._parsed.raw

    @property
    def platform(self) -> str:
        return self.config.platform

    @cached_property
    def provenance(self) -> Provenance | None:
        """The builder's own record of which line made which layer; None where the image has none."""
        return self._read_provenance()

    @cached_property
    def layer_history(self) -> tuple[HistoryEntry | None, ...]:
        """The history entry of each layer; all None when history and layers do not match (`config.md`: optional)."""
        steps = [step for step in self.history if not step.empty_layer]
        return tuple(steps) if len(steps) == len(self.layers) else (None,) * len(self.layers)

    @cached_property
    def merge(self) -> Merge:
        """The layers laid over each other: the final tree and every file that did not survive."""
        from imgopt.image.tree import Merge

        return Merge(self.layers)

    def tree(self) -> Tree:
        """The merged final file system."""
        return self.merge.tree
