"""Builds that see no other build's cache, without pruning it: a mark below every base, and step for
step the same file.

`WORKDIR ./.imgopt-NONCE` and `WORKDIR ..` right below a FROM that names an image make an empty
directory with a name that no build had before. Everything above is keyed by it, in the first state
and in all that are compared with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from imgopt.cache.graph import Step
from imgopt.cache.state import State
from imgopt.dockerfile import Dockerfile, Edit, Stage, apply_edits
from imgopt.engine import Step as BuiltStep

_PREFIX = "./.imgopt-"
_MARK_LINES = 2
_LINE = re.compile(r"(\b[Ll]ine |Dockerfile:)(\d+)")


def isolated(
    dockerfile: Dockerfile, stages: Iterable[Stage], nonce_of: Callable[[str], str]
) -> str:
    """The Dockerfile's text with a mark below every base image; `nonce_of` gives the mark's name by
    the base's."""
    edits = []
    for stage in _on_images(stages):
        end = stage.start.extent.end
        newline = "" if dockerfile.text[:end].endswith("\n") else dockerfile.eol
        mark = (
            f"{newline}WORKDIR {_PREFIX}{nonce_of(str(stage.base))}{dockerfile.eol}WORKDIR"
            f" ..{dockerfile.eol}"
        )
        edits.append(Edit(end, end, mark))
    return apply_edits(dockerfile.text, edits)


def _on_images(stages: Iterable[Stage]) -> list[Stage]:
    return [stage for stage in stages if stage.parent is None]


def original_lines(message: str, stages: Iterable[Stage]) -> str:
    """A message of BuildKit about the marked file, with the lines of the file without marks."""
    ends = sorted(stage.start.end_line for stage in _on_images(stages))

    def original(found: re.Match[str]) -> str:
        line = int(found[2])
        for end in reversed(ends):
            marks = _MARK_LINES * ends.index(end)
            if line > end + marks:
                return f"{found[1]}{max(end, line - marks - _MARK_LINES)}"
        return found[0]

    return _LINE.sub(original, message)


def built_steps(state: State, built: Iterable[BuiltStep]) -> Mapping[Step, BuiltStep]:
    """Which line of a build's progress is which step. Steps that BuildKit merged with an equal one
    share its line."""
    names = _stage_names(state)
    shown: dict[str, dict[int, BuiltStep]] = {}
    for one in built:
        # the only stage of a file is shown without its name, or (where it has mounts) as stage-0
        name = names[0] if len(names) == 1 else one.stage
        shown.setdefault(name, {})[one.index] = one
    before = _lines_before(state, shown)
    found: dict[Step, BuiltStep] = {}
    for step, _ in state.graph.placed:
        match = shown.get(step.stage, {}).get(step.index + 1 + before[step.stage])
        if match is not None and match.keyword in (step.keyword, "ONBUILD"):
            found[step] = match
    for _, vertex in state.graph.placed:
        twin = next((found[step] for step in vertex.steps if step in found), None)
        if twin is not None:
            found |= {step: twin for step in vertex.steps if step not in found}
    return found


def _lines_before(state: State, shown: Mapping[str, Mapping[int, BuiltStep]]) -> Mapping[str, int]:
    """How many lines of each stage come before its own steps: FROM and the mark, whose `..` is no
    step in `/`.

    Stages on one base share the mark, and BuildKit shows it in one of them only.
    """
    by_base: dict[str, int] = {}
    stages = state.dockerfile.bind(state.build_args)
    names = _stage_names(state)
    for stage in stages:
        own = _mark(shown.get(names[stage.index], {}))
        if stage.parent is None and own is not None:
            by_base[str(stage.base)] = own
    return {
        names[stage.index]: 0 if stage.parent is not None else by_base.get(str(stage.base), 1)
        for stage in stages
    }


def _stage_names(state: State) -> list[str]:
    """As in `Step.stage`."""
    stages = state.dockerfile.stages
    return [stage.name or (f"stage-{stage.index}" if len(stages) > 1 else "") for stage in stages]


def _mark(shown: Mapping[int, BuiltStep]) -> int | None:
    for index, one in shown.items():
        if one.name.startswith(f"WORKDIR {_PREFIX}"):
            after = shown.get(index + 1)
            return index + (after is not None and after.name == "WORKDIR ..")
    return None
