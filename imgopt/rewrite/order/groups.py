"""COPY lines of a stage that move together, and what lines in front of them bring already."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from imgopt.dockerfile import Instruction, Stage
from imgopt.dockerfile.typed import Copy
from imgopt.rewrite.lines.paths import present
from imgopt.rewrite.lines.steps import SourceCopy, files_copy, source_copy, workdir_at
from imgopt.rewrite.order.moves import Brought
from imgopt.rewrite.order.reorder import Parts
from imgopt.rewrite.strategy import Situation


def source_groups(
    situation: Situation, stage: Stage
) -> Iterator[tuple[tuple[SourceCopy, ...], tuple[SourceCopy, ...]]]:
    """COPY lines of the context that follow each other at once, from the first of a folder on or
    all of single files, and those above them. None behind one that cannot be told and follows a
    folder at once; none of single files where the source is above them: a step that moves past them
    would still follow the source."""
    context, dockerfile = situation.project.context, situation.dockerfile
    above: list[SourceCopy] = []
    group: list[SourceCopy] = []
    unknown = False
    for item in stage.instructions:
        if item.keyword not in ("COPY", "ADD"):
            if group and (has_folder(group) or not (unknown or has_folder(above))):
                yield tuple(above), tuple(group)
            above, group = [*above, *group], []
            continue
        copy = source_copy(dockerfile, item, context)
        if copy is not None and all(one.files for one in group):
            above, group = [*above, *group], []
        folders = [copy.folder for copy in (*above, *group) if not copy.files]
        copy = copy or files_copy(dockerfile, item, context, folders)
        if copy is not None:
            group.append(copy)
        elif has_folder(group):
            return
        else:
            above, group = [*above, *group], []
            unknown = unknown or getattr(item.typed, "from_", None) is None


def has_folder(copies: Sequence[SourceCopy]) -> bool:
    return any(not copy.files for copy in copies)


def missing_in_front(
    situation: Situation,
    paths: Iterable[Brought],
    stage: Stage,
    above: Sequence[SourceCopy],
    parts: Parts,
) -> list[Brought]:
    """What needs a COPY of its own: no line in front brings this very file, or all of this
    folder."""
    context, group = situation.project.context, parts.group
    there = {place: one for early in above for place, one in early.lays(context)}
    before = [
        item for item in stage.instructions if item.span.start < group[0].instruction.span.start
    ]
    found = []
    for path in paths:
        copy = group[path.copy]
        own = present(context, path.path) if path.path.endswith("/") else [path.path]
        if parts.has(path) or all(there.get(copy.place_of(one)) == one for one in own):
            continue
        if path.path.endswith("/") or not _is_copied_by(situation, path.path, before, copy):
            found.append(path)
    return found


def _is_copied_by(
    situation: Situation, path: str, before: Sequence[Instruction], copy: SourceCopy
) -> bool:
    """The same for COPY lines with options that say how, but not what."""
    return any(
        isinstance(item.typed, Copy)
        and item.typed.from_ is None
        and any(
            path in present(situation.project.context, str(word).removeprefix("./"))
            for word in item.typed.sources
        )
        and _goes_to(situation, item, path, copy)
        for item in before
    )


def _goes_to(situation: Situation, item: Instruction, path: str, copy: SourceCopy) -> bool:
    """It brings the file to where the source's COPY would."""
    typed, scope = item.typed, situation.dockerfile.scope_at(item)
    assert isinstance(typed, Copy)
    target = scope.expand_known(typed.destination)
    if target is None:
        return False
    folder = posixpath.normpath(posixpath.join(workdir_at(scope), target))
    return copy.place_of(path) in (folder, posixpath.join(folder, posixpath.basename(path)))
