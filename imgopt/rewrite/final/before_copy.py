"""What the builder may do before the source is copied into it, so that an edit of the source does
not do it again."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from imgopt.dockerfile import Dockerfile, Instruction, Stage
from imgopt.dockerfile.typed import Copy
from imgopt.rewrite.final.fates import overlap
from imgopt.rewrite.lines.steps import workdir_at


def last_run(stage: Stage) -> Instruction | None:
    """The last RUN of a stage, when something is copied behind it, or the FROM of a stage that goes
    on from another one and only copies; None where nothing would be gained."""
    runs = [index for index, item in enumerate(stage.instructions) if item.keyword == "RUN"]
    if not runs and stage.parent is not None:
        runs = [0]
    after = stage.instructions[runs[-1] + 1 :] if runs else ()
    return (
        stage.instructions[runs[-1]]
        if any(item.keyword in ("COPY", "ADD") for item in after)
        else None
    )


def made_early(dockerfile: Dockerfile, stage: Stage) -> Callable[[str], bool]:
    """Which paths of the finished stage are there behind its last RUN, as no later COPY writes to
    their place."""
    last = last_run(stage)
    later = stage.instructions[stage.instructions.index(last) + 1 :] if last is not None else ()
    places = [_place(dockerfile, item) for item in later if item.keyword in ("COPY", "ADD")]
    known = [place for place in places if place is not None]
    certain = last is not None and len(known) == len(places)
    return lambda path: certain and not any(overlap(path, place) for place in known)


def _place(dockerfile: Dockerfile, item: Instruction) -> str | None:
    """The folder or file that a COPY writes to; None where it is not known."""
    scope = dockerfile.scope_at(item)
    target = scope.expand_known(item.typed.destination) if isinstance(item.typed, Copy) else None
    if target is None:
        return None
    return posixpath.normpath("/" + posixpath.join(workdir_at(scope), target).lstrip("/"))
