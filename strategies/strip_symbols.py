"""strip-symbols: a Go program without the tables that only a debugger reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.dockerfile import Edit
from imgopt.image.elf import read_section
from imgopt.image.tree import Node
from imgopt.rewrite.final.go_programs import go_programs
from imgopt.rewrite.go_examples import GO_LAYERS, GO_TEXT, built, go_example
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import begins_with
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

READS_TABLES = re.compile(r'"debug/(?:elf|dwarf|gosym|macho)"')
TABLES = (".symtab", ".debug_info", ".zdebug_info")


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every `go build` and `go install` of the stage that ships, where the author says nothing of
    the linker."""
    for item in situation.stage.instructions:
        if (
            item.keyword != "RUN"
            or item.json
            or "GOFLAGS" in situation.dockerfile.scope_at(item).values
        ):
            continue
        for command in script_of(situation.dockerfile, item).commands:
            words = [value or "" for value in command.values]
            verb = next(
                (verb for verb in ("build", "install") if begins_with(words, f"go {verb}")), ""
            )
            if not verb or any(
                "-ldflags" in word.text or "@" in word.text for word in command.words
            ):
                continue
            if any(assignment.name == "GOFLAGS" for assignment in command.assignments):
                continue
            refusal = _refusal(situation)
            if refusal:
                yield Skip(refusal, item.line)
                return
            at = next(word.span.end for word in command.words if word.value == verb)
            because = (
                "what a crash prints does not need the symbol table and debug data, only a debugger"
                " does"
            )
            yield Change(because, item.line, (Edit(at, at, ' -ldflags="-s -w"'),))


def _refusal(situation: Situation) -> str:
    evidence, context = situation.evidence, situation.project.context
    if evidence is None:
        return (
            "needs `imgopt optimize`: whether the program has such tables is seen in the built"
            " image"
        )
    programs = go_programs(evidence)
    if not programs:
        return "the image has no Go program that was built from its source"
    if not any(map(_has_tables, programs)):
        return "the program has neither symbol table nor debug data"
    reader = next(
        (p for p in context.sizes if p.endswith(".go") and READS_TABLES.search(context.text(p))),
        None,
    )
    return f"{reader} reads such tables, of the program itself perhaps" if reader else ""


def _has_tables(node: Node) -> bool:
    with node.open() as file:
        return bool(read_section(file, TABLES, 1 << 28))


STRATEGY = Strategy(
    name="strip-symbols",
    does="Leaves debug tables out of Go programs.",
    why=(
        "A third of a Go program is a symbol table and debug data. Go's own run time reads neither:"
        " stack traces, profiles and reflection have tables of their own, which stay. With them go"
        " the means to attach a debugger to the program in production, which a minimal image has no"
        " tools for."
    ),
    safety="evidence",
    doubt=72,
    references=("https://pkg.go.dev/cmd/link (-s, -w)", "https://go.dev/doc/gdb"),
    rewrite=rewrite,
    refuses=(
        "Where the author gives linker flags or GOFLAGS; a program that has no such tables; source"
        " that reads the tables of programs."
    ),
    examples=(
        Example(
            "needs the built program",
            before="FROM golang:1.22\nRUN go build .\n",
            after=None,
            refused="needs `imgopt",
        ),
        Example(
            "the author has flags for the linker",
            before="FROM golang:1.22\nRUN go build -ldflags '-X main.version=1' .\n",
            after=None,
        ),
        Example(
            "a tool from elsewhere",
            before="FROM golang:1.22\nRUN go install x.org/tool@latest\n",
            after=None,
        ),
    ),
    evidence_examples=(
        go_example(
            "a source that reads the tables of programs",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built()),
            files={"go.mod": "module a\n", "self.go": 'package main\n\nimport "debug/elf"\n'},
            refused="self.go reads such tables",
        ),
        go_example(
            "a program that has none",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built(symbols=b"")),
            refused="neither symbol table nor debug data",
        ),
        go_example(
            "a program as `go build` makes it",
            before=GO_TEXT,
            layers=(*GO_LAYERS, built()),
            after=GO_TEXT.replace("go build", 'go build -ldflags="-s -w"'),
        ),
    ),
)
