"""Why a cache mount would break or hide something: what the steps of a stage do with the folder it would cover."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Manager
from imgopt.dockerfile import Instruction, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Copy, Run
from imgopt.rewrite.steps import script_of, workdir_at
from imgopt.rewrite.strategy import Situation

_RUNNERS = frozenset(["make", "cmake", "sh", "bash", "just", "task", "mage", "goreleaser", "ninja", "bazel"])


def in_root(folder: str) -> str:
    """A folder of a manager, for root."""
    return folder.replace("~", "/root", 1)


def programs(manager: Manager) -> frozenset[str]:
    """The programs of a manager whose cache later steps build from; empty where it is nothing but a cache."""
    if not manager.fetch_before:
        return frozenset()
    return frozenset(command.split()[0] for command in [*manager.commands, *manager.fetch_before])


def hidden(situation: Situation, stage: Stage, run: Instruction, manager: Manager) -> str:
    """What speaks against mounts of this manager in a RUN; empty for nothing."""
    scope = situation.dockerfile.scope_at(run)
    moved = next((name for name in ("HOME", *manager.cache_variables) if name in scope.values), None)
    if moved is not None:
        return f"{moved} may say that the cache of {manager.name} is elsewhere"
    folders = [in_root(folder) for folder in manager.cache_mounts]
    found = _named(situation, run, folders) or _copied(situation, stage, folders)
    return found or (_used_outside(situation, stage, manager) if programs(manager) else "")


def _named(situation: Situation, run: Instruction, folders: list[str]) -> str:
    """The step itself names the folder, or removes one around it: a mount point cannot be removed."""
    for command in script_of(situation.dockerfile, run).commands:
        if any(_is_about_cache(value or "") for value in command.values[1:3]):
            return f"`{_short(command)}` is about the cache itself"
        for word in command.words[1:]:
            path = (word.value or word.text).replace("${HOME}", "/root").replace("$HOME", "/root").strip("\"'")
            if _touches(in_root(path) if path.startswith("~") else path, command, folders):
                return f"`{_short(command)}` names the folder that the mount would cover"
    return ""


def _is_about_cache(word: str) -> bool:
    return word == "cache" or (word.startswith("-") and word.endswith("cache"))


def _touches(path: str, command: Command, folders: list[str]) -> bool:
    below = any((path + "/").startswith(folder + "/") for folder in folders)
    if command.name not in ("rm", "mv", "find", "chown", "chmod", "tar", "cp"):
        return below
    around = posixpath.normpath(path.rstrip("*").rstrip("/") or "/")
    return below or any(
        fnmatchcase(folder, path) or (around != "/" and folder.startswith(around + "/")) for folder in folders
    )


def _copied(situation: Situation, stage: Stage, folders: list[str]) -> str:
    """A COPY puts something into the folder, or takes it out of this stage."""
    for other in situation.dockerfile.stages:
        for item in other.instructions:
            typed = item.typed
            if not isinstance(typed, Copy):
                continue
            scope = situation.dockerfile.scope_at(item)
            target = posixpath.join(workdir_at(scope), scope.expand_known(typed.destination) or "")
            into = any((target.rstrip("/") + "/").startswith(folder + "/") for folder in folders)
            if into and other in stage.chain:
                return f"`{_line(item)}` puts something where the mount would cover it"
            sources = [posixpath.normpath("/" + str(word).lstrip("/")) for word in typed.sources] if typed.from_ else []
            if any(path != "/" and _overlaps(path, folders) for path in sources):
                return f"`{_line(item)}` copies what the mount would keep out of the layer"
    return ""


def _overlaps(path: str, folders: list[str]) -> bool:
    return any((folder + "/").startswith(path + "/") or path.startswith(folder + "/") for folder in folders)


def _used_outside(situation: Situation, stage: Stage, manager: Manager) -> str:
    """Another step builds from what was downloaded, and would not see the mount; or wants no network."""
    start = _started(situation, stage, manager)
    if start:
        return start
    for item, commands in _steps(situation, stage):
        network = item.flag("network")
        if network is not None and network.value != "default":
            return f"`{_line(item)}` has a network of its own"
        if _is_left_out(situation, item) and any(name in item.value for name in programs(manager)):
            return f"`{_line(item)}` builds from what {manager.name} downloaded, without the mount"
        for command in commands:
            words = [value or "" for value in command.values]
            if words[:1] and words[0] in programs(manager):
                if any(option in words for option in manager.offline):
                    return f"`{_short(command)}` needs what a step before it downloaded, in a layer"
            elif words[:1] and (words[0] in _RUNNERS or words[0].startswith(("./", "/")) or words[0].endswith(".sh")):
                return f"`{_short(command)}` may build from what {manager.name} downloaded, without the mount"
    return ""


def _is_left_out(situation: Situation, item: Instruction) -> bool:
    """A step that gets no mount: in exec form, not to be read, or run by another user than root."""
    user = (situation.dockerfile.scope_at(item).user or "root").partition(":")[0]
    script = script_of(situation.dockerfile, item)
    return bool(item.json) or script.unknown is not None or user not in ("root", "0")


def _started(situation: Situation, stage: Stage, manager: Manager) -> str:
    """Who starts the build tool itself (`cargo run`, `mvn spring-boot:run`) needs its downloads in a layer."""
    context = situation.project.context
    for other in situation.dockerfile.stages:
        for item in other.instructions if stage in other.chain else ():
            if item.keyword not in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
                continue
            words = item.value.replace('"', " ").replace("[", " ").replace(",", " ").split()
            scripts = {word.rpartition("/")[2] for word in words if word.endswith(".sh")}
            texts = [context.text(path) for name in scripts for path in context.named(name)]
            if any(name in words or any(f"{name} " in text for text in texts) for name in programs(manager)):
                return f"`{_line(item)}` builds when the container starts, without the mount"
    return ""


def _steps(situation: Situation, stage: Stage) -> Iterator[tuple[Instruction, tuple[Command, ...]]]:
    for part in stage.chain:
        for item in part.instructions:
            if isinstance(item.typed, Run):
                yield item, script_of(situation.dockerfile, item).commands


def _line(item: Instruction) -> str:
    return f"{item.keyword} {item.value}"[:60]


def _short(command: Command) -> str:
    return " ".join(word.text for word in command.words)[:60]
