"""Modules linked into programs: Go's build info and cargo-auditable's list, both in a section of
the ELF file."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from imgopt.image.elf import read_section
from imgopt.image.packages.model import Found, Part
from imgopt.image.tree import Node

_GO_MAGIC = b"\xff Go buildinf:"
_GO_SECTION, _RUST_SECTION = ".go.buildinfo", ".dep-v0"
_MAX_LIST = 8 << 20


def find(programs: Iterable[Node]) -> Iterator[Found]:
    """One package per program that names its modules; their bytes are mixed in the program, so
    theirs are 0."""
    for node in sorted(programs, key=lambda each: each.path):
        with node.open() as file:
            sections = read_section(file, (_GO_SECTION, _RUST_SECTION), _MAX_LIST)
        if _GO_SECTION in sections:
            yield from _go(node, sections[_GO_SECTION])
        if _RUST_SECTION in sections:
            yield from _rust(node, sections[_RUST_SECTION])


def _go(node: Node, section: bytes) -> Iterator[Found]:
    """Go 1.18 and later write two strings with their lengths after a header of 32 bytes
    (debug/buildinfo)."""
    if section[:14] != _GO_MAGIC or len(section) < 33 or not section[15] & 2:
        return
    version, position = _go_string(section, 32)
    info, _ = _go_string(section, position)
    lines = [line.split("\t") for line in info.decode("utf-8", "replace").split("\n")]
    main = next(((line[1], line[2]) for line in lines if line[0] == "mod" and len(line) > 2), None)
    path = next((line[1] for line in lines if line[0] == "path" and len(line) > 1), "")
    parts = [Part("std", version.decode("ascii", "replace").removeprefix("go"), 0)]
    for line in lines:
        if line[0] == "dep" and len(line) > 2:
            parts.append(Part(line[1], line[2], 0))
        elif line[0] == "=>" and len(line) > 2 and len(parts) > 1:
            parts[-1] = Part(line[1], line[2], 0)
    name, own_version = main or (path or node.name, "")
    yield Found("go", name, own_version, node, (node,), parts=tuple(parts))


def _go_string(data: bytes, position: int) -> tuple[bytes, int]:
    length = shift = 0
    while position < len(data) and shift < 35:
        byte = data[position]
        position += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    text = data[position : position + length]
    if (
        len(text) >= 33 and text[-17:-16] == b"\n"
    ):  # the module list stands between two markers of 16 bytes
        text = text[16:-16]
    return text, position + length


def _rust(node: Node, section: bytes) -> Iterator[Found]:
    try:
        data = zlib.decompressobj().decompress(section, _MAX_LIST)
        packages: list[dict[str, Any]] = msgspec.json.decode(data, type=dict[str, Any]).get(
            "packages", []
        )
        names = [
            (str(each["name"]), str(each["version"]), bool(each.get("root"))) for each in packages
        ]
    except (zlib.error, msgspec.DecodeError, KeyError, TypeError, AttributeError, RecursionError):
        return
    root = next(((name, version) for name, version, is_root in names if is_root), (node.name, ""))
    parts = tuple(Part(name, version, 0) for name, version, is_root in names if not is_root)
    yield Found("rust", root[0], root[1], node, (node,), parts=parts)
