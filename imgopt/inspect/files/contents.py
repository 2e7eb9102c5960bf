"""Is this file the same? Byte for byte where it was copied; by what it holds where a build made it
anew.

Two builds of the same source give other bytes in archives (times), programs (build ids) and
bytecode (times). Such files are compared by their members, their dynamic interface, their values or
their code; anything else must be identical.
"""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from imgopt.image.elf import read_section
from imgopt.image.tree import Node
from imgopt.inspect.files.unpacked_jars import is_unpacked
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.json_manifests import json_manifests

Likeness = Literal["same", "rebuilt", "different"]

_ARCHIVES = (".jar", ".war", ".ear", ".zip", ".whl", ".egg", ".nupkg")
_MOST_MEMBERS = 200_000
_STAMPED = ("META-INF/MANIFEST.MF", "git.properties", "build-info.properties", "pom.properties")
"""Members that build tools write times and commit ids into."""
_SIZE_TOLERANCE = 0.02
"""Programs made twice from one source differ by paths and build ids, a few bytes in thousands."""
_GO_SECTION = ".go.buildinfo"
_GO_SETTINGS = re.compile(r"^build\t(?:CGO_\w+|vcs\b|-trimpath|-buildvcs|-gcflags|-asmflags)")
"""Settings of `go build` that change how a program is linked, not what it does."""
_C_CALL = re.compile(rb"\0([\w.%~/-]+)\._Cfunc_")
_C_TWICE = frozenset(["net", "os/user", "runtime/cgo", "plugin"])
"""Packages of the standard library that call C where they may; net and os/user have the same in
Go."""
_READ_AT_ONCE = 1 << 20
_READERS: dict[str, Callable[[bytes], object]] = {
    ".json": msgspec.json.decode,
    ".toml": lambda data: tomllib.loads(data.decode()),
}


def compare_contents(
    original: ImageView, before: Node, candidate: ImageView, after: Node
) -> Likeness:
    """Two regular files. Equal digests are "same" without further reading."""
    if before.size == after.size and (_shared(before, after) or before.digest == after.digest):
        return "same"
    if was_copied(original, before):
        return "different"
    if before.name.endswith(_ARCHIVES):
        same = _members(before) == _members(after) != {} or is_unpacked(before, candidate, after)
        return "rebuilt" if same else "different"
    if before.name.endswith(tuple(_READERS)) and max(before.size, after.size) <= _READ_AT_ONCE:
        return "rebuilt" if _same_values(before, after) else "different"
    if before.name.endswith(".pyc"):
        return "rebuilt" if before.read()[16:] == after.read()[16:] else "different"
    return "rebuilt" if _same_program(original, before, candidate, after) else "different"


def _same_values(before: Node, after: Node) -> bool:
    """The same values under the same names: what writes a table as it comes (Next.js' pages) gives
    it another order. An installer writes into the manifest of the project (`npm install
    --save-dev`, `npm pkg set`)."""
    try:
        one, other = (_values(node) for node in (before, after))
        return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(
            other, order="sorted"
        )
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return False


def _values(node: Node) -> object:
    """What the file says, but for the list of what only a developer needs: the packages say what is
    installed."""
    values = _READERS[node.name[node.name.rindex(".") :]](node.read())
    developers = {kind.file: kind.developers for kind in json_manifests()}
    wanted_by_developers = developers.get(node.name)
    if wanted_by_developers is None or not isinstance(values, dict):
        return values
    return {name: value for name, value in values.items() if name != wanted_by_developers}


def _shared(before: Node, after: Node) -> bool:
    """The same layer blob in both images: nothing to read."""
    if before.inode is None or after.inode is None:
        return False
    same_layer = before.inode.layer.diff_id == after.inode.layer.diff_id
    return same_layer and before.inode.entry.path == after.inode.entry.path


def was_copied(view: ImageView, node: Node) -> bool:
    """COPY and ADD do not build: what they bring must be identical. An unknown history proves
    nothing."""
    step = view.image.layer_history[node.content_layer]
    if step is None:
        return False
    words = step.created_by.removeprefix("/bin/sh -c #(nop) ").split(None, 1)
    return bool(words) and words[0].upper() in ("COPY", "ADD")


def _members(node: Node) -> dict[str, int]:
    """Names and checksums in an archive, without those that carry times; {} for what is no
    archive."""
    with node.open() as file:
        try:
            infos = zipfile.ZipFile(file).infolist()
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
            return {}
        return {
            info.filename: info.CRC
            for info in infos[:_MOST_MEMBERS]
            if not info.is_dir() and not info.filename.endswith(_STAMPED)
        }


def _same_program(original: ImageView, before: Node, candidate: ImageView, after: Node) -> bool:
    """Programs and libraries of the same machine, loader, needed libraries and (nearly) as much
    code and data; Go programs of the same modules and settings, whether linked with libc or
    without."""
    ours, theirs = original.elf(before), candidate.elf(after)
    if ours is None or theirs is None:
        return False
    if go_build(before) is not None:
        return go_build(before) == go_build(after) and c_packages(before) == c_packages(after)
    return ours == theirs and abs(_loaded(before) - _loaded(after)) <= _SIZE_TOLERANCE * _loaded(
        before
    )


def go_build(node: Node) -> tuple[str, ...] | None:
    """What Go wrote into a program about its build (debug/buildinfo): modules and settings; None
    for other programs."""
    with node.open() as file:
        section = read_section(file, (_GO_SECTION,), 8 << 20).get(_GO_SECTION)
    if not section:
        return None
    return program_settings(section.decode("utf-8", "replace").split("\n"))


def c_packages(node: Node) -> frozenset[str]:
    """Packages of a Go program that call C, by the names in its table of functions (cmd/cgo:
    `_Cfunc_name`), which a stripped program has too. Without cgo such a package is left out or does
    something else (go-sqlite3: an error)."""
    found: set[str] = set()
    rest = b""
    with node.open() as file:
        while chunk := file.read(_READ_AT_ONCE):
            found |= {name.decode() for name in _C_CALL.findall(rest + chunk)}
            rest = chunk[-512:]
    return frozenset(found - _C_TWICE)


def program_settings(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines of debug/buildinfo that say what a program is; how it is linked is left out."""
    kept = [
        line for line in lines if line.startswith(("path\t", "mod\t", "dep\t", "=>\t", "build\t"))
    ]
    return tuple(_setting(line) for line in kept if not _GO_SETTINGS.match(line) and _setting(line))


def _setting(line: str) -> str:
    """Of the linker's flags, the values that they put into the program: "" where they put none."""
    if not line.startswith("build\t-ldflags="):
        return line
    values = sorted(re.findall(r"-X[ =]'?([^\s'\"]+)", line))
    return f"build\t-X {' '.join(values)}" if values else ""


def _loaded(node: Node) -> int:
    """Bytes that the loader maps: the same with and without a symbol table."""
    from elftools.elf.elffile import ELFFile

    with node.open() as file:
        return sum(
            part["p_filesz"]
            for part in ELFFile(file).iter_segments()
            if part["p_type"] == "PT_LOAD"
        )
