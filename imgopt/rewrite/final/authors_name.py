"""Who builds a stage by its name (`--target`, a Compose file, a workflow) gets what ships."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.dockerfile import Dockerfile, Edit, Instruction, Stage, apply_edits
from imgopt.dockerfile.typed import From
from imgopt.rewrite.draft import parsed

_NAMES = ("build", "builder", "build-stage", "whole-build")


def keep_name(text: str, name: str, ships: int) -> str:
    """The stage of that number, which ships, takes the name of the author's, and that one another,
    also where others begin with it or copy out of it. Nothing where several have the name."""
    dockerfile = parsed(text)
    named = [stage for stage in dockerfile.stages if stage.name == name]
    if len(named) != 1 or named[0].index == ships:
        return text
    taken = {stage.name for stage in dockerfile.stages}
    new = next(one for one in _NAMES if one not in taken)
    end = dockerfile.stages[ships].start.typed
    if not isinstance(end, From):
        return text
    named_so = Edit(end.image.span.end, end.image.span.end, f" AS {name}")
    return apply_edits(text, [*_renamed(dockerfile, named[0], new), named_so])


def _renamed(dockerfile: Dockerfile, stage: Stage, new: str) -> Iterator[Edit]:
    start = stage.start.typed
    if isinstance(start, From) and start.name is not None:
        yield Edit(*start.name.span, new)
    for other in dockerfile.stages[stage.index + 1 :]:
        begins = other.start.typed
        if other.parent is stage and isinstance(begins, From):
            yield Edit(*begins.image.span, new)
        for item in other.instructions:
            yield from _sources(dockerfile, item, str(stage.name), new)


def _sources(dockerfile: Dockerfile, item: Instruction, name: str, new: str) -> Iterator[Edit]:
    """`--from=NAME` of a COPY, `from=NAME` of a mount."""
    word = re.compile(rf"(?<=from=){re.escape(name)}(?=,|$)", re.IGNORECASE)
    for flag in item.flags:
        said = dockerfile.text[flag.span.start : flag.span.end]
        changed = word.sub(new, said)
        if changed != said:
            yield Edit(flag.span.start, flag.span.end, changed)
