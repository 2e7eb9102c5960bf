"""From a layer to the instruction that made it, and from that to a line of the Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgopt.image import HistoryEntry, Image
from imgopt.image.provenance import Provenance
from imgopt.results.analysis import Confidence

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile, Instruction

_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s*")
_SHELL = re.compile(
    r"^(?:\|\d+ .*?)?"  # build arguments
    r"(?:(?:/\S*/)?(?:ba|a|da|z)?sh (?:-[a-z]*o \w+ |-[a-z]+ )*?-[a-z]*c|cmd /S /C|powershell"
    r" -Command)\s+",
    re.DOTALL,
)
_KEYWORD = re.compile(r"^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s+", re.IGNORECASE)  # fmt: skip # noqa: E501
_WORD = re.compile(r"[\w./:@-]+")


@dataclass(frozen=True, slots=True)
class Step:
    """One history entry as an instruction. `layer` is None for those that make no layer."""

    keyword: str
    text: str
    layer: int | None
    line: int | None = None
    confidence: Confidence = "none"
    base: bool | None = None

    @property
    def instruction(self) -> str:
        return f"{self.keyword} {self.text}".strip() or "(no history)"


def read_steps(image: Image) -> tuple[Step, ...]:
    """The image's history; a step without text per layer where the history does not match the
    layers."""
    made = [entry for entry in image.history if not entry.empty_layer]
    if len(made) != len(image.layers):
        return tuple(Step("", "", number) for number in range(len(image.layers)))
    steps, layer = [], 0
    for entry in image.history:
        keyword, text = read_created_by(entry)
        steps.append(Step(keyword, text, None if entry.empty_layer else layer))
        layer += not entry.empty_layer
    return _mark_base(steps)


def read_created_by(entry: HistoryEntry) -> tuple[str, str]:
    """Keyword and arguments, from what BuildKit, the classic builder, buildah or kaniko wrote down.

    >>> read_created_by(HistoryEntry(created_by="RUN |1 A=b /bin/sh -c apt-get update # buildkit"))
    ('RUN', 'apt-get update')
    >>> read_created_by(HistoryEntry(created_by="RUN /bin/bash -eo pipefail -c curl x | sh"))
    ('RUN', 'curl x | sh')
    >>> read_created_by(HistoryEntry(created_by='/bin/sh -c #(nop)  CMD ["bash"]'))
    ('CMD', '["bash"]')
    """
    text = entry.created_by.strip()
    text = re.sub(r"\s*# buildkit$", "", text)
    if _NOP.match(text):
        text = _NOP.sub("", text)
    elif _SHELL.match(text):
        return "RUN", _SHELL.sub("", text, count=1)
    match = _KEYWORD.match(text)
    if match is None:
        return ("", text or entry.comment)
    rest = text[match.end() :]
    if match[1].upper() == "RUN":
        rest = _SHELL.sub("", rest, count=1)
    return match[1].upper(), rest


def _mark_base(steps: list[Step]) -> tuple[Step, ...]:
    """Guessed: a base ends with its own CMD or ENTRYPOINT; own steps begin after the last one that
    layers follow.

    Nothing is said where there is no such place: the base may end without a command, or there may
    be none.
    """
    at = len(steps)
    while at > 0 and steps[at - 1].layer is None:
        at -= 1
    while at > 0 and steps[at - 1].keyword not in ("CMD", "ENTRYPOINT"):
        at -= 1
    if at == 0:
        return tuple(steps)
    return tuple(replace(step, base=number < at) for number, step in enumerate(steps))


def provenance_lines(steps: Sequence[Step], provenance: Provenance) -> tuple[Step, ...]:
    """Steps with the lines that the builder wrote down; layers below the first of them are the
    base's."""
    first = next(number for number, line in enumerate(provenance.lines) if line is not None)
    found = []
    for step in steps:
        if step.layer is not None:
            line = provenance.lines[step.layer]
            step = replace(
                step,
                line=line,
                confidence="provenance" if line is not None else "none",
                base=step.layer < first,
            )
        found.append(step)
    return tuple(found)


def match_lines(
    steps: Sequence[Step], dockerfile: Dockerfile, target: str | None = None
) -> tuple[Step, ...]:
    """Steps with the lines of the Dockerfile whose build ended with them; what comes before is the
    base's.

    The best alignment of both lists that keeps their order: equal texts count most, then similar
    ones, then equal keywords. Instructions that leave no trace (ARG in the classic builder) and
    steps without an instruction (ONBUILD of the base) may be left out.
    """
    instructions = [
        item for stage in dockerfile.target(target).chain for item in stage.instructions[1:]
    ]
    pairs = _align(steps, instructions)
    if not pairs:
        return tuple(steps)
    first = min(pairs)
    return tuple(
        (
            replace(
                step,
                line=instructions[pairs[number][0]].line,
                confidence=pairs[number][1],
                base=False,
            )
            if number in pairs
            else replace(step, base=number < first)
        )
        for number, step in enumerate(steps)
    )


def _align(
    steps: Sequence[Step], instructions: Sequence[Instruction]
) -> dict[int, tuple[int, Confidence]]:
    """Step index -> (instruction index, confidence); both lists matched from their ends, leading
    steps for free."""
    rows, columns = len(steps), len(instructions)
    alike = [[likeness(step, item) for item in instructions] for step in steps]
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for column in range(columns - 1, -1, -1):
        best[rows][column] = best[rows][column + 1] - _SKIP
    for row in range(rows - 1, -1, -1):
        best[row][columns] = best[row + 1][columns] - _SKIP
        for column in range(columns - 1, -1, -1):
            best[row][column] = max(
                best[row + 1][column + 1] + alike[row][column],
                best[row + 1][column] - _SKIP,
                best[row][column + 1] - _SKIP,
            )
    start = max(range(rows + 1), key=lambda row: best[row][0])
    pairs: dict[int, tuple[int, Confidence]] = {}
    row, column = start, 0
    while row < rows and column < columns:
        if best[row][column] == best[row + 1][column + 1] + alike[row][column]:
            if alike[row][column] > 0:
                pairs[row] = (column, "matched" if alike[row][column] >= EQUAL else "likely")
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column] - _SKIP:
            row += 1
        else:
            column += 1
    return pairs


EQUAL, _SKIP, _NEVER = 3.0, 0.4, -9.0
"""Likeness of one text twice, cost of a line without a partner, another keyword."""


def likeness(step: Step, instruction: Instruction) -> float:
    """From 0.5 for two of one keyword to EQUAL for one text; negative for two of different
    keywords."""
    if step.keyword != instruction.keyword:
        return _NEVER
    have, wanted = _WORD.findall(step.text), _WORD.findall(instruction.value)
    if have == wanted or " ".join(have) == " ".join(
        _WORD.findall(instruction.original.partition(" ")[2])
    ):
        return EQUAL
    common = len(set(have) & set(wanted))
    return 0.5 + 2.0 * common / max(1, len(set(have) | set(wanted)))
