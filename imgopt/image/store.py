"""The engine's own store, read directly: the fast path when we may read its files.

Layout of dockerd's data root with the overlay2 driver (moby `layer/filestore.go`, `image/fs.go`):
image/overlay2/imagedb/content/sha256/<image ID> is the configuration; image/overlay2/layerdb/sha256/<chain ID>/ has
`cache-id` (the directory overlay2/<cache-id>/diff holds the files) and `tar-split.json.gz` (every byte of the layer's
tar but the files' contents, and a CRC-64 for each of them). With the containerd image store, blobs lie by digest in
containerd's content directory.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import msgspec

from imgopt.errors import InputError
from imgopt.image.blobs import Region
from imgopt.image.config import ParsedConfig, parse_config
from imgopt.image.contents import DirectoryContents
from imgopt.image.entries import LayerIndex
from imgopt.image.image import Image, Layer
from imgopt.image.manifests import BlobMissing, Descriptor, open_manifests
from imgopt.image.memory import Memory
from imgopt.image.tar import read_entries

_DRIVERS = ("overlay2", "fuse-overlayfs")


class StoreUnreadable(Exception):
    """Why the store cannot be read directly; the engine's API can do the same, slower."""


class _Split(msgspec.Struct, gc=False):
    """One line of tar-split: type 1 is a file (payload: CRC-64), type 2 a piece of the tar (payload: the bytes)."""

    type: int
    payload: bytes | None = None
    size: int = 0


def open_graph_store(root: Path, driver: str, image_id: str, reference: str, memory: Memory) -> Image:
    """An image of the overlay2 graph driver. `image_id` is "sha256:…". Raises StoreUnreadable."""
    if driver not in _DRIVERS:
        raise StoreUnreadable(f"the storage driver {driver} is not one that imgopt reads")
    database = root / "image" / driver
    try:
        raw = (database / "imagedb" / "content" / "sha256" / image_id.removeprefix("sha256:")).read_bytes()
        parsed = parse_config(raw, reference)
        return Image(reference, "store", parsed, _layers(root, driver, parsed, memory), memory)
    except PermissionError as error:
        raise StoreUnreadable(f"no permission to read {error.filename}") from None
    except OSError as error:
        raise StoreUnreadable(f"{error.filename or root}: {error.strerror or error}") from None


def open_content_store(root: Path, target: Descriptor, reference: str, platform: str | None, memory: Memory) -> Image:
    """An image of the containerd image store; `root` holds blobs/sha256. Raises StoreUnreadable."""
    blobs = _ContentBlobs(root)
    try:
        blobs.blob(target)
        return open_manifests([target], blobs, reference, "store", platform, memory)
    except BlobMissing as error:
        raise StoreUnreadable(f"{root} does not hold {error}") from None
    except PermissionError as error:
        raise StoreUnreadable(f"no permission to read {error.filename}") from None


class _ContentBlobs:
    wire = False
    trusted = True

    def __init__(self, root: Path) -> None:
        self._root = root

    def blob(self, descriptor: Descriptor) -> Region:
        algorithm, _, value = descriptor.digest.partition(":")
        try:
            if not (algorithm.isalnum() and value.isalnum()):
                raise FileNotFoundError
            return Region.of_path(self._root / "blobs" / algorithm / value)
        except FileNotFoundError:
            raise BlobMissing(descriptor.digest) from None


def _layers(root: Path, driver: str, parsed: ParsedConfig, memory: Memory) -> tuple[Layer, ...]:
    layers = []
    chain = ""
    for number, diff_id in enumerate(parsed.diff_ids):
        chain = diff_id if number == 0 else f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}"
        record = root / "image" / driver / "layerdb" / "sha256" / chain.removeprefix("sha256:")
        directory = root / driver / (record / "cache-id").read_text().strip() / "diff"
        split = record / "tar-split.json.gz"
        with split.open("rb"):  # not permitted, or not there: better known now than in the middle
            next(directory.iterdir(), None)
        layers.append(Layer(number, diff_id, _contents(directory, split), memory))
    return tuple(layers)


def _contents(directory: Path, split: Path) -> DirectoryContents:
    return DirectoryContents(directory, lambda: read_tar_split(split))


def read_tar_split(path: Path) -> LayerIndex:
    """The entries of a layer from its tar-split file. Raises InputError for a damaged one."""
    try:
        lines = gzip.decompress(path.read_bytes())
        items = msgspec.json.Decoder(_Split).decode_lines(lines)
    except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
        raise InputError(f"{path}: {error}", hint="the engine's store is damaged") from None
    pieces, checksums, contents = [], [], 0
    for item in items:
        if item.type == 2:
            pieces.append(item.payload or b"")
        elif item.size:
            contents += item.size
            checksums.append(item.payload or b"")
    headers = b"".join(pieces)
    entries = read_entries(headers, 0, len(headers), checksums=iter(checksums), what=str(path))
    return LayerIndex(entries, len(headers) + contents)
