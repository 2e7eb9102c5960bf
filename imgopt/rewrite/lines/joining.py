"""Which RUN steps may be joined, or end with one more command."""

from __future__ import annotations

import re

from imgopt.dockerfile import Dockerfile, Instruction
from imgopt.dockerfile.shellmodel import Script
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.lines.steps import script_of

_STATE = frozenset(
    [
        "cd",
        "pushd",
        "export",
        "unset",
        "umask",
        "source",
        ".",
        "alias",
        "shopt",
        "trap",
        "exec",
        "exit",
    ]
)
"""Commands whose effect ends with their own RUN, and would go on in the next one."""


_HARMLESS_OPTION = re.compile(r"-[euxvo]+|--|pipefail|errexit|xtrace|verbose|nounset")
_NOUNSET = re.compile(r"-[a-z]*u[a-z]*|nounset")


def extendable(dockerfile: Dockerfile, item: Instruction) -> Script | None:
    """The script of a RUN that can end with `&& more`: nothing (a comment, a semicolon) follows its
    last command."""
    typed = item.typed
    if not isinstance(typed, Run) or typed.json is not None or item.heredocs:
        return None
    script = script_of(dockerfile, item)
    if script.unknown or not script.commands or not script.is_plain_list:
        return None
    return (
        script
        if dockerfile.text[script.commands[-1].span.end : item.value_span.end].strip() == ""
        else None
    )


def joinable(dockerfile: Dockerfile, item: Instruction) -> Script | None:
    """The script of a RUN that can stand in one shell with another: no flags, no `cd`, no variables
    set."""
    script = extendable(dockerfile, item)
    if script is None or item.flags:
        return None
    if any(command.name in _STATE or not command.words for command in script.commands):
        return None
    return script


def fits_behind(before: Script, after: Script) -> bool:
    """Whether `before && after` fails where one of the two steps would, and reads the same.

    A list parted by `;` fails with its last command alone: behind `&&` it would run on though
    `before` failed. Options that `before` sets for its shell would hold for `after` too.
    """
    if any(item.operator == ";" for item in after.items):
        return False
    options = [
        word.value or "" for one in before.commands if one.name == "set" for word in one.words[1:]
    ]
    if not all(_HARMLESS_OPTION.fullmatch(option) for option in options):
        return False
    computed = any(value is None for one in after.commands for value in one.values)
    return not (computed and any(_NOUNSET.fullmatch(option) for option in options))
