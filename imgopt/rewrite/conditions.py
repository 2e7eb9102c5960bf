"""Conditions of ecosystem facts on files of the build context."""

from __future__ import annotations

import re
from collections.abc import Iterable

from imgopt.rewrite.strategy import ContextFiles


def context_says(context: ContextFiles, conditions: Iterable[str]) -> bool:
    """Whether one of the conditions, `FILE: TEXT`, holds: there are files of that name, and all of
    them hold the text (a regular expression, line by line)."""
    for condition in conditions:
        name, _, pattern = condition.partition(": ")
        paths = context.named(name)
        if paths and all(re.search(pattern, context.text(path), re.MULTILINE) for path in paths):
            return True
    return False
