"""Programs for the machine that are installed behind the build, though the source is nothing to
them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.lines.steps import script_of, workdir_at
from imgopt.rewrite.order.command_reads import led_by, need_of
from imgopt.rewrite.order.install_commands import begins_with, recognise
from imgopt.rewrite.order.manifests_read import is_for_the_machine, packages_of
from imgopt.rewrite.order.moves import TRANSPARENT, brought, settings_between
from imgopt.rewrite.order.target_paths import Ground
from imgopt.rewrite.strategy import Situation

_STEER = ("PATH", "HOME", "NODE")


def late_install(
    situation: Situation, ground: Ground, after: Sequence[Instruction]
) -> Instruction | None:
    """The first RUN behind the source that installs nothing but programs for the machine, with
    nothing in front of it but scripts of the project: they run the project's own programs, as
    before, when these come first."""
    ecosystems = situation.project.ecosystems
    passed: set[str] = set()
    for item in after:
        if item.keyword in TRANSPARENT and not _steers(item, ecosystems):
            continue
        if item.keyword != "RUN" or item.flags or item.heredocs:
            return None
        script = script_of(situation.dockerfile, item)
        if script.unknown or not script.commands or not script.is_plain_list:
            return None
        managers = [_runs_script(command, ecosystems) for command in script.commands]
        if all(managers):
            passed |= {manager.name for manager in managers if manager is not None}
            continue
        moves = passed and _installs_for_all(situation, ground, item, script.commands)
        return item if moves and not settings_between(situation, ground) else None
    return None


def _steers(item: Instruction, ecosystems: Iterable[Ecosystem]) -> bool:
    """It changes how the following steps run, or where they find things."""
    if item.keyword == "SHELL":
        return True
    patterns = [pattern for ecosystem in ecosystems for pattern in ecosystem.variables]
    names = (
        [word.partition("=")[0] for word in item.value.split()]
        if item.keyword in ("ENV", "ARG")
        else []
    )
    return any(
        name.upper().startswith(_STEER) or any(fnmatchcase(name, p) for p in patterns)
        for name in names
    )


def _runs_script(command: Command, ecosystems: Iterable[Ecosystem]) -> Manager | None:
    words = [value or "" for value in command.values]
    install = recognise(words, ecosystems)
    if (
        None in command.values
        or command.redirections
        or (install is not None and is_for_the_machine(install))
    ):
        return None
    for ecosystem in ecosystems:
        for manager in ecosystem.manager:
            if any(begins_with(words, script) for script in manager.scripts):
                return manager
    return None


def _installs_for_all(
    situation: Situation, ground: Ground, item: Instruction, commands: Sequence[Command]
) -> bool:
    """Every command installs a program for the machine, none of which the project's steps use, and
    reads nothing of what is copied."""
    ecosystems, scope = situation.project.ecosystems, situation.dockerfile.scope_at(item)
    workdir = workdir_at(scope)
    if led_by(scope.values.items(), workdir, ground, ecosystems):
        return False
    for command in commands:
        install = recognise([value or "" for value in command.values], ecosystems)
        if (
            install is None
            or not is_for_the_machine(install)
            or not install.manager.everywhere_tools
        ):
            return False
        names = [name.rpartition("@")[0] or name for name in packages_of(install)]
        if any(
            fnmatchcase(name, tool) for name in names for tool in install.manager.everywhere_tools
        ):
            return False
        need = need_of(command, workdir, ground, ecosystems)
        if need.refused or brought(ground, need.files):
            return False
    return True
