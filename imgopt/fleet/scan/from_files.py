"""Tier 0 of OCI layouts and archives on this machine."""

from __future__ import annotations

from pathlib import Path

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.fleet.scan.census import Census, checked, expand, image_of
from imgopt.fleet.scan.facts import FileBlob, Where
from imgopt.fleet.scan.model import Blob, Problem
from imgopt.fleet.scan.sources import Filters, SourceName
from imgopt.image.archive import DirectoryFiles, Files, Saved, TarFiles
from imgopt.image.blobs import Region, compression
from imgopt.image.config import parse_config
from imgopt.image.manifests import Descriptor, decode, read_index

_MAX_JSON = 16 << 20


def list_path(source: SourceName, census: Census, filters: Filters) -> None:
    """Raises ImgoptError where it is no image, or cannot be read."""
    path = Path(source.host).expanduser().absolute()
    try:
        found = _Folder(path) if path.is_dir() else _Archive(path)
        index = found.files.find("index.json")
        if index is not None:
            _list_layout(found, index, census, filters)
        else:
            _list_saved(found, census, filters)
    except OSError as error:
        raise EnvironmentFailure(f"{path}: {error.strerror or error}") from None


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path, self.files = path, DirectoryFiles(path)

    def place(self, name: str) -> FileBlob | None:
        region = self.files.find(name)
        path = (self.path / name).resolve()
        return FileBlob(str(path), 0, len(region)) if region is not None else None


class _Archive:
    def __init__(self, path: Path) -> None:
        region = Region.of_path(path)
        if compression(region.head(8)):
            raise InputError(
                f"{path}: a compressed archive would have to be unpacked to disk",
                hint="unpack it first (gunzip, zstd -d), or give an OCI layout",
            )
        self.path = path
        self.files: Files = TarFiles(region, str(path))

    def place(self, name: str) -> FileBlob | None:
        region = self.files.find(name)
        return FileBlob(str(self.path), region.start, len(region)) if region is not None else None


Found = _Folder | _Archive


def _list_layout(found: Found, index: Region, census: Census, filters: Filters) -> None:
    name = str(found.path)

    def place(digest: str) -> Where | None:
        return found.place(f"blobs/{digest.replace(':', '/')}")

    def fetch(descriptor: Descriptor, manifest: bool) -> bytes:
        region = found.files.find(f"blobs/{descriptor.digest.replace(':', '/')}")
        if region is None:
            kind = "manifest" if manifest else "configuration"
            raise InputError(f"its {kind} {descriptor.digest} is not there")
        used.add(descriptor.digest)
        return checked(region.bytes(_MAX_JSON), descriptor.digest, name)

    used: set[str] = set()
    for root in read_index(index.bytes(_MAX_JSON), f"{name}: index.json"):
        repository, tag = _split_name(root.names[0] if root.names else "", name)
        if not filters.takes(repository, tag):
            continue
        for image, blobs in expand(root, fetch, repository, census.trouble):
            used.update(blob.digest for blob in blobs)
            census.add(image, blobs, tag or root.digest[7:19], place)
    if isinstance(found, _Folder) and filters == Filters():
        _unreferenced(found.path, used, census)


def _unreferenced(path: Path, used: set[str], census: Census) -> None:
    """Blobs that nothing in the index leads to."""
    left = [
        each.stat().st_size
        for each in (path / "blobs").glob("*/*")
        if f"{each.parent.name}:{each.name}" not in used
    ]
    if left:
        census.problems.append(
            Problem(
                where=str(path),
                what=f"{len(left)} blobs belong to no image of its index",
                kind="unreferenced",
                bytes=sum(left),
            )
        )


def _split_name(name: str, otherwise: str) -> tuple[str, str]:
    """ "app:1" of an annotation; a tag alone belongs to the file itself."""
    repository, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return repository, tag
    return (name, "latest") if "/" in name else (otherwise, name)


def _list_saved(found: Found, census: Census, filters: Filters) -> None:
    """What `docker save` writes: layers by their place in the archive."""
    manifest = found.files.find("manifest.json")
    if manifest is None:
        raise InputError(f"{found.path}: not an image: neither index.json nor manifest.json inside")
    saved = decode(manifest.bytes(_MAX_JSON), list[Saved], f"{found.path}: manifest.json")
    for each in saved:
        region = found.files.find(each.config)
        if region is None:
            census.trouble(str(found.path), f"{each.config} is missing")
            continue
        parsed = parse_config(region.bytes(_MAX_JSON), f"{found.path}: {each.config}")
        if len(parsed.diff_ids) != len(each.layers):
            census.trouble(
                str(found.path),
                f"{len(each.layers)} layers, but {each.config} lists {len(parsed.diff_ids)}",
            )
            continue
        places = {
            diff_id: found.place(layer)
            for diff_id, layer in zip(parsed.diff_ids, each.layers, strict=True)
        }
        blobs = tuple(Blob(digest=diff_id) for diff_id in dict.fromkeys(parsed.diff_ids))
        for name in each.tags or (f"{found.path.name}:latest",):
            repository, tag = _split_name(name, str(found.path))
            if filters.takes(repository, tag):
                image = image_of(parsed.digest, parsed, parsed.diff_ids, repository)
                census.add(image, blobs, tag, places.get)
