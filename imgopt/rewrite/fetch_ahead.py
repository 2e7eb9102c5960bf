"""Fetching the dependencies of a build command from the manifests alone, before the source is there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from imgopt.context.ecosystems import Manager
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.installs import begins_with, present, recognise
from imgopt.rewrite.steps import SourceCopy, script_of, workdir_at
from imgopt.rewrite.strategy import ContextFiles, Situation


@dataclass(frozen=True, slots=True)
class Fetch:
    """A shell command, the manifests that it needs, the COPY that brings them; or why it cannot be."""

    copy: SourceCopy
    files: tuple[str, ...] = ()
    shell: str = ""
    refused: str = ""


def fetch_for(situation: Situation, group: Sequence[SourceCopy], run: Instruction) -> Fetch | None:
    """The fetch that helps a RUN; None where it calls nothing whose dependencies are known, or where the author keeps
    them in a cache mount."""
    if any(mount.type not in ("cache", "tmpfs") for mount in getattr(run.typed, "mounts", ())):
        return Fetch(group[0], refused="the step has a secret, an agent or a bind mount")
    mounted = {mount.target for mount in getattr(run.typed, "mounts", ()) if mount.type == "cache"}
    commands = script_of(situation.dockerfile, run).commands
    for index, command in enumerate(commands):
        manager = _manager(situation, command)
        if manager is not None and any(other.name not in _NOTHING for other in commands[:index]):
            return Fetch(group[0], refused=f"`{_text(commands[0])}` comes before it in the same step")
        if manager is not None and mounted.isdisjoint(manager.cache_mounts):
            return _fetch(situation, group, run, command, manager)
    return None


_NOTHING = frozenset(["cd", "set", "mkdir", "echo", "pwd", "ls", "export", "true", ":"])
"""Commands that prepare nothing that a fetch would need."""
_OWN_WAY = frozenset([
    "--target", "--target-dir", "--profile", "--bin", "--bins", "--lib", "--example", "--examples", "-p",
    "--package", "--workspace", "--all", "--manifest-path", "--config", "-Z", "--offline", "-s",
    "--settings", "-gs", "-f", "--file", "-P", "-pl", "-mod", "-modfile", "-C", "--directory", "--project",
    "--artifact-dir", "--out-dir"
])  # fmt: skip
"""Options that say where a build command reads and writes, or what it builds: a fetch would have to follow them."""


def _own_way(words: Sequence[str | None]) -> str:
    """The option that a fetch cannot follow; empty where there is none."""
    for word in words[1:]:
        name = (word or "").partition("=")[0]
        if name in _OWN_WAY or (len(name) > 2 and name[:2] in ("-P", "-p") and not name.startswith("--")):
            return name
    return ""


def _text(command: Command) -> str:
    return " ".join(word.text for word in command.words)[:60]


def _manager(situation: Situation, command: Command) -> Manager | None:
    words = [value or "" for value in command.values]
    for ecosystem in situation.project.ecosystems:
        for manager in ecosystem.manager:
            if any(begins_with(words, build) for build in manager.fetch_before):
                return manager
    install = recognise(words, situation.project.ecosystems)
    return install.manager if install is not None and installs_itself(install.manager, words) else None


def installs_itself(manager: Manager, words: Sequence[str]) -> bool:
    """Whether the command installs the project too, which an option of it leaves out (`poetry install --no-root`)."""
    return manager.fetch.startswith("--") and manager.fetch not in words


def _fetch(
    situation: Situation, group: Sequence[SourceCopy], run: Instruction, command: Command, manager: Manager
) -> Fetch:
    workdir = workdir_at(situation.dockerfile.scope_at(run))
    cwd = posixpath.normpath(posixpath.join(workdir, command.cwd or "."))
    copy = next((part for part in group if part.in_context(cwd) is not None), None)
    if copy is None or command.cwd is None or any(value is None for value in command.values):
        return Fetch(group[0], refused=f"`{manager.name}` runs outside what is copied")
    option = _own_way(command.values)
    if option:
        return Fetch(copy, refused=f"`{option}` changes what {manager.name} reads or writes")
    folder = (copy.in_context(cwd) or "").removeprefix(".").strip("/")
    context = situation.project.context
    if present(context, _in(folder, "vendor/modules.txt")):
        return Fetch(copy, refused="the modules are in vendor/ already")
    files, refused = _manifests(context, manager, folder)
    if refused:
        return Fetch(copy, refused=refused)
    shell = _command(manager, command, context, files, folder)
    if not shell:
        return Fetch(copy, refused="this build command is not understood")
    here = workdir_at(situation.dockerfile.scope_at(copy.instruction))
    return Fetch(copy, tuple(files), shell if cwd == here else f"cd {cwd} && {shell}")


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


def _command(manager: Manager, command: Command, context: ContextFiles, files: Sequence[str], folder: str) -> str:
    words = " ".join(word.text for word in command.words)
    if manager.fetch.startswith("--"):
        return f"{words} {manager.fetch}"
    if manager.fetch:
        return manager.fetch
    return _stub_build(manager, words, context, files, folder) if manager.stub else ""


def _stub_build(manager: Manager, words: str, context: ContextFiles, files: Sequence[str], folder: str) -> str:
    """Builds the dependencies with the least source there can be; Cargo compares times, so what the stub made goes."""
    text = context.text(files[0])
    if any("target" in context.text(path) for path in files if ".cargo/config" in path):
        return ""
    package = re.search(r'^\s*name\s*=\s*"([\w-]+)"', text, re.MULTILINE)
    if package is None or re.search(r"^\s*(\[\[bin\]\]|\[lib\]|\[\[bench\]\]|build\s*=)", text, re.MULTILINE):
        return ""
    if present(context, _in(folder, "build.rs")) or present(context, _in(folder, "src/bin")):
        return ""
    stub = manager.stub + (" && touch src/lib.rs" if present(context, _in(folder, "src/lib.rs")) else "")
    return f"{stub} && {words} && {manager.unstub.replace('{package}', package[1])}"


def _in(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name)).removeprefix("./")
