"""How the dynamic loader of an image finds a shared library: ld.so(8) for glibc, ldso/dynlink.c for
musl.

glibc: a name with a slash is a path; else DT_RPATH of the object and of those that loaded it (where
the object has no DT_RUNPATH), LD_LIBRARY_PATH, DT_RUNPATH of the object, /etc/ld.so.cache, the
default folders. A folder of ld.so.conf counts only through the cache, as for the real loader. musl:
LD_LIBRARY_PATH, RPATH and RUNPATH alike, then /etc/ld-musl-ARCH.path or its default.
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = (
    len(_MAGIC) + 28
)  # nlibs, len_strings, flags and padding, extension offset, three unused words
_ENTRY = struct.Struct("<iIIIQ")

MULTIARCH = {
    "x86_64": "x86_64-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "386": "i386-linux-gnu",
    "ppc64": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "riscv": "riscv64-linux-gnu",
}
"""Debian's folder for each machine, by the names of imgopt.image.elf."""
_LIB64 = ("x86_64", "aarch64", "ppc64", "s390x", "riscv")


def read_cache(data: bytes) -> dict[str, list[str]]:
    """Soname to paths of an /etc/ld.so.cache (sysdeps/generic/dl-cache.h, the new format); {} for
    anything else."""
    start = data.find(_MAGIC)
    if start < 0 or len(data) < start + _HEADER:
        return {}
    data = data[start:]
    (count,) = struct.unpack_from("<I", data, len(_MAGIC))
    libraries: dict[str, list[str]] = {}
    for index in range(min(count, (len(data) - _HEADER) // _ENTRY.size)):
        _, key, value, _, _ = _ENTRY.unpack_from(data, _HEADER + index * _ENTRY.size)
        libraries.setdefault(_text_at(data, key), []).append(_text_at(data, value))
    return libraries


def _text_at(data: bytes, offset: int) -> str:
    end = data.find(b"\0", offset)
    return data[offset:end].decode("utf-8", "replace") if 0 <= offset < end else ""


def folders_of(value: str | None) -> list[str]:
    """A search path of the environment, `:` or `;` between folders; empty and relative ones are
    left out."""
    parts = (value or "").replace(";", ":").split(":")
    return [posixpath.normpath(part) for part in parts if part.startswith("/")]


@dataclass(frozen=True)
class Loader:
    """The search of one image. `exists` says whether a path, with links followed, is a regular
    file."""

    exists: Callable[[str], bool]
    cache: Mapping[str, list[str]]
    environment: tuple[str, ...] = ()
    musl: tuple[str, ...] | None = None
    """The folders of musl's path file; None for glibc."""

    def find(
        self,
        name: str,
        machine: str,
        origin: str,
        runpath: Iterable[str],
        rpath: Iterable[str] = (),
    ) -> str | None:
        """The path that the loader would take for `name`, asked for by an object in the folder
        `origin`."""
        if "/" in name:
            path = name if name.startswith("/") else posixpath.join(origin, name)
            path = self._expanded(path, machine, origin)
            return path if self.exists(path) else None
        places = self._places(name, machine, origin, list(runpath), list(rpath))
        return next((path for path in places if self.exists(path)), None)

    def _places(
        self, name: str, machine: str, origin: str, runpath: list[str], rpath: list[str]
    ) -> Iterator[str]:
        first = (
            [*self.environment, *rpath, *runpath]
            if self.musl is not None
            else []
            if runpath
            else rpath
        )
        for folder in first:
            yield posixpath.join(self._expanded(folder, machine, origin), name)
        if self.musl is not None:
            yield from (posixpath.join(folder, name) for folder in self.musl)
            return
        for folder in (*self.environment, *runpath):
            yield posixpath.join(self._expanded(folder, machine, origin), name)
        yield from self.cache.get(name, ())
        yield from (posixpath.join(folder, name) for folder in default_folders(machine))

    def _expanded(self, folder: str, machine: str, origin: str) -> str:
        lib = "lib64" if machine in _LIB64 else "lib"
        platform = MULTIARCH.get(machine, "").partition("-")[0]
        for word, value in (("ORIGIN", origin), ("LIB", lib), ("PLATFORM", platform)):
            folder = folder.replace(f"${{{word}}}", value).replace(f"${word}", value)
        return posixpath.normpath(folder)


def default_folders(machine: str) -> tuple[str, ...]:
    """The trusted folders of glibc as Debian (multiarch) and others build it."""
    triplet = MULTIARCH.get(machine)
    multiarch = (f"/lib/{triplet}", f"/usr/lib/{triplet}") if triplet else ()
    return (*multiarch, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
