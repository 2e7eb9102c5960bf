"""Whether the application's sources may write to places that neither a run nor the text shows: a
service whose sources write nothing needs no rights to them."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered
from imgopt.inspect.sources.texts import source_texts
from imgopt.inspect.sources.written_places import without_named_places
from imgopt.inspect.start.entry_scripts import script_start


@remembered
def may_write_unseen(view: ImageView) -> str:
    """The source that does, or may; "" where none of them does. A program whose sources are not in
    the image may do anything."""
    texts = source_texts(view)
    if not texts:
        return "a program without its sources"
    beside = _beside()
    for node in application_files(view):
        if any(fnmatchcase(node.name, glob) for glob in beside):
            return node.path
    return next((path for path, text in texts if _writes(view, path, text)), "")


def _writes(view: ImageView, path: str, text: str) -> bool:
    patterns = _calls(posixpath.splitext(path)[1])
    if not patterns:  # a script that only starts a program writes nothing
        return not path.endswith((".sh", ".bash")) or script_start(view, ("sh", path)) is None
    if not any(pattern.search(text) for pattern in patterns):
        return False
    left = without_named_places(view, path, text)
    return any(pattern.search(left) for pattern in patterns)


@cache
def _calls(ending: str) -> tuple[re.Pattern[str], ...]:
    facts = (fact for one in builtin_ecosystems() for fact in one.writing_call)
    return tuple(
        re.compile(text) for fact in facts if ending in fact.files for text in fact.patterns
    )


@cache
def _beside() -> tuple[str, ...]:
    return tuple(glob for one in builtin_ecosystems() for glob in one.writes_beside)
