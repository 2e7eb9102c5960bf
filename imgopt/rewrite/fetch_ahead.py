"""Fetching the dependencies of a build command from the manifests alone, before the source is there."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Manager
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Copy
from imgopt.rewrite.fetch_project import METADATA, itself, project_command
from imgopt.rewrite.installs import begins_with, present, recognise
from imgopt.rewrite.needs import is_setting
from imgopt.rewrite.steps import SourceCopy, script_of, workdir_at
from imgopt.rewrite.strategy import ContextFiles, Situation
from imgopt.rewrite.stub_sources import cargo_stub


@dataclass(frozen=True, slots=True)
class Fetch:
    """A shell command, the manifests that it needs, the COPY that brings them; or why it cannot be."""

    copy: SourceCopy
    files: tuple[str, ...] = ()
    shell: str = ""
    refused: str = ""
    kept: tuple[SourceCopy, ...] = ()
    """The COPY lines of the group that bring the manifests or what else the fetch reads."""
    others: bool = False
    """What the same program installs in earlier steps is something else."""


def fetch_for(
    situation: Situation, group: Sequence[SourceCopy], run: Instruction, place: Instruction, done: int = 0
) -> Fetch | None:
    """The fetch that helps a RUN; None where it calls nothing whose dependencies are known, or where the author keeps
    them in a cache mount. `place`: the instruction that it shall stand at; `done`: how many of the RUN's commands come
    before the source already."""
    if any(mount.type not in ("cache", "tmpfs") for mount in getattr(run.typed, "mounts", ())):
        return Fetch(group[0], refused="the step has a secret, an agent or a bind mount")
    mounted = {mount.target for mount in getattr(run.typed, "mounts", ()) if mount.type == "cache"}
    commands = script_of(situation.dockerfile, run).commands[done:]
    here = workdir_at(situation.dockerfile.scope_at(place))
    for index, command in enumerate(commands):
        manager = _manager(situation, command) or itself(situation, command)
        if manager is None:
            continue
        before = [other for other in commands[:index] if other.name not in _NOTHING]
        unknown = next((other for other in before if not _is_setting(other)), None)
        if unknown is not None:
            return Fetch(group[0], refused=f"`{_text(unknown)}` comes before it in the same step")
        if manager.static_only:
            return Fetch(group[0], refused=f"what {manager.name} would need for it was not tried")
        if mounted.isdisjoint(manager.cache_mounts):
            fetch = _project if manager.fetch_project else _fetch
            found = fetch(situation, group, run, command, manager, here)
            if not found.shell and not found.refused:
                continue
            shell = " && ".join([*(_words(other) for other in before), found.shell])
            return replace(found, shell=shell if found.shell else "")
    return None


def _is_setting(command: Command) -> bool:
    return is_setting([value or "local" for value in command.values])


_NOTHING = frozenset(["cd", "set", "mkdir", "echo", "pwd", "ls", "export", "true", ":"])
"""Commands that prepare nothing that a fetch would need."""
_OWN_WAY = frozenset([
    "--offline", "--frozen", "-s", "--settings", "-gs", "-f", "--file", "-pl", "-mod", "-modfile", "-C", "--directory",
    "--project"
])  # fmt: skip
"""Options that say where a build command reads and writes, or what it builds: a fetch would have to follow them."""
_STUB_OWN_WAY = frozenset(["--manifest-path", "--target-dir", "--config", "-Z", "--offline", "--frozen", "--root"])
"""The same where the build command itself runs ahead, with all its other options."""


def _own_way(words: Sequence[str | None], manager: Manager) -> str:
    """The option that a fetch cannot follow; empty where there is none."""
    known = {*(_STUB_OWN_WAY if manager.stub else _OWN_WAY - {*manager.manifest_option}), *manager.offline}
    for word in words[1:]:
        name = (word or "").partition("=")[0]
        if name in known or name.startswith("--artifact-dir"):
            return name
        if manager.stub and word is not None and (word.startswith("/") or ".." in word.split("/")):
            return word
    return ""


def _words(command: Command) -> str:
    return " ".join(word.text for word in command.words)


def _text(command: Command) -> str:
    return _words(command)[:60]


def _manager(situation: Situation, command: Command) -> Manager | None:
    words = [value or "" for value in command.values]
    for ecosystem in situation.project.ecosystems:
        for manager in ecosystem.manager:
            plain = _without_manifest(words, manager)
            if any(begins_with(plain, build) for build in manager.fetch_before):
                return manager
    install = recognise(words, situation.project.ecosystems)
    return install.manager if install is not None and installs_itself(install.manager, words) else None


def _without_manifest(words: list[str], manager: Manager) -> list[str]:
    """The words without the option that names the manifest, which may stand before the command's own verb."""
    at = next((index for index, word in enumerate(words) if word in manager.manifest_option), None)
    return words if at is None else [*words[:at], *words[at + 2 :]]


def installs_itself(manager: Manager, words: Sequence[str]) -> bool:
    """Whether the command installs the project too, which an option of it leaves out (`poetry install --no-root`)."""
    return manager.fetch.startswith("--") and manager.fetch not in words


def _fetch(
    situation: Situation,
    group: Sequence[SourceCopy],
    run: Instruction,
    command: Command,
    manager: Manager,
    here: str,
) -> Fetch:
    workdir = workdir_at(situation.dockerfile.scope_at(run))
    cwd = _folder_of(command, workdir, manager)
    repeats = bool(manager.stub) or manager.fetch.startswith("--")
    if cwd is None or (repeats and any(value is None for value in command.values)):
        return Fetch(group[0], refused=f"`{_text(command)}` cannot be read with certainty")
    option = _own_way(command.values, manager)
    if option:
        return Fetch(group[0], refused=f"`{option}` changes what {manager.name} reads or writes")
    copy = next((part for part in group if part.in_context(cwd) is not None), None)
    if copy is None:
        return _brought_before(situation, group, manager, command, cwd, here)
    folder = (copy.in_context(cwd) or "").removeprefix(".").strip("/")
    context = situation.project.context
    if present(context, _in(folder, "vendor/modules.txt")):
        return Fetch(copy, refused="the modules are in vendor/ already")
    files, refused = _manifests(context, manager, folder)
    if refused:
        return Fetch(copy, refused=refused)
    shell, files, refused = _command(situation, manager, command, files, folder)
    if refused:
        return Fetch(copy, refused=refused)
    return Fetch(copy, tuple(files), _there(shell, command, manager, cwd, here))


def _there(shell: str, command: Command, manager: Manager, cwd: str, here: str) -> str:
    """The fetch, where its manifest is: as the command says it, if that holds everywhere."""
    if cwd == here:
        return shell
    for option, value in itertools.pairwise(command.values):
        if option in manager.manifest_option and value is not None and value.startswith("/"):
            return f"{shell} {option} {value}"
    return f"cd {cwd} && {shell}"


def _project(
    situation: Situation, group: Sequence[SourceCopy], run: Instruction, command: Command, manager: Manager, here: str
) -> Fetch:
    """What the project declares to depend on; nothing where it declares nothing."""
    nothing = Fetch(group[0])
    if command.cwd is None or command.assignments:
        return nothing
    cwd = posixpath.normpath(posixpath.join(workdir_at(situation.dockerfile.scope_at(run)), command.cwd))
    copy = next((part for part in group if part.in_context(cwd) is not None), None)
    if copy is None:
        return nothing
    folder = (copy.in_context(cwd) or "").removeprefix(".").strip("/")
    shell, refused = project_command(situation, run, command, manager, folder)
    if not shell:
        return replace(nothing, refused=refused)
    return Fetch(copy, (_in(folder, METADATA),), shell if cwd == here else f"cd {cwd} && {shell}", others=True)


def _folder_of(command: Command, workdir: str, manager: Manager) -> str | None:
    """The folder whose manifest the command reads: where it runs, or where its option says that the manifest is."""
    if command.cwd is None:
        return None
    cwd = posixpath.normpath(posixpath.join(workdir, command.cwd))
    for option, value in itertools.pairwise(command.values):
        if option in manager.manifest_option:
            if value is None or posixpath.basename(value) not in manager.manifests:
                return None
            return posixpath.normpath(posixpath.join(cwd, posixpath.dirname(value)))
    return cwd


def _brought_before(
    situation: Situation, group: Sequence[SourceCopy], manager: Manager, command: Command, cwd: str, here: str
) -> Fetch:
    """The manifests are there already (`COPY pom.xml ./`, `COPY src ./src`): only the step itself is missing."""
    refused = Fetch(group[0], refused=f"`{_text(command)}` runs outside what is copied")
    folders = {posixpath.dirname(path) for path in _copied_to(situation, group, cwd, manager)}
    if len(folders) != 1:
        return refused
    folder, context = folders.pop(), situation.project.context
    first = next((part for part in group if not _is_optional(part, folder, manager)), None)
    if first is None or present(context, _in(folder, "vendor/modules.txt")):
        return refused
    files, why = _manifests(context, manager, folder)
    if why:
        return Fetch(first, refused=why)
    shell, needed, why = _command(situation, manager, command, files, folder)
    if why or set(needed) - set(files):
        return Fetch(first, refused=why or f"{min(set(needed) - set(files))} is not copied before")
    kept = tuple(copy for copy in group if _is_optional(copy, folder, manager))
    return Fetch(first, (), _there(shell, command, manager, cwd, here), kept=kept)


def _copied_to(situation: Situation, group: Sequence[SourceCopy], cwd: str, manager: Manager) -> list[str]:
    """Paths in the context of the manifests that earlier COPY lines, or those among these that bring no source, bring
    to this folder; empty where one lacks."""
    found: dict[str, str] = {}
    start = group[0].instruction
    single = [copy.instruction for copy in group if copy.files or posixpath.basename(copy.source) in manager.manifests]
    for item in situation.dockerfile.stages[start.stage].instructions:
        typed = item.typed
        if item.span.start >= start.span.start and not any(item is one for one in single):
            continue
        if not isinstance(typed, Copy) or typed.from_ is not None:
            continue
        scope = situation.dockerfile.scope_at(item)
        target = posixpath.normpath(posixpath.join(workdir_at(scope), scope.expand_known(typed.destination) or ""))
        for word in typed.sources:
            own = posixpath.normpath(str(word)).strip("/")
            if target == posixpath.join(cwd, posixpath.basename(own)):  # a folder among the manifests (.mvn)
                found.setdefault(posixpath.basename(own), own)
            for path in present(situation.project.context, own):
                if cwd in (target, posixpath.dirname(target)):
                    found.setdefault(posixpath.basename(path), path)
    wanted = [name for name in manager.manifests if "*" not in name]
    return [found[name] for name in wanted] if all(name in found for name in wanted) else []


def _is_optional(copy: SourceCopy, folder: str, manager: Manager) -> bool:
    """It brings what the manager reads (`.mvn`), not the source."""
    if copy.files:
        patterns = [_in(folder, name) for name in (*manager.optional, *manager.manifests)]
        return all(any(fnmatchcase(own, pattern) for pattern in patterns) for _, own in copy.files)
    return any(copy.source == _in(folder, name) for name in (*manager.optional, *manager.manifests))


def _manifests(context: ContextFiles, manager: Manager, folder: str) -> tuple[list[str], str]:
    wanted = [path for name in manager.manifests for path in present(context, _in(folder, name))]
    if len(wanted) < len(manager.manifests):
        return [], f"{', '.join(manager.manifests)} is not in the build context"
    for path in wanted:
        found = re.search(manager.local_lines, context.text(path), re.MULTILINE) if manager.local_lines else None
        if found:
            return [], f"{path} refers to the source tree (`{found[0].strip()[:60]}`)"
    extra = [path for name in manager.optional for path in present(context, _in(folder, name))]
    if manager.needs_lock and not extra:
        return [], f"there is no {manager.optional[0]}: no dependencies are known"
    return [*wanted, *extra], ""


def _command(
    situation: Situation, manager: Manager, command: Command, files: list[str], folder: str
) -> tuple[str, list[str], str]:
    """The step, the files that it needs, and why it cannot be."""
    words = _words(command)
    if manager.fetch.startswith("--"):
        return f"{words} {manager.fetch}", files, ""
    if manager.fetch:
        more = [value for value in command.values if value and value.startswith(tuple(manager.fetch_options))]
        return " ".join([manager.fetch, *more]), files, ""
    context = situation.project.context
    if any(word in context.text(path) for path in files if ".cargo/config" in path for word in _REDIRECTED):
        return "", files, ".cargo/config says where things are"
    stub = cargo_stub(context, folder)
    if stub.refused or not stub.packages:
        return "", files, stub.refused or "the manifest names no package"
    before = "".join(f"{item.name}={item.word.text} " for item in command.assignments)
    manifests = [_in(folder, name) for name in stub.manifests]
    return stub.shell(before + words, manager.unstub), list(dict.fromkeys([*manifests, *files])), ""


_REDIRECTED = ("target-dir", "directory", "paths")
"""Words of Cargo's settings that send it to other folders."""


def _in(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name)).removeprefix("./")
