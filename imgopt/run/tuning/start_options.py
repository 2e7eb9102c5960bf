"""The options that a start gives to its run time: in its words, and in variables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from imgopt.context.facts.tuning import Tuning


def own_options(facts: Tuning, words: Sequence[str]) -> tuple[str, ...]:
    """Those of the run time itself, among the words behind its program."""
    found: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in facts.with_value:
            next(rest, None)
        elif word in facts.stops_reading or not word.startswith(("-", "@")):
            break
        elif facts.option and re.fullmatch(facts.option, word):
            found.append(word)
    return tuple(found)


def options_in_force(
    facts: Tuning, environment: Mapping[str, str], words: Sequence[str], major: int | None
) -> tuple[str, ...]:
    """All of them, the one that counts last at the end. `major` is the run time's version: older
    ones do not read every variable."""
    before = [option for name in facts.variables for option in _of(facts, environment, name, major)]
    after = [
        option for name in facts.variables_after for option in _of(facts, environment, name, major)
    ]
    return (*before, *own_options(facts, words), *after)


def _of(
    facts: Tuning, environment: Mapping[str, str], name: str, major: int | None
) -> Sequence[str]:
    if major is not None and major < facts.variables_from.get(name, 0):
        return ()
    try:
        return shlex.split(environment.get(name, ""))
    except ValueError:
        return environment.get(name, "").split()


def names_variable(text: str, name: str) -> bool:
    """Whether a shell that reads the text puts the variable's value in.

    >>> names_variable('exec app "${OPTS:-}"', "OPTS"), names_variable("$OPTS_2", "OPTS")
    (True, False)
    """
    return re.search(rf"\$(?:{re.escape(name)}\b|\{{[#!]?{re.escape(name)}\b)", text) is not None
