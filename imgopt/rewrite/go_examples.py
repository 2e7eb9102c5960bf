"""A small Go service as an image, for the examples of strategies: its program is an ELF file with
what Go's linker writes and nothing else."""

from __future__ import annotations

import struct
from functools import partial

from imgopt.image.recipe import FAT_DEBIAN, File
from imgopt.rewrite.image_examples import PATH, WORKDIR
from imgopt.rewrite.strategy import EvidenceExample

BUILT = b"path\texample.org/a\nmod\texample.org/a\t(devel)\t\nbuild\tCGO_ENABLED=1\n"
"""What `go build` in a folder writes about it."""
PUBLISHED = b"path\texample.org/a\nmod\texample.org/a\tv1.2.3\th1:abc=\n"
"""What `go install NAME@VERSION` writes."""
GO_TEXT = 'FROM golang:1.22\nWORKDIR /app\nCOPY . .\nRUN go build -o main .\nCMD ["/app/main"]\n'


def go_program(
    info: bytes = BUILT,
    functions: bytes = b"",
    needed: bytes = b"libc.so.6",
    symbols: bytes = b"x",
) -> bytes:
    """Build information, names of functions, symbols, and one needed library."""
    strings = b"\0" + needed + b"\0"
    dynamic = struct.pack("<QQQQQQ", 1, 1 if needed else 0, 5, 0x1000, 0, 0)
    sections = {".go.buildinfo": b"\xff Go buildinf:\n" + info, ".gopclntab": functions}
    sections |= {".symtab": symbols} if symbols else {}
    start = 64 + 2 * 56
    heads = [struct.pack("<IIQQQQQQ", 1, 4, start, 0x1000, 0, len(strings), len(strings), 1)]
    at, size = start + len(strings), len(dynamic)
    heads.append(struct.pack("<IIQQQQQQ", 2, 4, at, 0, 0, size, size, 1))
    body = strings + (dynamic if needed else bytes(size))
    names = b"\0" + b"".join(name.encode() + b"\0" for name in sections) + b".shstrtab\0"
    rows = [bytes(64)]
    for name, data in {**sections, ".shstrtab": names}.items():
        known, place = names.index(name.encode() + b"\0"), start + len(body)
        rows.append(struct.pack("<IIQQQQIIQQ", known, 1, 0, 0, place, len(data), 0, 0, 1, 0))
        body += data
    counts = (64, 56, 2, 64, len(rows), len(rows) - 1)
    table = start + len(body)
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, table, 0, *counts)
    return head + b"".join(heads) + body + b"".join(rows)


def built(**how: bytes) -> tuple[str, dict[str, File]]:
    """The layer in which `go build` made the program."""
    return ("RUN go build -o main .", {"/app/main": File(go_program(**how), 0o755)})


go_example = partial(
    EvidenceExample,
    base=("ADD rootfs", FAT_DEBIAN),
    base_config=PATH,
    config={"Cmd": ["/app/main"], "WorkingDir": "/app"},
    opened=frozenset(["/app/main"]),
    executed=frozenset(["/app/main"]),
    files={"go.mod": "module example.org/a\n", "main.go": "package main\n"},
    alone=True,
)
GO_SOURCE = ("COPY . .", {"/app/main.go": "package main\n"})
GO_LAYERS = (WORKDIR, GO_SOURCE)
