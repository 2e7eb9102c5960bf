"""Images in files: docker-archive and OCI tars (plain or compressed) and OCI layout directories."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Protocol

import msgspec

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.image.blobs import Region, compression, unpack
from imgopt.image.config import parse_config
from imgopt.image.contents import already
from imgopt.image.image import Image, Source
from imgopt.image.manifests import (
    BlobMissing,
    Descriptor,
    decode,
    local_layer,
    open_manifests,
    read_index,
)
from imgopt.image.memory import Memory
from imgopt.image.tar import read_entries

_MAX_JSON = 16 << 20


class Files(Protocol):
    """Named files: those of a tar, or those of a directory."""

    def find(self, name: str) -> Region | None:
        """The file, links inside of the archive followed; None where there is none."""


class Saved(msgspec.Struct):
    """One image in a docker-archive's manifest.json."""

    config: str = msgspec.field(name="Config")
    layers: tuple[str, ...] = msgspec.field(name="Layers")
    tags: tuple[str, ...] | None = msgspec.field(name="RepoTags", default=None)


class TarFiles:
    """A tar by name; order does not matter, the last of equal names wins."""

    def __init__(self, region: Region, what: str) -> None:
        if compression(region.head(8)):
            region = unpack(region, None, what)
        self._region = region
        self._entries = {
            entry.path: entry
            for entry in read_entries(region.buffer, region.start, region.end, what=what)
        }

    def find(self, name: str) -> Region | None:
        path = posixpath.normpath(f"/{name}")
        for _ in range(8):
            entry = self._entries.get(path)
            if entry is None:
                return None
            if entry.kind == "file":
                return self._region.part(entry.offset, entry.size)
            if entry.kind == "hardlink":
                path = entry.linkname
            elif (
                entry.kind == "symlink"
            ):  # docker save before 25 links equal layers: ../<id>/layer.tar
                path = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.linkname))
            else:
                return None
        return None


class DirectoryFiles:
    """A directory; nothing outside of it is read, whatever its links say."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def find(self, name: str) -> Region | None:
        path = (self._root / name.lstrip("/")).resolve()
        if not path.is_relative_to(self._root) or not path.is_file():
            return None
        return Region.of_path(path)


class _FileBlobs:
    wire = False

    def __init__(self, files: Files, trusted: bool) -> None:
        self._files, self.trusted = files, trusted

    def blob(self, descriptor: Descriptor) -> Region:
        algorithm, _, value = descriptor.digest.partition(":")
        region = None
        if algorithm.isalnum() and value.isalnum():
            region = self._files.find(f"blobs/{algorithm}/{value}")
        if region is None:
            raise BlobMissing(descriptor.digest)
        return region


def open_path(
    path: Path, reference: str, name: str | None, platform: str | None, memory: Memory
) -> Image:
    """An image from a file or directory; `name` chooses among several.

    Raises InputError for what is no image, EnvironmentFailure for what cannot be read.
    """
    try:
        if path.is_dir():
            return open_files(DirectoryFiles(path), reference, name, platform, memory, "layout")
        return open_files(
            TarFiles(Region.of_path(path), str(path)), reference, name, platform, memory, "archive"
        )
    except OSError as error:
        raise EnvironmentFailure(f"{path}: {error.strerror or error}") from None


def open_files(
    files: Files,
    reference: str,
    name: str | None,
    platform: str | None,
    memory: Memory,
    source: Source,
) -> Image:
    """Follows index.json where there is one (it knows platforms), else manifest.json; never guesses
    by order."""
    index = files.find("index.json")
    if index is not None:
        roots = read_index(index.bytes(_MAX_JSON), f"{reference}: index.json")
        blobs = _FileBlobs(files, trusted=source == "engine")
        if any(_held(blobs, root) for root in roots):
            return open_manifests(
                _named(roots, name, reference), blobs, reference, source, platform, memory
            )
    manifest = files.find("manifest.json")
    if manifest is None:
        raise InputError(
            f"{reference}: not an image: neither index.json nor manifest.json inside",
            hint="`docker export` writes a file system without layers: use `docker save`",
        )
    saved = decode(manifest.bytes(_MAX_JSON), list[Saved], f"{reference}: manifest.json")
    return _open_saved(_pick(saved, name, reference), files, reference, memory, source)


def _held(blobs: _FileBlobs, descriptor: Descriptor) -> bool:
    try:
        blobs.blob(descriptor)
    except BlobMissing:
        return False
    return True


def _named(
    roots: tuple[Descriptor, ...], name: str | None, reference: str
) -> tuple[Descriptor, ...]:
    if name is None:
        return roots
    chosen = tuple(root for root in roots if any(_same_name(each, name) for each in root.names))
    if not chosen:
        raise _no_such(name, [each for root in roots for each in root.names], reference)
    return chosen


def _pick(saved: list[Saved], name: str | None, reference: str) -> Saved:
    if name is not None:
        saved_by_name = [
            each for each in saved if any(_same_name(tag, name) for tag in each.tags or ())
        ]
        if not saved_by_name:
            raise _no_such(name, [tag for each in saved for tag in each.tags or ()], reference)
        return saved_by_name[0]
    if len({each.config for each in saved}) > 1:
        tags = ", ".join(tag for each in saved for tag in each.tags or ())
        raise InputError(
            f"{reference}: several images inside: {tags}",
            hint=f"name one of them: {reference}#NAME",
        )
    if not saved:
        raise InputError(f"{reference}: manifest.json lists no image")
    return saved[0]


def _open_saved(
    saved: Saved, files: Files, reference: str, memory: Memory, source: Source
) -> Image:
    parsed = parse_config(
        _file(files, saved.config, reference).bytes(_MAX_JSON), f"{reference}: {saved.config}"
    )
    if len(saved.layers) != len(parsed.diff_ids):
        raise InputError(
            f"{reference}: {len(saved.layers)} layers, but the configuration lists"
            f" {len(parsed.diff_ids)}"
        )
    layers = []
    for number, (layer, diff_id) in enumerate(zip(saved.layers, parsed.diff_ids, strict=True)):
        region = _file(files, layer, reference)
        layers.append(
            local_layer(number, diff_id, already(region), memory, trusted=source == "engine")
        )
    return Image(reference, source, parsed, tuple(layers), memory)


def _file(files: Files, name: str, reference: str) -> Region:
    region = files.find(name)
    if region is None:
        raise InputError(
            f"{reference}: {name} is missing",
            hint="the archive is incomplete: save the image again",
        )
    return region


def _same_name(have: str, wanted: str) -> bool:
    return have in (wanted, f"{wanted}:latest") or have.removeprefix("docker.io/").removeprefix(
        "library/"
    ) in (
        wanted,
        f"{wanted}:latest",
    )


def _no_such(name: str, names: list[str], reference: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"{reference}: no image named {name}", hint=f"there is: {', '.join(names) or 'none'}"
    )
