"""static-link: a Go program without cgo needs no C library, and fits on the smallest base."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.dockerfile import Edit
from imgopt.image.tree import Node
from imgopt.inspect.files.contents import c_packages
from imgopt.rewrite.effects import LinkedStatically
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.go_programs import go_programs
from imgopt.rewrite.go_examples import GO_LAYERS, GO_TEXT, PUBLISHED, built, go_example
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import begins_with
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

C_LIBRARY = re.compile(
    r"lib(c|m|dl|rt|pthread|resolv|util)\.so\.\d+\Z|ld-linux.*\Z|ld-musl.*\Z|libc\.musl.*\Z"
)
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
            if not begins_with(words, "go build") or any(
                a.name == "CGO_ENABLED" for a in command.assignments
            ):
                continue
            refusal = _refusal(situation)
            if refusal:
                yield Skip(refusal, item.line)
                return
            at = command.span.start
            because = (
                "no package of the program uses C: linked statically it needs no C library at run"
                " time"
            )
            yield Change(
                because, item.line, (Edit(at, at, "CGO_ENABLED=0 "),), effects=(LinkedStatically(),)
            )


def _refusal(situation: Situation) -> str:
    evidence = situation.evidence
    if evidence is None:
        return "needs `imgopt optimize`: which libraries the program needs is measured"
    programs = go_programs(evidence)
    if not programs:
        return "the image has no Go program that was built from its source"
    if not any(_needed(evidence, node) for node in programs):
        return "the program needs no library already"
    why = next((why for node in programs if (why := _needs_c(evidence, node))), "")
    if why:
        return why
    context = situation.project.context
    uses_c = next(
        (
            name
            for name in context.sizes
            if name.endswith(".go") and IMPORTS_C.search(context.text(name))
        ),
        None,
    )
    return f'{uses_c} imports "C"' if uses_c else ""


def _needed(evidence: Evidence, node: Node) -> tuple[str, ...]:
    elf = evidence.view.elf(node)
    return elf.needed if elf is not None else ()


def _needs_c(evidence: Evidence, node: Node) -> str:
    """Why a program cannot do without C, by what stands in it."""
    foreign = next((name for name in _needed(evidence, node) if not C_LIBRARY.match(name)), None)
    if foreign is not None:
        return f"the program needs {foreign}"
    caller = next(iter(sorted(c_packages(node))), "")
    return (
        f"{caller}, a part of {node.path}, calls C: without cgo it does something else"
        if caller
        else ""
    )


STRATEGY = Strategy(
    name="static-link",
    does="Links Go programs without the C library.",
    why=(
        "Where a C compiler is in the image, Go links name resolution and user look-ups to the C"
        " library, for which it has its own code as well. Without cgo the program runs on a base"
        " that holds nothing but certificates and time zones."
    ),
    safety="evidence",
    doubt=75,
    references=("https://pkg.go.dev/cmd/cgo", "https://pkg.go.dev/net#hdr-Name_Resolution"),
    rewrite=rewrite,
    refuses=(
        "A program that needs another library than the C library, that has a package which calls C"
        ' (read from its table of functions), or a source file that imports "C".'
    ),
    examples=(
        Example(
            "needs the built program",
            before="FROM golang:1.22\nRUN go build .\n",
            after=None,
            refused="needs `imgopt",
        ),
        Example(
            "said already",
            before="FROM golang:1.22\nENV CGO_ENABLED=1\nRUN go build .\n",
            after=None,
        ),
    ),
    evidence_examples=(
        go_example(
            "a package of it calls C",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built(functions=b"\0example.org/sqlite._Cfunc_open\0")),
            refused="example.org/sqlite, a part of /app/main, calls C",
        ),
        go_example(
            "another library than the C library",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built(needed=b"libsqlite3.so.0")),
            refused="the program needs libsqlite3.so.0",
        ),
        go_example(
            "a source that imports C",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built()),
            files={"go.mod": "module a\n", "clock.go": 'package main\n\nimport "C"\n'},
            refused='clock.go imports "C"',
        ),
        go_example(
            "a tool that was installed from elsewhere",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built(info=PUBLISHED)),
            refused="no Go program that was built from its source",
        ),
        go_example(
            "nothing but the C library",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built()),
            after=GO_TEXT.replace("go build", "CGO_ENABLED=0 go build"),
        ),
    ),
)
