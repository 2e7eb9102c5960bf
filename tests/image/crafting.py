"""Writes images by hand: layers as tar, images as docker-archive and OCI layout."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zstandard

Item = tuple[tarfile.TarInfo, bytes]


def info(path: str, kind: bytes, **attributes: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode = kind, 0o644
    for name, value in attributes.items():
        setattr(member, name, value)
    return member


def f(path: str, contents: bytes | int = b"", **attributes: Any) -> Item:
    """A regular file; a number stands for that many bytes, different for every path."""
    if isinstance(contents, int):
        contents = (
            hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest().encode()
            * (contents // 64 + 1)
        )[:contents]
    member = info(path, tarfile.REGTYPE, **attributes)
    member.size = len(contents)
    return member, contents


def d(path: str, **attributes: Any) -> Item:
    return info(path, tarfile.DIRTYPE, **{"mode": 0o755, **attributes}), b""


def sym(path: str, target: str) -> Item:
    return info(path, tarfile.SYMTYPE, linkname=target), b""


def hard(path: str, target: str) -> Item:
    return info(path, tarfile.LNKTYPE, linkname=target), b""


def dev(path: str, kind: bytes = tarfile.CHRTYPE) -> Item:
    return info(path, kind, devmajor=1, devminor=3), b""


def wh(path: str) -> Item:
    directory, _, name = path.rpartition("/")
    return f(f"{directory}/.wh.{name}".lstrip("/"))


def opq(path: str) -> Item:
    return f(f"{path}/.wh..wh..opq")


def tar(*items: Item, format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=format, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for member, contents in items:
            archive.addfile(member, io.BytesIO(contents))
    return out.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config(
    layers: Iterable[bytes], history: list[dict[str, Any]] | None = None, **run: Any
) -> bytes:
    document: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
    }
    if history is not None:
        document["history"] = history
    return json.dumps(document).encode()


def docker_archive(
    path: Path,
    layers: list[bytes],
    raw_config: bytes | None = None,
    compress: str = "",
    name: str = "crafted:latest",
) -> Path:
    """As `docker save` before version 25: metadata last."""
    raw_config = raw_config or config(layers)
    names = [f"{digest(layer)[7:]}/layer.tar" for layer in layers]
    config_name = f"{digest(raw_config)[7:]}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": names}]
    files = {each: packed(layer, compress) for each, layer in zip(names, layers, strict=True)}
    files |= {config_name: raw_config, "manifest.json": json.dumps(manifest).encode()}
    path.write_bytes(tar(*(f(each, contents) for each, contents in files.items())))
    return path


def oci_files(
    layers: list[bytes],
    raw_config: bytes | None = None,
    compress: str = "gzip",
    platform: bool = True,
) -> dict[str, bytes]:
    """The files of an OCI layout by name."""
    raw_config = raw_config or config(layers)
    blobs = [packed(layer, compress) for layer in layers]
    suffix = f"+{compress}" if compress else ""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", raw_config),
        "layers": [
            descriptor(f"application/vnd.oci.image.layer.v1.tar{suffix}", blob) for blob in blobs
        ],
    }
    raw_manifest = json.dumps(manifest).encode()
    entry = descriptor("application/vnd.oci.image.manifest.v1+json", raw_manifest)
    entry["annotations"] = {"org.opencontainers.image.ref.name": "crafted:latest"}
    if platform:
        entry["platform"] = {"os": "linux", "architecture": "amd64"}
    index = {"schemaVersion": 2, "manifests": [entry]}
    files = {blob_name(blob): blob for blob in (*blobs, raw_config, raw_manifest)}
    return {
        **files,
        "index.json": json.dumps(index).encode(),
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
    }


def write_directory(path: Path, files: dict[str, bytes]) -> Path:
    for name, contents in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(contents)
    return path


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(tar(*(f(name, contents) for name, contents in files.items())))
    return path


def descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def blob_name(blob: bytes) -> str:
    return f"blobs/sha256/{digest(blob)[7:]}"


def packed(layer: bytes, compress: str) -> bytes:
    if compress == "gzip":
        return gzip.compress(layer, mtime=0)
    if compress == "multi-gzip":  # eStargz: one member after the other
        middle = len(layer) // 2
        return gzip.compress(layer[:middle], mtime=0) + gzip.compress(layer[middle:], mtime=0)
    if compress == "zstd":
        return zstandard.compress(layer)
    if compress == "multi-zstd":  # frames, with a skippable one in front
        middle = len(layer) // 2
        skippable = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
        return skippable + zstandard.compress(layer[:middle]) + zstandard.compress(layer[middle:])
    assert not compress
    return layer
