"""Where the commands of a step keep their caches, on the base image that they run on; nowhere,
where that is not known.

A tool asks its variables first, and falls back to a folder of its own:
`${GOMODCACHE:-${GOPATH:-~/go}/pkg/mod}`. The variables come from the Dockerfile and, for base
images of which this is known, from the image.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.managers import CacheFolder, Manager
from imgopt.dockerfile import Instruction, Scope, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.bases import read_base_name
from imgopt.rewrite.caches.base_places import base_environment, by_bases, is_official
from imgopt.rewrite.caches.said_elsewhere import elsewhere, option, said, variables
from imgopt.rewrite.conditions import context_says
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import begins_with, calls, managers_called, recognise
from imgopt.rewrite.strategy import Situation

_INNERMOST = re.compile(r"\$\{(\w+)(?::-([^${}]*))?\}")
_HOME = "/root"
_SAYS_ONLY = ("--version", "-version", "-v", "-V", "--help", "-h", "help", "version")
"""First arguments with which any tool downloads nothing."""


@dataclass(frozen=True, slots=True)
class Use:
    """A manager that a step calls: by these commands, with caches in these folders, or why none is
    known."""

    manager: Manager
    commands: tuple[Command, ...]
    folders: tuple[str, ...] = ()
    refused: str = ""
    told: bool = False
    """Not all of it is known for sure: it is told, and not done."""
    among_installed: bool = False
    """As `CacheFolder` says."""
    locked: frozenset[str] = frozenset()
    """Those of the folders in which one build waits for the other."""


def uses(situation: Situation, stage: Stage, run: Instruction) -> Iterator[Use]:
    """The managers that a RUN calls and that would find something in a cache."""
    script = script_of(situation.dockerfile, run)
    called: dict[str, tuple[Manager, dict[tuple[str, ...], CacheFolder], list[Command]]] = {}
    for command in script.commands:
        for manager, folders in _called(command, situation.project.ecosystems):
            entry = called.setdefault(manager.name, (manager, {}, []))
            entry[1].update({(one.folder, *one.bases): one for one in folders})
            entry[2].append(command)
    for manager, wanted, commands in called.values():
        yield _placed(situation, stage, run, manager, list(wanted.values()), commands)


def _called(
    command: Command, ecosystems: Iterable[Ecosystem]
) -> Iterator[tuple[Manager, list[CacheFolder]]]:
    """The managers whose caches a command reads or fills, with those caches."""
    words = [
        word.value or word.text for word in command.words if not word.text.startswith("+")
    ]  # a toolchain's name
    install = recognise(words, ecosystems)
    for manager in (one for one in managers_called(words, ecosystems) if one.cache):
        known = (*manager.uses_cache, *manager.fetch_before)
        ours = (install is not None and install.manager is manager) or any(
            begins_with(words, one) for one in known
        )
        if not ours and not any(
            begins_with([*words[:1]], program) for program in every_command(manager)
        ):
            continue
        if _fetches_nothing(
            words, manager
        ):  # but what a program fetches to start at all (`./gradlew --version`)
            folders = [
                one
                for one in manager.cache
                if any(" " not in by and calls(words, by) for by in one.used_by)
            ]
        else:
            folders = [
                one
                for one in manager.cache
                if not one.used_by or any(calls(words, by) for by in one.used_by)
            ]
        if folders:
            yield manager, folders


def every_command(manager: Manager) -> frozenset[str]:
    """The programs of a manager each of whose commands may read what earlier ones downloaded: a
    build tool's."""
    if not (manager.fetch_before or manager.shared_by_steps):
        return frozenset()
    return frozenset(command.split()[0] for command in (*manager.commands, *manager.fetch_before))


def programs(manager: Manager) -> frozenset[str]:
    """The programs of a manager, as facts spell them (glob patterns)."""
    known = (*manager.commands, *manager.fetch_before, *manager.uses_cache)
    return frozenset(command.split()[0] for command in known)


def _fetches_nothing(words: Sequence[str], manager: Manager) -> bool:
    rest = words[1:]
    if not rest and every_command(manager):
        return True
    says_only = (
        bool(rest) and rest[0] in _SAYS_ONLY and (not rest[0].startswith("-") or len(rest) == 1)
    )
    return says_only or any(begins_with(words, one) for one in manager.fetches_nothing)


def fetches_nothing(words: Sequence[str], ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether all managers that know the command say that it fetches nothing (`go telemetry
    off`)."""
    managers = managers_called(words, ecosystems)
    return bool(managers) and all(_fetches_nothing(words, manager) for manager in managers)


def _placed(
    situation: Situation,
    stage: Stage,
    run: Instruction,
    manager: Manager,
    wanted: Sequence[CacheFolder],
    commands: Sequence[Command],
) -> Use:
    """Where the caches of one step are. What it shares with other steps is found out once: the
    stage, its variables."""
    found = Use(manager, tuple(commands))
    base, why = situation.once(
        ("base", stage.index, manager.name, tuple((one.folder, *one.bases) for one in wanted)),
        lambda: _base(situation, stage, manager, wanted),
    )
    if base is None:
        return replace(found, refused=why)
    moved = elsewhere(situation, stage, run, manager, commands)
    if moved:
        return replace(found, refused=f"{moved} says that {manager.name} keeps its cache elsewhere")
    fetched = tuple(one for one in wanted if not _is_vendored(situation, one, commands))
    scope = situation.dockerfile.scope_at(run, base_env=base)
    names = tuple(tuple((one.folder, *one.bases) for one in some) for some in (wanted, fetched))
    key = ("place", stage.index, manager.name, names, scope)
    places = situation.once(
        key, lambda: _places(situation, stage, manager, wanted, fetched, base, scope)
    )
    return replace(places, commands=tuple(commands))


def _base(
    situation: Situation, stage: Stage, manager: Manager, wanted: Sequence[CacheFolder]
) -> tuple[Mapping[str, str] | None, str]:
    """What the base sets, or why that is not known well enough for these caches."""
    ecosystems = situation.project.ecosystems
    base = base_environment(stage, ecosystems)
    if (
        base is None
        and is_official(stage, ecosystems)
        and not any(by_bases(one, ecosystems) for one in wanted)
    ):
        return {}, ""
    unknown = f"what {stage.root.said_base} sets is not known"
    return base, f"{unknown}: {manager.name} may keep its cache elsewhere"


def _places(
    situation: Situation,
    stage: Stage,
    manager: Manager,
    wanted: Sequence[CacheFolder],
    fetched: Sequence[CacheFolder],
    base: Mapping[str, str],
    scope: Scope,
) -> Use:
    """The folders of the caches that something is fetched into, with these variables in force."""
    found = Use(manager, ())
    context, name = (
        situation.project.context,
        read_base_name(str(stage.root.base)).repository.rpartition("/")[2],
    )
    here = [
        one for one in wanted if not one.bases or any(fnmatchcase(name, base) for base in one.bases)
    ]
    fitting = [
        one for one in here if all(context_says(context, [condition]) for condition in one.when)
    ]
    if here and not fitting:
        why = f"what this {manager.name} keeps, and whether the project runs from it, is not known"
        return replace(found, refused=why)
    here = [one for one in fitting if one in fetched]
    for one in here:
        name = _moved(one, manager, base, scope.values)
        unset = next((name for name in variables(one, manager) if name in scope.unset), "")
        if name or unset:
            return replace(
                found,
                refused=f"{name or unset} may say that the cache of {manager.name} is elsewhere",
            )
    folders = [place(one.folder, scope.values) for one in here]
    if None in folders:
        return replace(found, refused=f"the cache of {manager.name} is in no folder that is known")
    return replace(
        found,
        folders=tuple(dict.fromkeys(folder for folder in folders if folder is not None)),
        told=any(one.static_only for one in here),
        among_installed=any(one.among_installed for one in here),
        locked=frozenset(
            folder for folder, one in zip(folders, here, strict=True) if folder and one.locked
        ),
    )


def place(expression: str, values: Mapping[str, str]) -> str | None:
    """The folder that an expression means; None where its variables say something that is no
    folder."""
    text = expression
    while (found := _INNERMOST.search(text)) is not None:
        text = (
            text[: found.start()] + (values.get(found[1]) or found[2] or "") + text[found.end() :]
        )
    text = text.replace("~", values.get("HOME") or _HOME, 1)
    return posixpath.normpath(text) if re.fullmatch(r"/[\w./@+-]+", text) else None


def _moved(
    folder: CacheFolder, manager: Manager, base: Mapping[str, str], values: Mapping[str, str]
) -> str:
    """A variable that the Dockerfile sets so that the cache is not where the base image has it."""
    for name in variables(folder, manager):
        if name not in values or name in folder.follows:
            continue
        switch = not any(f"${{{name}:-" in one.folder for one in manager.cache)
        if name != "HOME" and switch and base.get(name) != values[name]:
            return name
        if place(folder.folder, {**base, name: values[name]}) != place(folder.folder, base):
            return name
    return ""


def _is_vendored(situation: Situation, folder: CacheFolder, commands: Sequence[Command]) -> bool:
    """The project has its dependencies with it: nothing is downloaded."""
    context = situation.project.context
    if any(path in context.sizes or path in context.folders for path in folder.unless):
        return True
    return any(option(word) in said(command) for word in folder.unless_said for command in commands)
