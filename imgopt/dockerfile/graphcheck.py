"""What BuildKit refuses only when it puts the stages together: bad bases and platforms, wrong
numbers, circles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imgopt.dockerfile.expand import ExpansionError, Lexer
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.problems import STAGES, Problem
from imgopt.dockerfile.reference import ImageReference
from imgopt.dockerfile.scope import Scope, ScopeBuilder
from imgopt.dockerfile.stages import Stage, Stages, find_stage, from_words, needs
from imgopt.dockerfile.typed import Arg, From
from imgopt.dockerfile.values import platform_problem
from imgopt.errors import InputError, Location

_FROM_VARIABLE = (
    "variable expansion is not supported for --from, define a new stage with FROM using ARG from"
    " global scope as a workaround"
)


def check_stages(stages: Stages, scope: Scope, before: Iterable[Instruction]) -> Iterator[Problem]:
    """Problems of all stages, needed or not. `scope` is the global one, `before` are the ARGs above
    the first FROM."""
    yield from _arguments(before)
    for stage in stages:
        yield from _base(stage, scope)
        for instruction in stage.instructions:
            if instruction.keyword == "COPY":
                yield from _numbers(instruction, len(stages))
    for stage in stages:
        yield from _images(stages, stage, scope)
    circle = _circle(stages)
    if circle is not None:
        stage, used = circle
        what = f"circular dependency detected on stage: {used.name or f'stage-{used.index}'}"
        yield _problem(
            _user_of(stages, stage, used), what, "a stage may use only stages that do not use it"
        )


def _problem(
    instruction: Instruction, message: str, hint: str, place: int | None = None
) -> Problem:
    offset = instruction.span.start if place is None else place
    line = instruction.line + instruction.text.count("\n", instruction.extent.start, offset)
    column = offset - instruction.text.rfind("\n", 0, offset)
    return Problem(message, Location(instruction.name, line, column), hint, phase=STAGES)


def _arguments(before: Iterable[Instruction]) -> Iterator[Problem]:
    """Global ARGs whose default cannot be expanded. (One that needs a value may get it from the
    caller.)"""
    builder = ScopeBuilder({}, {}, {})
    for instruction in before:
        typed = instruction.typed
        for pair in typed.pairs if isinstance(typed, Arg) else ():
            try:
                Lexer(pair.value or "", builder.values, instruction.escape).run()
            except ExpansionError as error:
                yield _problem(
                    instruction, str(error), "mend the quote or the substitution", pair.span.start
                )
        builder.add((instruction,))


def _base(stage: Stage, scope: Scope) -> Iterator[Problem]:
    typed = stage.start.typed
    if not isinstance(typed, From):
        return
    try:
        image = Lexer(typed.image, scope.values, scope.escape).run()
        platform = (
            Lexer(typed.platform, scope.values, scope.escape).run() if typed.platform else None
        )
    except ExpansionError as error:
        yield _problem(stage.start, str(error), "mend the variable")
        return
    hint = "declare the variable with ARG NAME=default before the first FROM"
    if not image.text and not image.unmatched & scope.unset:
        yield _problem(stage.start, f"base name ({typed.image}) should not be blank", hint)
    if platform is None or typed.platform is None or platform.unmatched & scope.unset:
        return
    place = typed.platform.span.start
    if not platform.text:
        yield _problem(
            stage.start, f"empty platform value from expression {typed.platform}", hint, place
        )
    elif what := platform_problem(platform.text):
        yield _problem(stage.start, what, "write OS/ARCHITECTURE, such as linux/arm64", place)


def _numbers(instruction: Instruction, count: int) -> Iterator[Problem]:
    for word, _ in from_words(instruction):
        if word.isdecimal() and word.isascii() and (len(word) > 9 or int(word) >= count):
            yield _problem(
                instruction, f"invalid stage index {word}", f"stages are numbered 0 to {count - 1}"
            )
        elif "$" in word[:-1]:
            yield _problem(
                instruction,
                _FROM_VARIABLE,
                "write FROM $IMAGE AS name, and --from=name",
                word.span.start,
            )


def _images(stages: Stages, stage: Stage, scope: Scope) -> Iterator[Problem]:
    typed = stage.start.typed
    known = isinstance(typed, From) and scope.expand_known(typed.image)
    if known and stage.parent is None and not isinstance(stage.base, ImageReference):
        yield _bad_reference(stage.start, str(stage.base))
    for instruction in stage.instructions:
        if instruction.keyword != "ONBUILD":
            yield from _used_images(stages, instruction)


def _used_images(stages: Stages, instruction: Instruction) -> Iterator[Problem]:
    for word, number in from_words(instruction):
        if (
            find_stage(stages, word, numbers=number) is None
            and "$" not in word
            and not _is_reference(word)
        ):
            yield _bad_reference(instruction, word, word.span.start)


def _is_reference(word: str) -> bool:
    try:
        return ImageReference.parse(word) is not None
    except InputError:
        return False


def _bad_reference(instruction: Instruction, name: str, place: int | None = None) -> Problem:
    what = f'failed to parse stage name "{name}": invalid reference format'
    if name != name.lower() and _is_reference(name.lower()):
        what += ": repository name must be lowercase"
    return _problem(
        instruction, what, "write [registry/]name[:tag][@sha256:digest], in lower case", place
    )


def _user_of(stages: Stages, stage: Stage, used: Stage) -> Instruction:
    """The instruction by which a stage uses another one."""
    for instruction in stage.instructions:
        if any(
            find_stage(stages, word, numbers=number) is used
            for word, number in from_words(instruction)
        ):
            return instruction
    return stage.start


def _circle(stages: tuple[Stage, ...]) -> tuple[Stage, Stage] | None:
    """A stage and the one that it uses, which needs it too. Iterative: files with thousands of
    stages are input too."""
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
                return stages[path[-1][0]], used
            elif used.index not in done:
                waiting = used
    return None
