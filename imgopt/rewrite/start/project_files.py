"""Files of a project in the build context."""

from __future__ import annotations

import posixpath
import re

from imgopt.rewrite.strategy import ContextFiles


def first_with(context: ContextFiles, folder: str, ending: str, pattern: re.Pattern[str]) -> str:
    """The first source file of the project with this pattern."""
    below = f"{folder}/" if folder else ""
    own = (
        path for path in sorted(context.sizes) if path.startswith(below) and path.endswith(ending)
    )
    return next(
        (path for path in own if "vendor/" not in path and pattern.search(context.text(path))), ""
    )


def inside(folder: str, name: str) -> str:
    return posixpath.join(folder, name) if folder else name
