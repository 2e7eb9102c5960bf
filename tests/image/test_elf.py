"""Our reader of dynamic sections against pyelftools, on the programs and libraries of this
machine."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from imgopt.image import is_elf, read_elf

MACHINES = {
    "EM_X86_64": "x86_64",
    "EM_AARCH64": "aarch64",
    "EM_386": "386",
    "EM_ARM": "arm",
    "EM_RISCV": "riscv",
}
KINDS = {"ET_REL": "object", "ET_EXEC": "executable", "ET_DYN": "shared", "ET_CORE": "core"}
FOLDERS = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    f"/usr/lib/{sysconfig.get_config_var('MULTIARCH') or 'none'}",
)


def local_files() -> list[Path]:
    """Python's own and some hundred of the system's, spread over the names."""
    found = [
        Path(sys.executable).resolve(),
        *Path(sysconfig.get_path("platstdlib")).glob("lib-dynload/*.so"),
    ]
    for folder in FOLDERS:
        files = sorted(path for path in Path(folder).glob("*") if path.is_file())
        found += files[:: max(1, len(files) // 120)]
    return [path for path in found if is_elf(path.open("rb").read(4))]


def by_pyelftools(data: bytes) -> dict[str, object]:
    elf = ELFFile(io.BytesIO(data))
    tags: dict[str, list[str]] = {
        "DT_NEEDED": [],
        "DT_SONAME": [],
        "DT_RPATH": [],
        "DT_RUNPATH": [],
    }
    interpreter = None
    for segment in elf.iter_segments():
        if isinstance(segment, DynamicSegment):
            for tag in segment.iter_tags():
                if tag.entry.d_tag in tags:
                    tags[tag.entry.d_tag].append(getattr(tag, tag.entry.d_tag[3:].lower()))
        elif isinstance(segment, InterpSegment):
            interpreter = segment.get_interp_name()
    return {
        "machine": MACHINES[elf["e_machine"]],
        "bits": elf.elfclass,
        "kind": KINDS[elf["e_type"]],
        "soname": next(iter(tags["DT_SONAME"]), None),
        "needed": tuple(tags["DT_NEEDED"]),
        "rpath": tuple(part for value in tags["DT_RPATH"] for part in value.split(":") if part),
        "runpath": tuple(part for value in tags["DT_RUNPATH"] for part in value.split(":") if part),
        "interpreter": interpreter,
    }


def ours(data: bytes) -> dict[str, object]:
    elf = read_elf(data)
    assert elf is not None
    return {name: getattr(elf, name) for name in elf.__slots__}


def test_the_files_of_this_machine_are_read_as_pyelftools_reads_them() -> None:
    files = local_files()
    read = 0
    for path in files:
        data = path.read_bytes()
        assert ours(data) == by_pyelftools(data), path
        read += 1
    assert read > 50


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
@pytest.mark.parametrize(
    "options",
    [
        ("-shared", "-fPIC", "-Wl,-soname,libx.so.1", "-Wl,-rpath,/opt/a:/opt/b"),
        ("-shared", "-fPIC", "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../lib"),
        ("-static",),
        ("-static-pie", "-fPIE"),
        ("-no-pie", "-s"),
        ("-c",),
        ("-shared", "-fPIC", "-nostdlib", "-Wl,-z,nosectionheader"),
    ],
    ids=" ".join,
)
def test_what_a_compiler_makes_is_read_as_pyelftools_reads_it(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    source, target = tmp_path / "x.c", tmp_path / "x"
    source.write_text("int main(void) { return 0; }\n")
    made = subprocess.run(["gcc", *options, "-o", target, source], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this compiler does not take {options}: {made.stderr.splitlines()[-1]}")
    data = target.read_bytes()
    assert ours(data) == by_pyelftools(data)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_word_sizes_and_byte_orders(wide: bool, order: str) -> None:
    """A library with a name and one need, written by hand: compilers here make only the machine's
    own kind."""
    strings = b"\0libown.so.2\0libneed.so.1\0"
    head, item = (64, "QQ") if wide else (52, "II")
    entry = 56 if wide else 32
    start = head + 2 * entry
    dynamic = b"".join(
        struct.pack(order + item, *each)
        for each in ((14, 1), (1, 13), (5, 0x1000 + start), (10, 26), (0, 0))
    )
    size = len(strings) + len(dynamic)
    machine = 62 if wide else 40
    magic = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)) + bytes(9)
    layout = "HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"
    header = magic + struct.pack(
        order + layout, 3, machine, 1, 0, head, 0, 0, head, entry, 2, 0, 0, 0
    )

    def segment(kind: int, offset: int, length: int) -> bytes:
        if wide:
            return struct.pack(
                order + "IIQQQQQQ", kind, 4, offset, 0x1000 + offset, 0, length, length, 8
            )
        return struct.pack(
            order + "IIIIIIII", kind, offset, 0x1000 + offset, 0, length, length, 4, 8
        )

    table = segment(1, start, size) + segment(2, start + len(strings), len(dynamic))
    data = header + table + strings + dynamic
    assert ours(data) == by_pyelftools(data)
    assert ours(data)["needed"] == ("libneed.so.1",)


def test_what_is_cut_off_is_no_elf_file_or_the_right_one() -> None:
    data = Path(sys.executable).resolve().read_bytes()[:20_000]
    for size in (*range(200), 1000, 5000, 19_999):
        read_elf(data[:size])  # raises nothing
