"""Whether a step in front of the source may say what the installation says: variables, mounts."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.lines.steps import workdir_at
from imgopt.rewrite.order.command_reads import (
    is_setting,
    led_by,
    prepares_nothing,
    steers_fetch,
    writes_file,
)
from imgopt.rewrite.order.target_paths import Ground
from imgopt.rewrite.strategy import Situation


def prepares(command: Command, ecosystems: Sequence[Ecosystem]) -> bool:
    """Whether what follows it in the same step may need it: it does something, writes a file, or
    sets a variable."""
    if writes_file(command) or not prepares_nothing(values(command), ecosystems):
        return True
    return any(steers_fetch(name, ecosystems) for name, _ in _exported(command))


def _exported(command: Command) -> list[tuple[str, str | None]]:
    """What `export` sets, with the values as far as they are known."""
    if command.name != "export":
        return []
    pairs = [(word.text.partition("=")[0], word.value) for word in command.arguments]
    return [(name, None if value is None else value.partition("=")[2]) for name, value in pairs]


def can_be_said_twice(
    situation: Situation, ground: Ground, run: Instruction, command: Command
) -> bool:
    """A setting of the user, or a variable with a plain value: the new step begins with it as
    well."""
    ecosystems = situation.project.ecosystems
    if writes_file(command) or command.conditional or command.operator not in ("", "&&", ";"):
        return False
    exported = _exported(command)
    if not exported:
        return is_setting(values(command), ecosystems)
    cwd = posixpath.join(workdir_at(situation.dockerfile.scope_at(run)), command.cwd or ".")
    return all(value is not None for _, value in exported) and not led_by(
        exported, cwd, ground, ecosystems
    )


def mounts(run: Instruction) -> tuple[str, ...]:
    return tuple(
        run.text[flag.span.start : flag.span.end] for flag in run.flags if flag.name == "mount"
    )


def values(command: Command) -> list[str]:
    return [value or "" for value in command.values]
