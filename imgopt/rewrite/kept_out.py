"""Where in the image the files of the context would be that a new ignore file keeps out of the build."""

from __future__ import annotations

import posixpath

from imgopt.dockerfile import IgnoreFile
from imgopt.rewrite.steps import source_copy
from imgopt.rewrite.strategy import Situation


def kept_out(situation: Situation) -> frozenset[str]:
    """Absolute paths of the image, by the COPY lines that bring folders of the context."""
    if situation.ignore is None or situation.ignore == situation.project.context.ignore:
        return frozenset()
    ignored = IgnoreFile.parse(situation.ignore)
    hidden = [path for path in situation.project.context.sizes if ignored.excludes(path)]
    found: set[str] = set()
    for item in situation.dockerfile.instructions:
        copy = source_copy(situation.dockerfile, item, situation.project.context)
        if copy is None:
            continue
        for path in hidden:
            if copy.brings(path):
                inside = posixpath.relpath(path, copy.source or ".")
                found.add(posixpath.normpath(posixpath.join(copy.folder, inside)))
    return frozenset(found)
