"""The dynamic section of ELF files: what a program or library needs. Thousands of files per second."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, BinaryIO

ELF_MAGIC = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class Elf:
    """Names as they stand in the file; `interpreter` is None for libraries and static programs.

    `kind` is "executable", "shared" (libraries, and programs that can be moved) or "other" (objects, cores).
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
    """None for what is no ELF file, or a damaged one."""
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    head = file.read(20)
    if len(head) < 20 or not is_elf(head):
        return None
    file.seek(0)
    try:
        return _read(file)
    except Exception as error:  # pyelftools raises what it meets in damaged files: construct errors, KeyError, ...
        if isinstance(error, MemoryError):
            raise
        return None


def _read(file: BinaryIO) -> Elf:
    from elftools.elf.elffile import ELFFile

    elf = ELFFile(file)
    kinds = {"ET_EXEC": "executable", "ET_DYN": "shared"}
    tags: dict[str, list[str]] = {"DT_NEEDED": [], "DT_SONAME": [], "DT_RPATH": [], "DT_RUNPATH": []}
    interpreter = None
    segment: Any
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_INTERP":
            interpreter = segment.get_interp_name()
        elif segment["p_type"] == "PT_DYNAMIC":
            for tag in segment.iter_tags():
                if tag.entry.d_tag in tags:
                    tags[tag.entry.d_tag].append(_text(tag))
    return Elf(
        machine=elf["e_machine"] if isinstance(elf["e_machine"], str) else str(elf["e_machine"]),
        bits=elf.elfclass,
        kind=kinds.get(elf["e_type"], "other"),
        soname=next(iter(tags["DT_SONAME"]), None),
        needed=tuple(tags["DT_NEEDED"]),
        rpath=_paths(tags["DT_RPATH"]),
        runpath=_paths(tags["DT_RUNPATH"]),
        interpreter=interpreter,
    )


def _text(tag: object) -> str:
    name = {"DT_NEEDED": "needed", "DT_SONAME": "soname", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}
    return str(getattr(tag, name[tag.entry.d_tag]))  # type: ignore[attr-defined]


def _paths(values: list[str]) -> tuple[str, ...]:
    return tuple(path for value in values for path in value.split(":") if path)
