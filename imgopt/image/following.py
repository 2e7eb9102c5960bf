"""Reads the layers of an archive while it is still being written: `docker save` takes seconds, and
leaves a processor.

Engines since Docker 25 name each blob by its digest, which for a plain tar is the layer's diff ID,
so what is learned can be left in the memory of layers. Everything else in the archive is passed
over; the archive's own reader sees to it.
"""

from __future__ import annotations

import os
import re
import select
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from imgopt.errors import ImgoptError
from imgopt.image.ahead import Helper
from imgopt.image.blobs import Region
from imgopt.image.contents import TarContents, already
from imgopt.image.layer import Layer
from imgopt.image.memory import Memory
from imgopt.image.wire import wire_size

_BLOB = re.compile(r"blobs/(sha256)/([0-9a-f]{64})")
_BLOCK = 512
_PAUSE = 0.01
"""Seconds between two looks at how much has been written."""


class Follower:
    """Follows `spool` in a second process until `finish`; leave the context to be rid of it in any
    case."""

    def __init__(self, spool: BinaryIO, memory: Memory) -> None:
        self._spool, self._memory = spool, memory
        self._written, self._writing = os.pipe()
        self._helper = Helper((self._follow,) if memory.directory is not None else ())

    def __enter__(self) -> Follower:
        self._helper.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._close()
        os.close(self._written)
        self._helper.__exit__(*failure)

    def finish(self) -> None:
        """When all is written: waits until the headers of all layers are read."""
        self._close()
        self._helper.result(0)

    def _close(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    def _follow(self) -> None:
        self._close()  # in this process: it ends where the other one closes its own
        layers: list[Layer] = []
        for layer in self._layers():
            if layer is not None:
                with suppress(ImgoptError):
                    layer.entries()
                    layers.append(layer)
            elif layers and not self._ended(0):
                with suppress(ImgoptError):
                    wire_size(layers.pop())

    def _layers(self) -> Iterator[Layer | None]:
        """Each layer when it has come whole; None while there is none to read."""
        position, ended = 0, False
        while True:
            blob = self._blob(position)
            if blob is None:
                if ended:
                    return
                yield None
                ended = self._ended(_PAUSE)
                continue
            name, start, size = blob
            found = _BLOB.fullmatch(name)
            if (
                found
                and size > _BLOCK
                and os.pread(self._spool.fileno(), 5, start + 257) == b"ustar"
            ):
                tar = Region.of_file(self._spool).part(start, size)
                yield Layer(
                    0,
                    f"{found[1]}:{found[2]}",
                    TarContents(already(tar), None, name),
                    self._memory,
                )
            position = start + (size + _BLOCK - 1 & -_BLOCK)

    def _blob(self, position: int) -> tuple[str, int, int] | None:
        """The file at `position`, if all of it is there: its name, where its contents start, their
        size in bytes."""
        import tarfile

        header = os.pread(self._spool.fileno(), _BLOCK, position)
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError:  # not written yet, or the end
            return None
        empty = member.isdir() or member.issym() or member.islnk() or member.isdev()
        start, size = position + _BLOCK, 0 if empty else member.size
        return (
            (member.name, start, size)
            if start + size <= os.fstat(self._spool.fileno()).st_size
            else None
        )

    def _ended(self, seconds: float) -> bool:
        return bool(select.select([self._written], [], [], seconds)[0])
