"""What BuildKit refuses only when it puts the stages together: empty bases, wrong numbers, circles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.dockerfile.expand import ExpansionError, Lexer
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.problems import Problem
from imgopt.dockerfile.reference import ImageReference
from imgopt.dockerfile.scope import Scope
from imgopt.dockerfile.stages import Stage, from_words, needs, reachable
from imgopt.dockerfile.typed import From
from imgopt.errors import Location

_COMPUTED = re.compile(r"[$'\"\\`]")


def check_stages(stages: tuple[Stage, ...], scope: Scope) -> Iterator[Problem]:
    """Problems of phase 2. `scope` is the global one."""
    for stage in stages:
        yield from _base(stage, scope)
        for instruction in stage.instructions:
            yield from _numbers(instruction, len(stages))
    if stages:
        yield from _unnamed_images(reachable(stages, stages[-1]), scope)
    circle = _circle(stages)
    if circle is not None:
        what = f"circular dependency detected on stage: {circle}"
        yield _problem(circle.start, what, "a stage may use only stages that do not use it")


def _problem(instruction: Instruction, message: str, hint: str) -> Problem:
    column = instruction.span.start - instruction.text.rfind("\n", 0, instruction.span.start)
    return Problem(message, Location(instruction.name, instruction.line, column), hint, phase=2)


def _base(stage: Stage, scope: Scope) -> Iterator[Problem]:
    typed = stage.start.typed
    if not isinstance(typed, From) or not _COMPUTED.search(typed.image):
        return
    try:
        found = Lexer(typed.image, scope.values, scope.escape).run()
    except ExpansionError as error:
        yield _problem(stage.start, str(error), "mend the variable")
        return
    if not found.text and not found.unmatched & scope.unset:
        hint = "declare the variable with ARG NAME=default before the first FROM"
        yield _problem(stage.start, f"base name ({typed.image}) should not be blank", hint)


def _numbers(instruction: Instruction, count: int) -> Iterator[Problem]:
    if instruction.keyword != "COPY":
        return
    for word in from_words(instruction):
        if word.isdecimal() and word.isascii() and (len(word) > 9 or int(word) >= count):
            yield _problem(instruction, f"invalid stage index {word}", f"stages are numbered 0 to {count - 1}")


def _unnamed_images(stages: tuple[Stage, ...], scope: Scope) -> Iterator[Problem]:
    for stage in stages:
        typed = stage.start.typed
        known = isinstance(typed, From) and scope.expand_known(typed.image)
        if known and stage.parent is None and not isinstance(stage.base, ImageReference):
            what = f'failed to parse stage name "{stage.base}": invalid reference format'
            yield _problem(stage.start, what, "write [registry/]name[:tag][@sha256:digest], in lower case")


def _circle(stages: tuple[Stage, ...]) -> Stage | None:
    """The first stage that needs itself. Iterative: files with thousands of stages are input too."""
    done: set[int] = set()
    for first in stages:
        path: list[tuple[int, Iterator[Stage]]] = []
        open_: set[int] = set()
        waiting: Stage | None = first if first.index not in done else None
        while waiting is not None or path:
            if waiting is not None:
                path.append((waiting.index, iter(needs(stages, waiting))))
                open_.add(waiting.index)
                waiting = None
            used = next(path[-1][1], None)
            if used is None:
                index, _ = path.pop()
                open_.discard(index)
                done.add(index)
            elif used.index in open_:
                return used
            elif used.index not in done:
                waiting = used
    return None
