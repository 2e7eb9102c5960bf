"""Parts of a system package that its distribution ships without what they need: a plugin, a helper
script.

A package manager installs all that a package depends on. What a file of it still lacks is thus
optional by the distribution's own word; that the original happened to have it (Python in a large
base) changes no service that does not open the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import SYSTEM


def optional_part(
    candidate: ImageView, path: str, named: Sequence[str], opened: Iterable[str] | None
) -> str:
    """Why a file may lack what it asks for; "" where it may not: nothing is known of what was
    opened, it was opened, no package of the candidate's own database has it, or the author installs
    that package by name."""
    if opened is None or path in frozenset(opened):
        return ""
    package = candidate.owner(path)
    wanted = {re.split(r"[=:/]", name)[0] for name in named}
    if package is None or package.ecosystem not in SYSTEM or package.name in wanted:
        return ""
    return f"an optional part of the system package {package.name}, which does not depend on it"
