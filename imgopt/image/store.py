"""The engine's own store, read directly: the fast path when we may read its files.

Layout of dockerd's data root with the overlay2 driver (moby `layer/filestore.go`, `image/fs.go`):
image/overlay2/imagedb/content/sha256/<image ID> is the configuration;
image/overlay2/layerdb/sha256/<chain ID>/ has `cache-id` (the directory overlay2/<cache-id>/diff
holds the files) and `tar-split.json.gz` (every byte of the layer's tar but the files' contents, and
a CRC-64 for each of them). The containerd image store is read by `containerd.py`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from imgopt.errors import InputError
from imgopt.image.config import ParsedConfig, parse_config
from imgopt.image.contents import DirectoryContents
from imgopt.image.entries import LayerIndex
from imgopt.image.image import Image
from imgopt.image.layer import Layer
from imgopt.image.memory import Memory

_PIECE = 1 << 20
DRIVERS = ("overlay2", "fuse-overlayfs")
"""Docker's storage drivers whose files are read directly."""


class StoreUnreadable(Exception):
    """Why the store cannot be read directly; the engine's API can do the same, slower."""


class _Split(msgspec.Struct, gc=False):
    """One line of tar-split: type 1 is a file (payload: CRC-64), type 2 a piece of the tar
    (payload: the bytes)."""

    type: int
    payload: bytes | None = None
    size: int = 0


def open_graph_store(
    root: Path, driver: str, image_id: str, reference: str, memory: Memory
) -> Image:
    """An image of the overlay2 graph driver. `image_id` is "sha256:…". Raises StoreUnreadable."""
    if driver not in DRIVERS:
        raise StoreUnreadable(f"the storage driver {driver} is not one that imgopt reads")
    database = root / "image" / driver
    try:
        raw = (
            database / "imagedb" / "content" / "sha256" / image_id.removeprefix("sha256:")
        ).read_bytes()
        parsed = parse_config(raw, reference)
        return Image(reference, "store", parsed, _layers(root, driver, parsed, memory), memory)
    except PermissionError as error:
        raise StoreUnreadable(f"no permission to read {error.filename}") from None
    except OSError as error:
        raise StoreUnreadable(f"{error.filename or root}: {error.strerror or error}") from None


def _layers(root: Path, driver: str, parsed: ParsedConfig, memory: Memory) -> tuple[Layer, ...]:
    layers = []
    chain = ""
    for number, diff_id in enumerate(parsed.diff_ids):
        chain = (
            diff_id
            if number == 0
            else f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}"
        )
        record = root / "image" / driver / "layerdb" / "sha256" / chain.removeprefix("sha256:")
        directory = root / driver / (record / "cache-id").read_text().strip() / "diff"
        split = record / "tar-split.json.gz"
        with split.open("rb"):  # not permitted, or not there: better known now than in the middle
            next(directory.iterdir(), None)
        layers.append(Layer(number, diff_id, _contents(directory, split), memory))
    return tuple(layers)


def _contents(directory: Path, split: Path) -> DirectoryContents:
    return DirectoryContents(directory, lambda: read_tar_split(split), split.stat().st_size)


def read_tar_split(path: Path) -> LayerIndex:
    """The entries of a layer from its tar-split file. Raises InputError for a damaged one."""
    from imgopt.image.tar import read_headers

    size = 0

    def pieces() -> Iterator[tuple[bytes, list[bytes]]]:
        nonlocal size
        for headers, checksums, contents in _pieces(path):
            size += len(headers) + contents
            yield headers, checksums

    try:
        entries = read_headers(pieces(), str(path))
    except (OSError, zlib.error, msgspec.DecodeError) as error:
        raise InputError(f"{path}: {error}", hint="the engine's store is damaged") from None
    return LayerIndex(entries, size)


def _pieces(path: Path) -> Iterator[tuple[bytes, list[bytes], int]]:
    """Headers, checksums and the bytes of contents, a few megabytes at a time: all of them can be a
    gigabyte."""
    decode = msgspec.json.Decoder(_Split).decode_lines
    headers: list[bytes] = []
    for lines in _lines(path):
        checksums, contents, last = [], 0, -1
        for item in decode(lines):
            if item.type == 2:
                headers.append(item.payload or b"")
            else:
                last = len(headers)
                if item.size:
                    contents += item.size
                    checksums.append(item.payload or b"")
        if last >= 0:
            yield b"".join(headers[:last]), checksums, contents
            del headers[:last]
    yield b"".join(headers), [], 0


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines of a gzip file, about a megabyte at a time."""
    unzip = zlib.decompressobj(wbits=31)
    data, rest = path.read_bytes(), b""
    while data and not unzip.eof:
        head, newline, rest = (rest + unzip.decompress(data, _PIECE)).rpartition(b"\n")
        data = unzip.unconsumed_tail
        yield head + newline
    if not unzip.eof:
        raise OSError("is cut off")
    yield rest
