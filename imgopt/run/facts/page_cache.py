"""Puts an image's files out of the page cache, so that a start finds none of them in memory: those
of its layers, and nothing else of this machine."""

from __future__ import annotations

import ctypes
import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from imgopt.engine import Engine

_MOST_FILES = 400_000
_LOOKED_AT = 300
_STILL_THERE = 0.1
_LOOKED_AT_LEAST = 64 << 10


def put_out(engine: Engine, image: str) -> str:
    """Why that cannot be had, in a clause; "" where none of the image's files is in memory now.
    Containers that run keep what they have mapped."""
    if not engine.facts.local:
        return "the engine is not on this machine"
    if os.geteuid() != 0:
        return "putting files out of memory needs root"
    folders = layer_folders(engine.image(image))
    if not folders:
        return "the engine does not tell where the image's files lie"
    files = list(_files(folders))
    if len(files) > _MOST_FILES:
        return f"the image has more than {_MOST_FILES:,} files"
    for path, _ in files:
        _advise(path)
    largest = sorted((one for one in files if one[1] >= _LOOKED_AT_LEAST), key=lambda one: -one[1])
    share = resident_share(path for path, _ in largest[:_LOOKED_AT])
    if share > _STILL_THERE:
        return f"{share:.0%} of its files stay in memory: other containers use them"
    return ""


def layer_folders(inspected: dict[str, object]) -> tuple[Path, ...]:
    """Folders of the overlay driver that hold the image's files; () for other stores."""
    driver = inspected.get("GraphDriver")
    data = driver.get("Data") if isinstance(driver, dict) else None
    places = [data.get("UpperDir"), *str(data.get("LowerDir") or "").split(":")] if data else []
    found = tuple(Path(place) for place in places if place)
    return found if all(folder.is_dir() for folder in found) else ()


def resident_share(paths: Iterable[Path]) -> float:
    """How much of these files is in memory (mincore(2)); 0 where nothing can be looked at."""
    pages = there = 0
    for path in paths:
        vector = _resident(path)
        pages += len(vector)
        there += sum(page & 1 for page in vector)
    return there / pages if pages else 0.0


def _files(folders: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    for top in folders:
        for folder, _, names in os.walk(top):
            for name in names:
                path = Path(folder, name)
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_size:
                    yield path, found.st_size


def _advise(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _resident(path: Path) -> bytes:
    """One byte per page, whose lowest bit says that it is in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t) + (ctypes.c_int,) * 3 + (ctypes.c_long,)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            place = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
    except OSError:
        return b""
    if place in (None, ctypes.c_void_p(-1).value):
        return b""
    try:
        vector = ctypes.create_string_buffer((size + mmap.PAGESIZE - 1) // mmap.PAGESIZE)
        return vector.raw if libc.mincore(place, size, vector) == 0 else b""
    finally:
        libc.munmap(place, size)
