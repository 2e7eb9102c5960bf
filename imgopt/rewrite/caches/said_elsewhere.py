"""Words, variables and settings that put a cache somewhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from imgopt.context.facts.managers import CacheFolder, Manager
from imgopt.dockerfile import Instruction, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.strategy import Situation


def variables(folder: CacheFolder, manager: Manager) -> tuple[str, ...]:
    """The variables that decide where a cache is, or whether there is one."""
    return tuple(
        dict.fromkeys(("HOME", *re.findall(r"\$\{(\w+)", folder.folder), *manager.cache_variables))
    )


def elsewhere(
    situation: Situation,
    stage: Stage,
    run: Instruction,
    manager: Manager,
    commands: Sequence[Command],
) -> str:
    """An option, a setting or a variable that moves the cache, or switches it off."""
    for command in commands:
        text = said(command)
        word = next((one for one in manager.elsewhere if option(one) in text), "")
        if word:
            return f"`{word}`"
    name = _assigned(script_of(situation.dockerfile, run).commands, manager)
    if name:
        return f"`{name}` in the step"
    given = [(one.name, one.value or "") for command in commands for one in command.assignments]
    scope = situation.dockerfile.scope_at(run)
    by_value = situation.once(
        ("said", manager.name, scope), lambda: _in_values(manager, scope.values.items())
    )
    by_value = by_value or (_in_values(manager, given) if given else "")
    return by_value or situation.once(
        ("set", stage.index, manager.name), lambda: _set(situation, stage, manager)
    )


def _assigned(commands: Iterable[Command], manager: Manager) -> str:
    """A variable of the manager's that the step sets or exports."""
    named: set[str] = set()
    for command in commands:
        exported = [word.text.partition("=")[0] for word in command.words if "=" in word.text]
        if not exported and not command.assignments:
            continue
        of_caches = (name for one in manager.cache for name in variables(one, manager))
        named = named or {"HOME", *manager.cache_variables, *of_caches}
        name = next(
            (
                one
                for one in (*(each.name for each in command.assignments), *exported)
                if one in named
            ),
            "",
        )
        if name:
            return name
    return ""


def _in_values(manager: Manager, values: Iterable[tuple[str, str]]) -> str:
    """A long option of the manager's in the value of a variable
    (`MAVEN_OPTS=-Dmaven.repo.local=/m2`)."""
    long = [one for one in manager.elsewhere if one.startswith(("--", "-D"))]
    for name, value in values:
        word = next((one for one in long if option(one) in _spaced(value)), "")
        if word:
            return f"`{word}` in {name}"
    return ""


def _set(situation: Situation, stage: Stage, manager: Manager) -> str:
    """A command or a file that sets it for all that follow."""
    context = situation.project.context
    settings = [setting.partition(": ")[::2] for setting in manager.elsewhere_files]
    for name, pattern in settings:
        for path in context.named_like(name)[0]:
            if re.search(pattern, context.text(path), re.MULTILINE):
                return path
    runs = [item for part in stage.chain for item in part.instructions if item.keyword == "RUN"]
    for command in (
        command for item in runs for command in script_of(situation.dockerfile, item).commands
    ):
        if any(re.search(pattern, said(command)) for pattern in manager.moved_by):
            return f"`{said(command).strip()[:60]}`"
        written = [one.target.text for one in command.redirections if one.target is not None]
        lines = "\n".join(command.texts)
        for name, pattern in settings:
            if any(path.endswith(name) for path in written) and re.search(
                pattern, lines, re.MULTILINE
            ):
                return name
    return ""


def said(command: Command) -> str:
    """The words of a command, each between blanks; an option's value is a word of its own."""
    return _spaced(" ".join(command.texts))


@lru_cache(maxsize=4096)
def option(text: str) -> str:
    """An option of the facts, of which there are some hundreds, as it stands in what a command
    says."""
    return _spaced(text)


def _spaced(text: str) -> str:
    return f" {' '.join(text.replace('=', ' ').split())} "
