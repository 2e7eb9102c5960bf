"""Edits of whole instructions and stages: insert, delete, move, renumber.

Each function proposes edits and changes nothing; `apply_edits` applies them together. Comments
directly above an instruction belong to it. Inserted text gets the file's line ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imgopt.dockerfile.directives import Directive
from imgopt.dockerfile.edits import Edit
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.model import Dockerfile
from imgopt.dockerfile.spans import Span
from imgopt.dockerfile.stages import Stage
from imgopt.dockerfile.style import Style
from imgopt.dockerfile.syntax import Blank
from imgopt.dockerfile.typed import Copy, Onbuild


def block(dockerfile: Dockerfile, instruction: Instruction) -> Span:
    """The instruction's lines and the comment lines directly above it, from line start to after the
    line end."""
    start = instruction.extent.start
    for comment in reversed(instruction.comments):
        if comment.end != start or dockerfile.text.startswith("#!", comment.start):
            break
        start = comment.start
    return Span(start, instruction.extent.end)


def replace(instruction: Instruction, text: str) -> Edit:
    """Puts `text` in the instruction's place, keyword to last character."""
    return Edit(*instruction.span, text)


def delete(dockerfile: Dockerfile, instruction: Instruction, *, comments: bool = True) -> Edit:
    """Removes the instruction's lines, and by default the comments that belong to it.

    When empty lines stand on both sides, those below go too, so that no double gap is left.
    """
    start, end = block(dockerfile, instruction) if comments else instruction.extent
    if _blank_before(dockerfile, start):
        end = _after_blanks(dockerfile, end)
    return Edit(start, end, "")


def delete_all(dockerfile: Dockerfile, instructions: Iterable[Instruction]) -> list[Edit]:
    """`delete` of each, in file order; those that stand together leave no double gap either."""
    edits: list[Edit] = []
    for instruction in instructions:
        edit = delete(dockerfile, instruction)
        last = edits[-1] if edits else None
        if last is None or last.end != edit.start:
            edits.append(edit)
            continue
        end = edit.end
        if _blank_before(dockerfile, last.start):
            end = _after_blanks(dockerfile, end)
        edits[-1] = Edit(last.start, end, "")
    return edits


def insert_before(dockerfile: Dockerfile, instruction: Instruction, text: str) -> Edit:
    """Adds lines above the instruction and its comments."""
    at = block(dockerfile, instruction).start
    return Edit(at, at, Style.of(dockerfile).lines(text))


def insert_after(dockerfile: Dockerfile, instruction: Instruction, text: str) -> Edit:
    """Adds lines directly below the instruction."""
    style = Style.of(dockerfile)
    end = instruction.extent.end
    lines = style.lines(text)
    if _is_open(
        instruction
    ):  # the file ends in a continuation: the new line would be read as part of it
        logical = instruction.statement.logical
        return Edit(logical.place(len(logical.text)), end, style.eol + lines)
    if not dockerfile.text.endswith("\n", 0, end):
        return Edit(end, end, style.eol + lines.removesuffix(style.eol))
    return Edit(end, end, lines)


def append_to_stage(dockerfile: Dockerfile, stage: Stage, text: str) -> Edit:
    """Adds lines below the last instruction of a stage."""
    return insert_after(dockerfile, stage.instructions[-1], text)


def insert_at_top(dockerfile: Dockerfile, text: str) -> Edit:
    """Adds lines before everything but the byte-order mark, a `#!` line and the directives."""
    at = 0
    for node in dockerfile.nodes:
        if not isinstance(node, Directive) and not _is_head(dockerfile, node.span):
            break
        at = node.span.end
    lines = Style.of(dockerfile).lines(text)
    return Edit(
        at, at, lines if not at or dockerfile.text[at - 1] in "\n\ufeff" else dockerfile.eol + lines
    )


def _is_head(dockerfile: Dockerfile, span: Span) -> bool:
    return dockerfile.text[span.start : span.end] == "\ufeff" or dockerfile.text.startswith(
        "#!", span.start
    )


def move_before(dockerfile: Dockerfile, instruction: Instruction, other: Instruction) -> list[Edit]:
    """Moves the instruction and its comments to above `other` and its comments, byte for byte."""
    at = block(dockerfile, other).start
    return [_taken(dockerfile, instruction), Edit(at, at, block_text(dockerfile, instruction))]


def move_after(dockerfile: Dockerfile, instruction: Instruction, other: Instruction) -> list[Edit]:
    """Moves the instruction and its comments to directly below `other`, byte for byte."""
    moved = block_text(dockerfile, instruction)
    return [_taken(dockerfile, instruction), insert_after(dockerfile, other, moved)]


def _taken(dockerfile: Dockerfile, instruction: Instruction) -> Edit:
    return Edit(*block(dockerfile, instruction), "")


def block_text(dockerfile: Dockerfile, instruction: Instruction) -> str:
    """The lines of `block`, to be put elsewhere; the last line of a file gets the line end that it
    did not need there."""
    start, end = block(dockerfile, instruction)
    if _is_open(instruction):
        logical = instruction.statement.logical
        end = logical.place(len(logical.text))
    text = dockerfile.text[start:end]
    return text if text.endswith("\n") else text + dockerfile.eol


def _is_open(instruction: Instruction) -> bool:
    """Whether the file ends inside this instruction, after a continuation character."""
    if instruction.heredocs or instruction.extent.end != len(instruction.text):
        return False
    logical = instruction.statement.logical
    rest = instruction.text[logical.place(len(logical.text)) : instruction.extent.end]
    return rest.startswith(instruction.escape)


def _blank_before(dockerfile: Dockerfile, start: int) -> bool:
    if start == 0:
        return True
    line_start = dockerfile.text.rfind("\n", 0, start - 1) + 1
    return not dockerfile.text[line_start:start].strip()


def _after_blanks(dockerfile: Dockerfile, end: int) -> int:
    for node in dockerfile.nodes:
        if isinstance(node, Blank) and node.span.start == end:
            end = node.span.end
    return end


def renumber(dockerfile: Dockerfile, index: int, count: int = 1) -> list[Edit]:
    """What must change in every `--from=N` when `count` stages are put in front of stage `index`
    (or, with a negative count, taken away there)."""
    return [
        Edit(*span, str(number + count))
        for instruction in dockerfile.instructions
        for number, span in _numbers(instruction)
        if number >= index
    ]


def insert_stage(dockerfile: Dockerfile, before: Stage, text: str) -> list[Edit]:
    """Puts a new stage in front of `before`, with an empty line between, and renumbers
    `--from=N`."""
    at = block(dockerfile, before.start).start
    lines = Style.of(dockerfile).lines(text) + dockerfile.eol
    return [Edit(at, at, lines), *renumber(dockerfile, before.index)]


def _numbers(instruction: Instruction) -> Iterator[tuple[int, Span]]:
    """The stage number that the instruction uses, with its place. (A number in a mount is an
    image's name.)"""
    typed = instruction.typed
    if isinstance(typed, Onbuild) and instruction.trigger is not None:
        yield from _numbers(instruction.trigger)
    elif isinstance(typed, Copy) and typed.from_ and typed.from_.isdecimal():
        yield int(typed.from_), typed.from_.span
