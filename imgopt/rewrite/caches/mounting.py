"""Why a cache mount would break or hide something: what the steps of a stage do with the folder it
would cover."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Instruction, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.shellwords import ShellWord
from imgopt.dockerfile.typed import Copy, Mount, Run
from imgopt.rewrite.caches.cache_places import Use, every_command, programs
from imgopt.rewrite.final.fates import is_below, overlap
from imgopt.rewrite.lines.shell_paths import UNKNOWN, named_paths
from imgopt.rewrite.lines.steps import script_of, workdir_at
from imgopt.rewrite.order.install_commands import begins_with, calls
from imgopt.rewrite.strategy import Situation

_RUNNERS = frozenset(
    ["make", "cmake", "sh", "bash", "just", "task", "mage", "goreleaser", "ninja", "bazel"]
)


def hidden(situation: Situation, stage: Stage, run: Instruction, use: Use) -> str:
    """What speaks against mounts of this manager in a RUN; empty for nothing."""
    folders, manager = list(use.folders), use.manager

    def whole() -> str:
        found = _copied(situation, stage, use) or _offline(situation, stage, use)
        return found or _used_outside(situation, stage, manager)

    key = ("hidden", stage.index, manager.name, use.folders)
    return _named(situation, run, manager, folders) or situation.once(key, whole)


def _named(situation: Situation, run: Instruction, manager: Manager, folders: list[str]) -> str:
    """The step itself names the folder, or removes one around it: a mount point cannot be
    removed."""
    scope = situation.dockerfile.scope_at(run)
    values = {"HOME": "/root", **scope.values}
    for command in script_of(situation.dockerfile, run).commands:
        values |= {one.name: _value(one.word) for one in command.assignments}
        if _is_cleaner(command, manager):
            return f"`{_short(command)}` is about the cache itself"
        here = posixpath.join(workdir_at(scope), command.cwd or ".")
        for word in command.words[1:]:
            if any(_touches(path, command, folders) for path in named_paths(word, values, here)):
                return f"`{_short(command)}` names the folder that the mount would cover"
    return ""


def _value(word: ShellWord) -> str:
    """What a step gives to a variable; a folder that `mktemp` makes is no cache."""
    return word.value or ("/tmp/new" if "mktemp" in word.text else word.text)


def _is_called(command: Command, manager: Manager) -> bool:
    """Whether it is a command of the manager's own program: what other programs say of their cache
    is theirs."""
    words = command.texts
    return any(begins_with(words, known) or known in words[:2] for known in programs(manager))


def _is_cleaner(command: Command, manager: Manager) -> bool:
    if _is_one_of(command, manager.cleaners):
        return True
    words = command.texts
    return _is_called(command, manager) and any(_is_about_cache(word) for word in words[1:3])


def _is_about_cache(word: str) -> bool:
    return word == "cache" or (word.startswith("-") and word.endswith("cache"))


def _touches(path: str, command: Command, folders: list[str]) -> bool:
    below = any((path + "/").startswith(folder + "/") for folder in folders)
    if command.name not in ("rm", "mv", "find", "chown", "chmod", "tar", "cp"):
        return below
    if UNKNOWN in path:
        known = path.partition(UNKNOWN)[0]
        return command.name in ("rm", "mv") and any(
            f"{folder}/".startswith(known) for folder in folders
        )
    around = posixpath.normpath(path.rstrip("*").rstrip("/") or "/")
    return below or any(
        fnmatchcase(folder, path) or (around != "/" and folder.startswith(around + "/"))
        for folder in folders
    )


def _copied(situation: Situation, stage: Stage, use: Use) -> str:
    """A COPY puts something into the folder, or takes it out of this stage."""
    folders = list(use.folders)
    known = [*folders, *(cache.replace("~", "/root", 1) for cache in use.manager.caches)]
    for other in situation.dockerfile.stages:
        for item in other.instructions:
            typed = item.typed
            if isinstance(typed, Run) and any(
                _shows(situation, mount, stage, known, use) for mount in typed.mounts
            ):
                return f"`{_line(item)}` reads what the mount would keep out of the layer"
            if not isinstance(typed, Copy):
                continue
            scope = situation.dockerfile.scope_at(item)
            target = posixpath.join(workdir_at(scope), scope.expand_known(typed.destination) or "")
            into = any((target.rstrip("/") + "/").startswith(folder + "/") for folder in folders)
            if into and other in stage.chain:
                return f"`{_line(item)}` puts something where the mount would cover it"
            ours = typed.from_ is not None and _is_from(situation, str(typed.from_), stage)
            sources = (
                [posixpath.normpath("/" + str(word).lstrip("/")) for word in typed.sources]
                if ours
                else []
            )
            if any(_takes(path, known, use) for path in sources):
                return f"`{_line(item)}` copies what the mount would keep out of the layer"
    return ""


def _shows(situation: Situation, mount: Mount, stage: Stage, folders: list[str], use: Use) -> bool:
    """Whether a step has a folder of this stage by a mount of its own; one of the whole stage is
    there for a file."""
    source = posixpath.normpath("/" + (mount.source or "").lstrip("/"))
    if mount.from_ is None or source == "/" or not _is_from(situation, mount.from_, stage):
        return False
    return _takes(source, folders, use)


def _is_from(situation: Situation, word: str, stage: Stage) -> bool:
    """Whether a COPY takes from this stage, or from one that stands on it; another image is none of
    ours."""
    found = situation.dockerfile.source_stage(word)
    return stage in found.chain if found is not None else "$" in word


def _takes(path: str, folders: list[str], use: Use) -> bool:
    """A folder around the cache holds what is installed: who copies that asks for no downloads,
    unless a build follows there."""
    if path == "/":
        return bool(every_command(use.manager))
    if use.among_installed:
        folders = [folder for folder in folders if not is_below(folder, [path]) or folder == path]
    return any(overlap(path, folder) for folder in folders)


def _offline(situation: Situation, stage: Stage, use: Use) -> str:
    """A step that builds from what an earlier one downloaded, and downloads nothing: it needs that
    in a layer."""
    manager = use.manager
    stages = [*stage.chain, *(situation.dockerfile.stages if use.among_installed else ())]
    for item, commands in _steps(situation, stages):
        ours = [command for command in commands if _is_called(command, manager)]
        network = item.flag("network")
        if ours and network is not None and network.value != "default":
            return f"`{_line(item)}` has a network of its own"
        for command in ours:
            words = [value or "" for value in command.values]
            fetches = not _is_one_of(command, manager.fetches_nothing)
            if fetches and any(option in words for option in manager.offline):
                return f"`{_short(command)}` needs what a step before it downloaded, in a layer"
        reader = next((one for one in commands if _is_one_of(one, manager.needs_cache)), None)
        if reader is not None:
            return f"`{_short(reader)}` needs what a step before it downloaded, in a layer"
        set_here = {
            f"{one.name}={one.value}" for command in commands for one in command.assignments
        }
        known = {
            f"{name}={value}" for name, value in situation.dockerfile.scope_at(item).values.items()
        }
        exported = {word.value or "" for command in commands for word in command.words[1:]}
        found = next(
            (one for one in manager.offline_variables if one in known | set_here | exported), ""
        )
        if found:
            return f"`{found}` wants what an earlier step downloaded, in a layer"
    return ""


def _is_one_of(command: Command, known: list[str]) -> bool:
    words = command.texts
    return any(calls(words, one) for one in known)


def _used_outside(situation: Situation, stage: Stage, manager: Manager) -> str:
    """Another step builds from what a build tool downloaded, and would not see the mount."""
    if not every_command(manager):
        return ""
    start = _started(situation, stage, manager)
    if start:
        return start
    for item, commands in _steps(situation, stage.chain):
        network = item.flag("network")
        if network is not None and network.value != "default":
            return f"`{_line(item)}` has a network of its own"
        if _is_left_out(situation, item) and any(
            name in item.value for name in every_command(manager)
        ):
            return f"`{_line(item)}` builds from what {manager.name} downloaded, without the mount"
        for command in commands:
            words = [value or "" for value in command.values]
            called = (
                posixpath.basename(words[0])
                if words[:1] and words[0].startswith("/")
                else "".join(words[:1])
            )
            if (
                called not in every_command(manager)
                and _may_build("".join(words[:1]))
                and not _reads_input(words)
            ):
                return (
                    f"`{_short(command)}` may build from what {manager.name} downloaded, without"
                    " the mount"
                )
    return ""


def _reads_input(words: list[str]) -> bool:
    """A shell whose text comes from elsewhere (`curl … | sh -s -- -y`): it installs a tool, and
    builds no project."""
    first = words[1] if words[1:] else ""
    return words[0] in ("sh", "bash") and (
        first in ("", "-") or re.fullmatch(r"-[a-z]*s[a-z]*", first) is not None
    )


def _may_build(program: str) -> bool:
    return program in _RUNNERS or program.startswith(("./", "/")) or program.endswith(".sh")


def _is_left_out(situation: Situation, item: Instruction) -> bool:
    """A step that gets no mount: in exec form, not to be read, or run by another user than root."""
    user = (situation.dockerfile.scope_at(item).user or "root").partition(":")[0]
    script = script_of(situation.dockerfile, item)
    return bool(item.json) or script.unknown is not None or user not in ("root", "0")


def _started(situation: Situation, stage: Stage, manager: Manager) -> str:
    """Who starts the build tool itself (`cargo run`, `mvn spring-boot:run`) needs its downloads in
    a layer."""
    context = situation.project.context
    for other in situation.dockerfile.stages:
        for item in other.instructions if stage in other.chain else ():
            if item.keyword not in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
                continue
            words = item.value.replace('"', " ").replace("[", " ").replace(",", " ").split()
            if manager.starts_built and re.search(manager.starts_built, " ".join(words)):
                continue
            scripts = {word.rpartition("/")[2] for word in words if word.endswith(".sh")}
            texts = [context.text(path) for name in scripts for path in context.named(name)]
            if any(
                name in words or any(f"{name} " in text for text in texts)
                for name in every_command(manager)
            ):
                return f"`{_line(item)}` builds when the container starts, without the mount"
    return ""


def _steps(
    situation: Situation, stages: Iterable[Stage]
) -> Iterator[tuple[Instruction, tuple[Command, ...]]]:
    for part in stages:
        for item in part.instructions:
            if isinstance(item.typed, Run):
                yield item, script_of(situation.dockerfile, item).commands


def _line(item: Instruction) -> str:
    return f"{item.keyword} {item.value}"[:60]


def _short(command: Command) -> str:
    return " ".join(word.text for word in command.words)[:60]
