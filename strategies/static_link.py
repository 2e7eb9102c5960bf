"""static-link: a Go program without cgo needs no C library, and fits on the smallest base."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.dockerfile import Edit
from imgopt.rewrite.carving import start_program
from imgopt.rewrite.installs import begins_with
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

C_LIBRARY = re.compile(r"lib(c|m|dl|rt|pthread|resolv|util)\.so\.\d+\Z|ld-linux.*\Z|ld-musl.*\Z|libc\.musl.*\Z")
IMPORTS_C = re.compile(r'^\s*import\s+"C"|^\s*_?\s*"C"\s*$', re.MULTILINE)


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every `go build` whose program only needs the C library."""
    for item in situation.stage.instructions:
        if item.keyword != "RUN":
            continue
        if "CGO_ENABLED" in situation.dockerfile.scope_at(item).values:
            return
        for command in script_of(situation.dockerfile, item).commands:
            words = [value or "" for value in command.values]
            if not begins_with(words, "go build") or any(a.name == "CGO_ENABLED" for a in command.assignments):
                continue
            refusal = _refusal(situation)
            if refusal:
                yield Skip(refusal, item.line)
                return
            at = command.span.start
            because = "no package of the program uses C: linked statically it needs no C library at run time"
            yield Change(because, item.line, (Edit(at, at, "CGO_ENABLED=0 "),), static=True)


def _refusal(situation: Situation) -> str:
    evidence = situation.evidence
    if evidence is None:
        return "needs `imgopt optimize`: which libraries the program needs is measured"
    path = start_program(evidence)
    node = evidence.side.file(path) if path is not None else None
    elf = evidence.side.elf(node) if node is not None else None
    if elf is None:
        return "the image does not start a program that was built here"
    if not elf.needed:
        return "the program needs no library already"
    foreign = next((name for name in elf.needed if not C_LIBRARY.match(name)), None)
    if foreign is not None:
        return f"the program needs {foreign}"
    context = situation.project.context
    uses_c = next(
        (name for name in context.sizes if name.endswith(".go") and IMPORTS_C.search(context.text(name))), None
    )
    return f'{uses_c} imports "C"' if uses_c else ""


STRATEGY = Strategy(
    name="static-link",
    why="Where a C compiler is in the image, Go links name resolution and user look-ups to the C library, for which "
    "it has its own code as well. Without cgo the program runs on a base that holds nothing but certificates and time "
    "zones.",
    safety="evidence",
    references=("https://pkg.go.dev/cmd/cgo", "https://pkg.go.dev/net#hdr-Name_Resolution"),
    rewrite=rewrite,
    refuses='A program that needs another library than the C library, or a source file that imports "C".',
    examples=(
        Example(
            "needs the built program", before="FROM golang:1.22\nRUN go build .\n", after=None, refused="needs `imgopt"
        ),
        Example("said already", before="FROM golang:1.22\nENV CGO_ENABLED=1\nRUN go build .\n", after=None),
    ),
)
