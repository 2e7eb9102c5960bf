"""Where in the image the files of the context would be that a new ignore file keeps out of the
build."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from imgopt.dockerfile import Dockerfile, IgnoreFile, Instruction
from imgopt.dockerfile.typed import Copy
from imgopt.rewrite.lines.steps import source_copy, workdir_at
from imgopt.rewrite.strategy import Situation


def kept_out(situation: Situation) -> frozenset[str]:
    """Absolute paths of the image, by the COPY lines that bring folders of the context."""
    if situation.ignore is None or situation.ignore == situation.project.context.ignore:
        return frozenset()
    ignored = IgnoreFile.parse(situation.ignore)
    hidden = [path for path in situation.project.context.sizes if ignored.excludes(path)]
    found: dict[int, set[str]] = {}
    for item in situation.dockerfile.instructions:
        here = found.setdefault(item.stage, set())
        copy = source_copy(situation.dockerfile, item, situation.project.context)
        if copy is not None:
            here |= {copy.place_of(path) for path in hidden if copy.brings(path)}
        here |= _handed_on(situation.dockerfile, item, found)
    return frozenset().union(*found.values())


def _handed_on(
    dockerfile: Dockerfile, item: Instruction, found: Mapping[int, set[str]]
) -> set[str]:
    """What `COPY --from=stage` would have brought of what an earlier stage will not have."""
    typed = item.typed
    if not isinstance(typed, Copy) or typed.from_ is None:
        return set()
    word = str(typed.from_).lower()
    stages = (
        stage
        for stage in dockerfile.stages
        if word in ((stage.name or "").lower(), str(stage.index))
    )
    gone = next(
        (found.get(stage.index, set()) for stage in stages if stage.index < item.stage), set()
    )
    scope = dockerfile.scope_at(item)
    target = scope.expand_known(typed.destination)
    if target is None:
        return set()
    folder = posixpath.normpath(posixpath.join(workdir_at(scope), target))
    sources = (posixpath.normpath("/" + str(source).lstrip("/")) for source in typed.sources)
    return {
        posixpath.normpath(posixpath.join(folder, posixpath.relpath(path, source)))
        for source in sources
        for path in gone
        if path.startswith(source.rstrip("/") + "/")
    }
