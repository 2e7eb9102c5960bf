"""Where an option of a package manager's command goes: right behind its verb."""

from __future__ import annotations

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile.shellmodel import Command


def verb_index(manager: Manager, command: Command) -> int:
    """Where the word stands with which the manager's command is said ("install", "add")."""
    verbs = {known.split()[-1] for known in manager.commands}
    return next(
        (i for i, value in enumerate(command.values) if i and value in verbs),
        len(command.words) - 1,
    )
