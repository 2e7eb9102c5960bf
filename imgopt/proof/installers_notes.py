"""What installers write for themselves, in the eyes of the proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.judged import InstallersNote


@cache
def notes() -> re.Pattern[str]:
    """Paths of their notes: rewritten by each installation, read by no program."""
    return re.compile("|".join(f"(?:{path})" for fact in _facts() for path in fact.paths))


@cache
def written_into() -> frozenset[str]:
    """Names of the author's files into which an installation writes: what is installed is compared
    package by package."""
    return frozenset(name for fact in _facts() for name in fact.into)


def _facts() -> Iterator[InstallersNote]:
    return (fact for ecosystem in builtin_ecosystems() for fact in ecosystem.installers_note)
