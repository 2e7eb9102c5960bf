"""Reads a tar that comes as a stream, by the rules of `imgopt.image.tar`: a header at a time, the
contents handed on as they pass.

The reader of headers is the one that reads an engine's tar-split, where contents are elsewhere too;
here each piece that it gets is the padding of the contents before and the blocks of one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from imgopt.errors import InputError
from imgopt.image.entries import Entry
from imgopt.image.tar import MAX_ENTRIES, MAX_SPECIAL, Reader
from imgopt.image.tar_fields import BLOCK, padded, sum_holds

_RECORDS = b"xgLK"
"""Type flags of blocks that speak about the next entry."""
_MOST_BLOCKS = 4096
"""Blocks of records in front of one entry."""


class _StreamReader(Reader):
    """Tells how many bytes follow the header that it has read."""

    stored = 0

    def _skip(self, stored: int) -> None:
        self.stored = stored
        super()._skip(stored)


class Stream(Protocol):
    def take(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer at the end."""

    def some(self, most: int) -> memoryview:
        """At least one byte, at most `most`; none at the end."""


def stream_entries(
    stream: Stream, what: str, contents: Callable[[Entry | None, Iterator[memoryview]], None]
) -> Iterator[Entry]:
    """The entries as they come. The bytes that are stored for one are given to `contents` before it
    is yielded (with None for a kind of entry that is none of the image), which may leave some.

    Raises InputError as `imgopt.image.tar.read_entries`.
    """
    reader = _StreamReader(b"", 0, 0, what, elided=True)
    padding, count = b"", 0
    while (blocks := _blocks(stream, what)) is not None:
        reader.stored = 0
        found = list(reader.continued(padding + blocks, []))
        entry = found[0] if found else None
        count += 1
        if count > MAX_ENTRIES:
            raise InputError(f"{what} has more than {MAX_ENTRIES} entries: refused")
        stored = reader.stored
        if stored:
            passing = _Passing(stream, stored)
            contents(entry, iter(passing))
            passing.finish(what)
        padding = stream.take(padded(stored) - stored)
        if len(padding) < padded(stored) - stored:
            raise InputError(f"{what} cut off in the contents of a file")
        if entry is not None:
            yield entry


class _Passing:
    """The bytes of one file."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream, self._left = stream, size

    def __iter__(self) -> Iterator[memoryview]:
        while self._left and (part := self._stream.some(self._left)):
            self._left -= len(part)
            yield part

    def finish(self, what: str) -> None:
        for _ in self:
            pass
        if self._left:
            raise InputError(f"{what} cut off in the contents of a file")


def _blocks(stream: Stream, what: str) -> bytes | None:
    """The blocks of the next entry with the records in front of it; None at the archive's end."""
    found: list[bytes] = []
    while len(found) < _MOST_BLOCKS:
        block = stream.take(BLOCK)
        if len(block) in (0, BLOCK) and not block.strip(b"\0"):
            return None
        if len(block) < BLOCK:
            raise InputError(f"{what} cut off in a header")
        if not sum_holds(block):
            raise InputError(f"{what} is not a tar, or damaged (header checksum)")
        found.append(block)
        flag = block[156:157]
        if flag not in _RECORDS:
            return b"".join((*found, *(_sparse_map(stream, block) if flag == b"S" else ())))
        size = _size(block, what)
        found.append(stream.take(padded(size)))
    raise InputError(f"{what} has more than {_MOST_BLOCKS} records in front of one entry: refused")


def _size(block: bytes, what: str) -> int:
    field = block[124:136]
    try:
        digits = field.strip(b" \0").partition(b"\0")[0]
        size = int.from_bytes(field[1:], "big") if field[0] & 0x80 else int(digits or b"0", 8)
    except ValueError:
        raise InputError(f"{what} has a damaged header: {field!r} is no number") from None
    if size > MAX_SPECIAL:
        raise InputError(f"{what} has a header record of {size} bytes: refused")
    return size


def _sparse_map(stream: Stream, block: bytes) -> Iterator[bytes]:
    """Old GNU sparse files carry further blocks of their map."""
    extended = block[482]
    while extended:
        more = stream.take(BLOCK)
        yield more
        extended = more[504] if len(more) == BLOCK else 0
