"""Where a long line is broken: at operators, at options, at words, in the author's way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from imgopt.dockerfile import Command, Edit, Instruction, apply_edits, parse, read_shell
from imgopt.dockerfile.shellmodel import Item
from imgopt.rewrite.lines.habits import Look

WIDTH = 120
"""Columns of the longest line that we write."""
_Lines = Sequence[tuple[int, int]]
"""Begin and end of each line that is too long."""
_Breaks = Callable[[Instruction, Look, _Lines, tuple[str, ...]], Iterator[Edit]]


def fitted(
    step: str,
    look: Look,
    known: frozenset[str],
    shell: tuple[str, ...],
    breaks: Sequence[_Breaks] | None = None,
    whole: frozenset[str] = frozenset(),
) -> str:
    """A step whose lines are broken where they are too long: at operators first, then at flags,
    then at words, but for the lines of commands that are to stay `whole`."""
    for at in breaks or _BREAKS:
        head = "# escape=`\nFROM x\n" if look.escape == "`" else "FROM x\n"
        parsed = parse(head + step)
        run = parsed.instructions[-1]
        lines = _long_lines(run, known)
        if at is _at_words:
            lines = [
                (begin, end) for begin, end in lines if parsed.text[begin:end].strip() not in whole
            ]
        edits = list(at(run, look, lines, shell))
        step = apply_edits(parsed.text, edits)[run.span.start :]
    return step


def _long_lines(run: Instruction, known: frozenset[str]) -> list[tuple[int, int]]:
    """From where to where in the file the lines are that are new and too long; bodies of
    here-documents are none."""
    found, at = [], run.span.start
    end = run.heredocs[0].span.start if run.heredocs and run.heredocs[0].span else run.span.end
    for line in run.source.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        if (
            len(bare) > WIDTH
            and bare not in known
            and at < end
            and not bare.lstrip().startswith("#")
        ):
            found.append((at, at + len(bare)))
        at += len(line)
    return found


def _at_operators(
    run: Instruction, look: Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Every `&&` of such a line that joins whole commands of the step."""
    if run.heredocs:
        return
    items: Sequence[Item] = read_shell(run, shell).items
    for one, other in pairwise(items):
        start, end = one.node.span.end, other.node.span.start
        if other.operator not in ("&&", ";") or not any(
            begin <= start and end <= stop for begin, stop in lines
        ):
            continue
        if run.text[start:end].strip() != other.operator:
            continue
        if look.first and other.operator == "&&":
            yield Edit(start, end, f"{look.newline(look.indent)}&& ")
        else:
            yield Edit(
                start, end, (" &&" if other.operator == "&&" else ";") + look.newline(look.indent)
            )


def _at_flags(
    run: Instruction, look: Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Between flags, and between the last one and the command."""
    del shell
    starts = [*(flag.span.start for flag in run.flags), run.value_span.start][1:]
    for (_, _, span), follow in zip(run.flags, starts, strict=True):
        within = any(begin <= span.end and follow <= stop for begin, stop in lines)
        if within and "\n" not in run.text[span.end : follow]:
            yield Edit(
                span.end, follow, look.newline(look.indent if len(look.indent) > 1 else "    ")
            )


def _at_words(
    run: Instruction, look: Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Between words of one command, as late as the width allows."""
    if run.heredocs:
        return
    indent = look.indent + "    "
    for begin, stop in lines:
        gaps = list(_gaps(run, read_shell(run, shell).commands, begin, stop))
        at, room = begin, WIDTH
        while stop - at > room:
            fitting = [gap for gap in gaps if at < gap[0] <= at + room - len(" \\")]
            following = min((gap[0] for gap in gaps if fitting and gap > fitting[-1]), default=stop)
            if not fitting or following - fitting[-1][1] > WIDTH - len(indent):
                break  # what follows is one long word: it is no shorter on a line of its own
            yield Edit(*fitting[-1], look.newline(indent))
            at, room = fitting[-1][1], WIDTH - len(indent)


def _gaps(
    run: Instruction, commands: Iterable[Command], begin: int, stop: int
) -> Iterator[tuple[int, int]]:
    """The blanks between the words of commands that lie in one line."""
    for command in commands:
        for one, other in pairwise(command.words):
            start, end = one.span.end, other.span.start
            if begin <= start and end <= stop and not run.text[start:end].strip():
                yield start, end


def in_quotes(
    run: Instruction, look: Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Behind a semicolon of a quoted program: lines are joined before the shell sees them, so
    nothing is indented."""
    del shell
    for begin, stop in lines if not run.heredocs else ():
        at = begin
        while stop - at > WIDTH:
            found = run.text.rfind("; ", at, at + WIDTH - 2)
            if found < 0 or run.text[found + 2] in "# ":
                break
            at = found + 2
            yield Edit(at, at, look.escape + look.eol)


_BREAKS: tuple[_Breaks, ...] = (_at_operators, _at_flags, _at_words)
