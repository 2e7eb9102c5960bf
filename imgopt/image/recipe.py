"""Small images made by hand, written as `docker save` writes them: for examples and tests, which
need neither an engine nor a registry."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tarfile


@dataclass(frozen=True)
class File:
    """An entry of a layer; `link` makes it a symbolic link, `hard` another name of a file,
    `folder` a directory."""

    data: bytes | str = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    link: str = ""
    hard: str = ""
    folder: bool = False
    mtime: int = 1_700_000_000


Files = Mapping[str, File | bytes | str]
Layers = tuple[tuple[str, Files], ...]
"""Bottom up: the instruction that made a layer, and its files."""


def layer_tar(files: Files) -> bytes:
    import tarfile  # strategies have examples, and are loaded for text alone

    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape"
    ) as archive:
        for path, given in files.items():
            file = given if isinstance(given, File) else File(given)
            info, data = _member(path, file)
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return buffer.getvalue()


def _member(path: str, file: File) -> tuple[tarfile.TarInfo, bytes]:
    import tarfile

    data = file.data.encode(errors="surrogateescape") if isinstance(file.data, str) else file.data
    info = tarfile.TarInfo(path.lstrip("/"))
    info.mode, info.uid, info.gid, info.mtime = file.mode, file.uid, file.gid, file.mtime
    info.size = len(data)
    if file.link:
        info.type, info.linkname, info.size = tarfile.SYMTYPE, file.link, 0
    elif file.hard:
        info.type, info.linkname, info.size = tarfile.LNKTYPE, file.hard, 0
    elif file.folder:
        info.type, info.mode, info.size = tarfile.DIRTYPE, file.mode | 0o111, 0
    return info, data


def write_image(
    path: Path,
    layers: Layers,
    config: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """An archive with one image; `config` is what a container starts with (Env, Cmd, User, …).
    `history` are its steps, where there are some that made no layer."""
    blobs = {f"{number}.tar": layer_tar(files) for number, (_, files) in enumerate(layers)}
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": dict(config),
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(blob).hexdigest()}" for blob in blobs.values()],
        },
        "history": history or [{"created_by": step} for step, _ in layers],
    }
    manifest = [{"Config": "c.json", "RepoTags": ["t:1"], "Layers": list(blobs)}]
    files: Files = {
        "c.json": json.dumps(document),
        "manifest.json": json.dumps(manifest),
        **blobs,
    }
    path.write_bytes(layer_tar(files))
    return path


_SYSTEM = "/var/lib/dpkg"


def with_packages(packages: Mapping[str, tuple[str, ...]], files: Files) -> Files:
    """Files of a layer with Debian's database of these packages, each with the files that it owns:
    the whole database, as the layer leaves it."""
    records = {
        f"{_SYSTEM}/info/{name}.list": "".join(f"{path}\n" for path in owned)
        for name, owned in packages.items()
    }
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
        for name in packages
    )
    return {**files, f"{_SYSTEM}/status": status, **records}


PROGRAM = File("\x7fELF", 0o755)
DEBIAN: Files = {
    "/etc/os-release": 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "/etc/group": "root:x:0:\n",
    "/bin/sh": PROGRAM,
    "/usr/local/bin/python": PROGRAM,
    "/usr/local/bin/node": PROGRAM,
}
"""A small Debian with two languages' programs."""
FAT_DEBIAN = with_packages(
    {"gcc": ("/usr/bin/gcc",)}, {**DEBIAN, "/usr/bin/gcc": File("x" * 2_000_000, 0o755)}
)
"""The same with a compiler."""
