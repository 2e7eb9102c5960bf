"""Fetching the dependencies of a build command from the manifests alone, before the source is
there."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.caches.cleaning import cleans
from imgopt.rewrite.final.fates import overlap
from imgopt.rewrite.language import Stub, language_of
from imgopt.rewrite.lines.paths import fits_any, present, whole
from imgopt.rewrite.lines.steps import script_of, workdir_at
from imgopt.rewrite.order.command_reads import (
    led_by,
    steers_fetch,
)
from imgopt.rewrite.order.fetch_project import METADATA, itself, project_command
from imgopt.rewrite.order.given_back import gives_back, ships
from imgopt.rewrite.order.install_commands import begins_with, recognise
from imgopt.rewrite.order.manifests_read import folders_read, member_of, read_with
from imgopt.rewrite.order.named_by_manifests import local_line
from imgopt.rewrite.order.said_twice import can_be_said_twice, mounts, prepares
from imgopt.rewrite.order.target_paths import Ground
from imgopt.rewrite.strategy import ContextFiles, Situation


@dataclass(frozen=True, slots=True)
class Fetch:
    """A shell command, and the files that it needs; or why it cannot be."""

    files: tuple[str, ...] = ()
    """Paths of the image; a folder that is read as a whole ends with a slash."""
    shell: str = ""
    flags: tuple[str, ...] = ()
    """The author's own mounts, for the new step."""
    refused: str = ""
    lays: tuple[str, ...] = ()
    """Paths of the image where the fetch installs to."""
    helps: str = ""
    """The command whose dependencies it fetches, shortened for a sentence."""
    others: bool = False
    """What the same program installs in earlier steps is something else."""


@dataclass(frozen=True, slots=True)
class _Step:
    """The command that a fetch helps, where it runs, and where the new step stands."""

    situation: Situation
    ground: Ground
    run: Instruction
    command: Command
    manager: Manager
    here: str
    """The working directory at the new step."""


def fetch_for(
    situation: Situation, ground: Ground, run: Instruction, place: Instruction, done: int = 0
) -> Fetch | None:
    """The fetch that helps a RUN; None where it calls nothing whose dependencies are known, or
    where the author keeps them in a cache mount. `place`: the instruction that it shall stand at;
    `done`: how many of the RUN's commands come before the source already."""
    if any(mount.type not in ("cache", "tmpfs") for mount in getattr(run.typed, "mounts", ())):
        return Fetch(refused="the step has a secret, an agent or a bind mount")
    network = run.flag("network")
    if network is not None and network.value != "default":
        return Fetch(refused="the step has a network of its own")
    commands = script_of(situation.dockerfile, run).commands[done:]
    here = workdir_at(situation.dockerfile.scope_at(place))
    ecosystems = situation.project.ecosystems
    for index, command in enumerate(commands):
        manager = _manager(situation, command) or itself(situation, command)
        if manager is None:
            continue
        before = [other for other in commands[:index] if prepares(other, ecosystems)]
        unknown = next(
            (other for other in before if not can_be_said_twice(situation, ground, run, other)),
            None,
        )
        if unknown is not None:
            return Fetch(refused=f"`{_text(unknown)}` comes before it in the same step")
        if manager.static_only:
            return Fetch(refused=f"what {manager.name} would need for it was not tried")
        step = _Step(situation, ground, run, command, manager, here)
        if _is_mounted(step):
            continue
        found = _project(step) if manager.fetch_project else _fetch(step)
        if not found.shell and not found.refused:
            continue
        emptied = _emptied(step, commands[index + 1 :], found)
        if emptied is not None:
            return Fetch(refused=f"`{_text(emptied)}` removes it again in the same step")
        shell = " && ".join([*(_words(other) for other in before), found.shell])
        return replace(
            found, shell=shell if found.shell else "", flags=mounts(run), helps=_text(command)
        )
    return None


def _emptied(step: _Step, later: Sequence[Command], found: Fetch) -> Command | None:
    """The command of the same step that removes what the fetch would make: from the cache, which
    the step then has no mount for, or from a folder of the image, where a layer would keep it."""
    manager, situation, run = step.manager, step.situation, step.run
    workdir = workdir_at(situation.dockerfile.scope_at(run))
    lays = found.lays if ships(situation, run) else ()
    ecosystems = situation.project.ecosystems
    for command in later:
        if cleans(command, manager):
            return command
        if lays and gives_back(command, (step.command,), lays, ecosystems, workdir):
            return command
    return None


def _is_mounted(step: _Step) -> bool:
    """The author keeps what the fetch would make in a cache mount: the layer would hold it a second
    time."""
    manager, scope = step.manager, step.situation.dockerfile.scope_at(step.run)
    cwd = posixpath.normpath(posixpath.join(workdir_at(scope), step.command.cwd or "."))
    made = [posixpath.join(cwd, name) for name in manager.lays]
    made += [scope.values[name] for name in manager.lays_variables if name in scope.values]
    if manager.fetch and not manager.fetch.startswith(
        "--"
    ):  # others install or compile as well, where it stays
        made += [one.replace("~", "/root", 1) for one in manager.caches]
    targets = [
        posixpath.normpath(
            posixpath.join(workdir_at(scope), scope.expand_known(mount.target) or mount.target)
        )
        for mount in getattr(step.run.typed, "mounts", ())
        if mount.type == "cache" and mount.target
    ]
    return any(overlap(target, folder) for target in targets for folder in made)


def _own_way(words: Sequence[str | None], manager: Manager) -> str:
    """The option that a fetch cannot follow; empty where there is none."""
    known = {*manager.steers, *manager.offline} - {*manager.manifest_option}
    for word in words[1:]:
        name = (word or "").partition("=")[0]
        if name in known:
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
            other = manager.fetch_unless and any(
                re.search(manager.fetch_unless, word) for word in words[1:]
            )
            if any(begins_with(plain, build) for build in manager.fetch_before) and not other:
                return manager
    install = recognise(words, situation.project.ecosystems)
    return (
        install.manager if install is not None and installs_itself(install.manager, words) else None
    )


def _without_manifest(words: list[str], manager: Manager) -> list[str]:
    """The words without the option that names the manifest, which may stand before the command's
    own verb."""
    at = next((index for index, word in enumerate(words) if word in manager.manifest_option), None)
    return words if at is None else [*words[:at], *words[at + 2 :]]


def installs_itself(manager: Manager, words: Sequence[str]) -> bool:
    """Whether the command installs the project too, which an option of it leaves out (`poetry
    install --no-root`)."""
    return manager.fetch.startswith("--") and manager.fetch not in words


def _fetch(step: _Step) -> Fetch:
    command, manager, ground = step.command, step.manager, step.ground
    cwd = _folder_of(command, workdir_at(step.situation.dockerfile.scope_at(step.run)), manager)
    repeats = bool(manager.stub) or manager.fetch.startswith("--")
    if cwd is None or (
        repeats and (None in command.values or command.conditional or command.operator == "||")
    ):
        return Fetch(refused=f"`{_text(command)}` cannot be read with certainty")
    option = _own_way(command.values, manager)
    if option:
        return Fetch(refused=f"`{option}` changes what {manager.name} reads or writes")
    view = ground.laid()
    files, refused = _manifests(view, manager, cwd)
    if refused and not ground.is_below(cwd):
        return Fetch(refused=f"`{_text(command)}` runs outside what is copied")
    if refused:
        return Fetch(refused=refused)
    shell, files, refused = _command(step, view, files, cwd)
    variables = _variables(step, cwd) if not manager.stub else ""
    if refused or variables is None:
        return Fetch(refused=refused or f"`{_text(command)}` cannot be read with certainty")
    shell = variables + shell
    lays = tuple(_in(cwd, name) for name in manager.lays)
    return Fetch(tuple(files), _there(shell, command, manager, cwd, step.here), lays=lays)


def _variables(step: _Step, cwd: str) -> str | None:
    """The variables in front of the command that hold for its fetch as well; None where one is not
    known."""
    ecosystems = step.situation.project.ecosystems
    given = [one for one in step.command.assignments if steers_fetch(one.name, ecosystems)]
    pairs = [(one.name, one.value) for one in given]
    if any(value is None for _, value in pairs) or led_by(pairs, cwd, step.ground, ecosystems):
        return None
    return "".join(f"{one.name}={one.word.text} " for one in given)


def _there(shell: str, command: Command, manager: Manager, cwd: str, here: str) -> str:
    """The fetch, where its manifest is: as the command says it, if that holds everywhere."""
    if cwd == here:
        return shell
    for option, value in itertools.pairwise(command.values):
        if option in manager.manifest_option and value is not None and value.startswith("/"):
            return f"{shell} {option} {value}"
    return f"cd {cwd} && {shell}"


def _project(step: _Step) -> Fetch:
    """What the project declares to depend on; nothing where it declares nothing."""
    command, ground = step.command, step.ground
    if command.cwd is None or command.assignments:
        return Fetch()
    cwd = posixpath.normpath(
        posixpath.join(workdir_at(step.situation.dockerfile.scope_at(step.run)), command.cwd)
    )
    view = ground.laid()
    shell, refused = project_command(step.situation, step.run, command, step.manager, view, cwd)
    if not shell:
        return Fetch(refused=refused)
    return Fetch(
        (_in(cwd, METADATA),), shell if cwd == step.here else f"cd {cwd} && {shell}", others=True
    )


def _folder_of(command: Command, workdir: str, manager: Manager) -> str | None:
    """The folder whose manifest the command reads: where it runs, or where its option says that the
    manifest is."""
    if command.cwd is None:
        return None
    cwd = posixpath.normpath(posixpath.join(workdir, command.cwd))
    for option, value in itertools.pairwise(command.values):
        if option in manager.manifest_option:
            if value is None or posixpath.basename(value) not in manager.manifests:
                return None
            return posixpath.normpath(posixpath.join(cwd, posixpath.dirname(value)))
    return cwd


def _manifests(view: ContextFiles, manager: Manager, folder: str) -> tuple[list[str], str]:
    """What a fetch in this folder of the image reads, and why that is not known."""
    wanted = [path for name in manager.manifests for path in whole(view, _in(folder, name))]
    if len(wanted) < len(manager.manifests):
        return [], f"{', '.join(manager.manifests)} is not in the build context"
    ready = next(
        (path for name in manager.ready for path in present(view, _in(folder, name))), None
    )
    if ready is not None:
        return (
            [],
            f"the dependencies are in {posixpath.basename(posixpath.dirname(ready))}/ already",
        )
    for path in wanted:
        local = local_line(manager, view.text(path))
        if local:
            return [], f"{view.said(path)} refers to the source tree (`{local}`)"
    member = member_of(manager, view, folder, wanted)
    if member:
        return [], member
    extra = [path for name in manager.optional for path in whole(view, _in(folder, name))]
    if manager.needs_lock and not extra:
        return [], f"there is no {manager.optional[0]}: no dependencies are known"
    more = read_with(manager, view, [*extra, *folders_read(manager, view, folder)], folder)
    return [*wanted, *more.files], more.refused


def _command(
    step: _Step, view: ContextFiles, files: list[str], folder: str
) -> tuple[str, list[str], str]:
    """The step, the files that it needs, and why it cannot be."""
    manager, command = step.manager, step.command
    words = _words(command)
    if manager.fetch.startswith("--"):
        return f"{words} {manager.fetch}", files, ""
    if manager.fetch:
        more = _taken_over(command, manager)
        if more is None:
            return "", files, f"`{_text(command)}` cannot be read with certainty"
        near = next((word for word in more if _leads_in(step, word, folder)), None)
        return (
            " ".join([manager.fetch, *more]),
            files,
            f"`{near}` leads into the source" if near else "",
        )
    for path in (one for name in files for one in present(view, name)):
        if fits_any(posixpath.basename(path), manager.settings) and re.search(
            manager.stub_refuses, view.text(path)
        ):
            return "", files, f"{view.said(path)} says where things are"
    stub_of = language_of(manager.stub).stub
    stub = (
        stub_of(view, folder) if stub_of is not None else Stub(refused="its sources are not known")
    )
    if stub.refused or not stub.packages:
        return "", files, stub.refused or "the manifest names no package"
    early = next(
        (path for path in (*stub.programs, *stub.libraries) if not _waits(step, _in(folder, path))),
        None,
    )
    if early is not None:
        return (
            "",
            files,
            f"{early} is copied with the manifest, and its stub would stay in its place",
        )
    before = "".join(f"{item.name}={item.word.text} " for item in command.assignments)
    manifests = [_in(folder, name) for name in stub.manifests]
    return stub.shell(before + words, manager.unstub), list(dict.fromkeys([*manifests, *files])), ""


def _taken_over(command: Command, manager: Manager) -> list[str] | None:
    """The options that hold for the fetch as well, with their values; None where one is not
    known."""
    found: list[str] = []
    words = [*command.words, None]
    for word, following in itertools.pairwise(words):
        if word is None or not word.text.startswith(tuple(manager.fetch_options)):
            continue
        alone = (
            word.value in manager.fetch_options and following is not None and "=" not in word.text
        )
        taken = [word, following] if alone and word.value in manager.value_options else [word]
        if any(one is None or one.value is None for one in taken):
            return None
        found += [one.text for one in taken if one is not None]
    return found


def _leads_in(step: _Step, word: str, folder: str) -> bool:
    """Whether an option names something that the source brings, or a folder in it."""
    value = word.partition("=")[2].strip("\"'")
    return (
        bool(value)
        and ("/" in value or value.startswith("."))
        and step.ground.touches(_in(folder, value))
    )


def _waits(step: _Step, place: str) -> bool:
    """Whether a COPY of the group brings the real file, and more than manifests: it comes behind
    the stub."""
    laid = step.ground.laid()
    copy = laid.bringer.get(place)
    if copy is None or not any(copy is one for one in step.ground.group):
        return False
    return copy.into_folder or not copy.files


def _in(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name)).removeprefix("./")
