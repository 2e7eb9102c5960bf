"""The containerd image store of an engine, read directly: blobs lie by digest in containerd's
content directory."""

from __future__ import annotations

from pathlib import Path

from imgopt.image.blobs import Region
from imgopt.image.image import Image
from imgopt.image.manifests import BlobMissing, Descriptor, open_manifests
from imgopt.image.memory import Memory
from imgopt.image.store import StoreUnreadable


def open_content_store(
    root: Path, target: Descriptor, reference: str, platform: str | None, memory: Memory
) -> Image:
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
