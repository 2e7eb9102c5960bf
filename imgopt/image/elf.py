"""The dynamic section of ELF files: what a program or library needs. Tens of thousands of files per
second.

Only the program headers are read, as the dynamic loader does, so stripped files work. pyelftools
reads the same in 2 ms per file, which is too slow for an image; the tests hold both against each
other.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

ELF_MAGIC = b"\x7fELF"

_KINDS = {1: "object", 2: "executable", 3: "shared", 4: "core"}
_MACHINES = {
    3: "386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    190: "cuda",
    243: "riscv",
    247: "bpf",
    258: "loongarch",
}
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 14, 15, 29
_MAX_DYNAMIC = 1 << 20
_MAX_NAME = 4096


@dataclass(frozen=True, slots=True)
class Elf:
    """Names as they stand in the file; `interpreter` is None for libraries and static programs.

    `kind` is "executable", "shared" (a library, or a program at no fixed address), "object", "core"
    or "other".
    """

    machine: str
    bits: int
    kind: str
    soname: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    interpreter: str | None


def is_elf(head: bytes) -> bool:
    return head[:4] == ELF_MAGIC


def read_elf(source: bytes | BinaryIO) -> Elf | None:
    """None for what is no ELF file, or a damaged one. `source` is the whole file, or a seekable
    file at its start."""
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    head = file.read(64)
    if len(head) < 52 or not is_elf(head) or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    try:
        return _Reader(file, head).elf()
    except (struct.error, OSError, OverflowError, ValueError):
        return None


def read_section(file: BinaryIO, names: tuple[str, ...], limit: int) -> dict[str, bytes]:
    """The first `limit` bytes of the named sections that a seekable ELF file has; {} for what is no
    ELF file."""
    head = file.read(64)
    if len(head) < 52 or not is_elf(head) or head[4] not in (1, 2) or head[5] not in (1, 2):
        return {}
    try:
        reader = _Reader(file, head)
        return {
            name: reader.at(offset, min(size, limit))
            for name, offset, size in reader.sections()
            if name in names
        }
    except (struct.error, OSError, OverflowError, ValueError):
        return {}


class _Reader:
    def __init__(self, file: BinaryIO, head: bytes) -> None:
        self.file, self.head = file, head
        self.wide = head[4] == 2
        self.order = "<" if head[5] == 1 else ">"

    def elf(self) -> Elf:
        layout = "HHIQQQIHHH" if self.wide else "HHIIIIIHHH"
        kind, machine, _, _, table, _, _, _, entry_size, count = struct.unpack_from(
            self.order + layout, self.head, 16
        )
        segments = self._segments(table, entry_size, count)
        names = self._dynamic(segments)
        interpreter = next(
            (
                self._text(offset, min(size, _MAX_NAME))
                for kind, offset, _, size in segments
                if kind == _PT_INTERP
            ),
            None,
        )
        return Elf(
            machine=_MACHINES.get(machine, f"machine-{machine}"),
            bits=64 if self.wide else 32,
            kind=_KINDS.get(kind, "other"),
            soname=next(iter(names[_DT_SONAME]), None),
            needed=tuple(names[_DT_NEEDED]),
            rpath=_paths(names[_DT_RPATH]),
            runpath=_paths(names[_DT_RUNPATH]),
            interpreter=interpreter,
        )

    def _segments(self, table: int, entry_size: int, count: int) -> list[tuple[int, int, int, int]]:
        """(type, file offset, address, size in the file) of each program header."""
        data = self.at(table, entry_size * count)
        item = struct.Struct(self.order + ("I4xQQ8xQ" if self.wide else "IIIxxxxI"))
        return [
            item.unpack_from(data, position)
            for position in range(0, len(data) - item.size + 1, entry_size or 1)
        ]

    def sections(self) -> list[tuple[str, int, int]]:
        """(name, file offset, size) of each section."""
        table, entry_size, count, names = self._section_table()
        data = self.at(table, entry_size * count)
        item = struct.Struct(self.order + ("I4x16xQQ" if self.wide else "I12xII"))
        rows = [
            item.unpack_from(data, at)
            for at in range(0, len(data) - item.size + 1, entry_size or 1)
        ]
        texts = (
            self.at(rows[names][1], min(rows[names][2], _MAX_DYNAMIC)) if names < len(rows) else b""
        )
        return [
            (texts[at:].partition(b"\0")[0].decode("ascii", "replace"), offset, size)
            for at, offset, size in rows
        ]

    def _section_table(self) -> tuple[int, int, int, int]:
        """File offset, entry size, number of entries, index of the section with the names."""
        offset = struct.unpack_from(
            self.order + ("Q" if self.wide else "I"), self.head, 40 if self.wide else 32
        )[0]
        return (offset, *struct.unpack_from(self.order + "HHH", self.head, 58 if self.wide else 46))

    def _dynamic(self, segments: list[tuple[int, int, int, int]]) -> dict[int, list[str]]:
        names: dict[int, list[str]] = {
            tag: [] for tag in (_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH)
        }
        section = next(
            ((offset, size) for kind, offset, _, size in segments if kind == _PT_DYNAMIC), None
        )
        if section is None:
            return names
        item = struct.Struct(self.order + ("QQ" if self.wide else "II"))
        data = self.at(section[0], min(section[1], _MAX_DYNAMIC))
        tags: list[tuple[int, int]] = []
        for tag, value in item.iter_unpack(data[: len(data) - len(data) % item.size]):
            if tag == 0:
                break
            tags.append((tag, value))
        strings = next((_offset(value, segments) for tag, value in tags if tag == _DT_STRTAB), None)
        if strings is not None:
            for tag, value in tags:
                if tag in names:
                    names[tag].append(self._text(strings + value, _MAX_NAME))
        return names

    def at(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(size)

    def _text(self, offset: int, limit: int) -> str:
        return self.at(offset, limit).partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _offset(address: int, segments: list[tuple[int, int, int, int]]) -> int | None:
    """Where in the file the byte at an address lies."""
    for kind, offset, start, size in segments:
        if kind == _PT_LOAD and start <= address < start + size:
            return address - start + offset
    return None


def _paths(values: list[str]) -> tuple[str, ...]:
    return tuple(path for value in values for path in value.split(":") if path)
