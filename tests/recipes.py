"""Small real images, written as `docker save` writes them and opened as any other."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from imgopt.image import Image, open_image
from imgopt.inspect.image_view import ImageView


@dataclass(frozen=True)
class File:
    """An entry of a layer; `link` makes it a symbolic link, `hard` another name of a file, `folder` a directory."""

    data: bytes | str = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    link: str = ""
    hard: str = ""
    folder: bool = False
    mtime: int = 1_700_000_000


Files = Mapping[str, File | bytes | str]


def layer_tar(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        for path, given in files.items():
            file = given if isinstance(given, File) else File(given)
            data = file.data.encode(errors="surrogateescape") if isinstance(file.data, str) else file.data
            info = tarfile.TarInfo(path.lstrip("/"))
            info.mode, info.uid, info.gid, info.mtime, info.size = file.mode, file.uid, file.gid, file.mtime, len(data)
            if file.link:
                info.type, info.linkname, info.size = tarfile.SYMTYPE, file.link, 0
            elif file.hard:
                info.type, info.linkname, info.size = tarfile.LNKTYPE, file.hard, 0
            elif file.folder:
                info.type, info.mode, info.size = tarfile.DIRTYPE, file.mode | 0o111, 0
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return buffer.getvalue()


@dataclass(frozen=True)
class Recipe:
    """An image to be: its layers bottom up, each with the instruction that made it, and its configuration."""

    layers: tuple[tuple[str, Files], ...]
    config: Mapping[str, Any]

    def but(self, *, files: Files | None = None, without: Sequence[str] = (), **config: Any) -> Recipe:
        """The same image with files of its last layer added or replaced, files left out, configuration changed."""
        kept = tuple(
            (step, {path: file for path, file in layer.items() if path not in without}) for step, layer in self.layers
        )
        step, last = kept[-1]
        merged = {key: value for key, value in {**self.config, **config}.items() if value is not None}
        return replace(self, layers=(*kept[:-1], (step, {**last, **(files or {})})), config=merged)


_TAGS = {"needed": 1, "soname": 14, "rpath": 15, "runpath": 29}


def elf(*needed: str, interpreter: str = "", **strings: str) -> File:
    """A 64-bit x86 shared object with these dynamic entries."""
    table, entries = bytearray(b"\0"), []
    for tag, text in [*(("needed", name) for name in needed), *strings.items()]:
        entries.append((_TAGS[tag], len(table)))
        table += text.encode() + b"\0"
    count = 3 if interpreter else 2
    dynamic_at = 64 + 56 * count
    dynamic_size = 16 * (len(entries) + 3)
    strings_at = dynamic_at + dynamic_size
    entries += [(5, strings_at), (10, len(table)), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    interpreter_at = strings_at + len(table)
    size = interpreter_at + len(interpreter) + 1
    heads = [(1, 5, 0, size), (2, 6, dynamic_at, dynamic_size)]
    if interpreter:
        heads.append((3, 4, interpreter_at, len(interpreter) + 1))
    head = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
    segments = b"".join(struct.pack("<IIQQQQQQ", kind, flags, at, at, at, n, n, 8) for kind, flags, at, n in heads)
    return File(head + segments + dynamic + bytes(table) + interpreter.encode() + b"\0", 0o755)


@pytest.fixture
def image_of(tmp_path: Path) -> Callable[[Recipe], Image]:
    count = iter(range(1000))

    def make(recipe: Recipe) -> Image:
        blobs = [layer_tar(files) for _, files in recipe.layers]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": dict(recipe.config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(b).hexdigest()}" for b in blobs]},
            "history": [{"created_by": step} for step, _ in recipe.layers],
        }
        raw = json.dumps(config).encode()
        path = tmp_path / f"image-{next(count)}.tar"
        manifest = [{"Config": "c.json", "RepoTags": ["t:1"], "Layers": [f"{i}.tar" for i in range(len(blobs))]}]
        with tarfile.open(path, "w") as archive:
            for name, data in (
                ("c.json", raw),
                ("manifest.json", json.dumps(manifest).encode()),
                *((f"{index}.tar", blob) for index, blob in enumerate(blobs)),
            ):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return open_image(str(path))

    return make


@pytest.fixture
def side_of(image_of: Callable[[Recipe], Image]) -> Callable[..., ImageView]:
    """A Side; `base` is how many of the recipe's layers are the base image."""

    def make(recipe: Recipe, base: int = 0) -> ImageView:
        below = image_of(Recipe(recipe.layers[:base], {})) if base else None
        return ImageView(image_of(recipe), below)

    return make
