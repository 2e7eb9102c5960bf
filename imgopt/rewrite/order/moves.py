"""What can go before the source: the RUN steps that follow it and read nothing of it but
manifests."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command, Script
from imgopt.rewrite.lines.steps import SourceCopy, script_of, workdir_at
from imgopt.rewrite.order.command_reads import Need, led_by, need_of
from imgopt.rewrite.order.given_back import gives_back, ships
from imgopt.rewrite.order.passing import Does
from imgopt.rewrite.order.program_effects import program_of
from imgopt.rewrite.order.target_paths import Ground, KnownSettings
from imgopt.rewrite.strategy import Situation

TRANSPARENT = frozenset(
    [
        "ENV",
        "ARG",
        "LABEL",
        "EXPOSE",
        "CMD",
        "ENTRYPOINT",
        "HEALTHCHECK",
        "STOPSIGNAL",
        "MAINTAINER",
        "SHELL",
    ]
)
"""Instructions that a COPY can pass without changing what either does, where it uses none of their
variables."""


class Brought(NamedTuple):
    """A path in the context, and which COPY of the group brings it; a whole folder ends with a
    slash."""

    path: str
    copy: int


@dataclass
class Moves:
    """What can go before the source, in order."""

    files: dict[Brought, Instruction] = field(default_factory=dict)
    """What the RUN steps read -> the first that does."""
    last: Instruction | None = None
    """The last RUN that installs."""
    split_at: int | None = None
    """How many of its commands come before the source; None for all."""
    goes_to: str = ""
    """What the rest of them begins with, to be where the first ones went (`cd client && `)."""
    passed: Instruction | None = None
    """The last RUN that could go before the source as a whole."""
    refused: str = ""
    refused_line: int | None = None
    commands: list[str] = field(default_factory=list)
    lays: list[str] = field(default_factory=list)
    """Paths of the image where the steps install to."""


@dataclass
class _Read:
    """What the commands of one RUN read, as far as they were looked at, and the first that
    installs."""

    files: list[Brought] = field(default_factory=list)
    installing: str = ""
    lays: list[str] = field(default_factory=list)


def find_moves(situation: Situation, ground: Ground, after: Sequence[Instruction]) -> Moves:
    """`after`: the instructions of the stage that follow the group of COPY lines."""
    moves, group = Moves(), ground.group
    for item in after:
        if item.keyword in TRANSPARENT:
            if any(uses_variable(copy.instruction, item) for copy in group):
                break
            continue
        if item.keyword == "WORKDIR" and all(
            _passes_workdir(situation, copy, item) for copy in group
        ):
            continue
        if item.keyword != "RUN" or not _one_run(situation, ground, item, moves):
            break
    refused = settings_between(situation, ground) if moves.last is not None else ""
    return Moves(refused=refused, refused_line=group[0].instruction.line) if refused else moves


def settings_between(situation: Situation, ground: Ground) -> str:
    """Settings that the source brings, or that name something of it, so that a step in front would
    miss them."""
    first = ground.group[0].instruction
    known = KnownSettings.of(
        situation.project.ecosystems, situation.dockerfile.scope_at(first).values.get("HOME")
    )
    setting = ground.settings(known)
    if setting:
        return f"the source brings files of the system ({setting})"
    above = ground.named_above(known)
    if above:
        return f"{ground.laid().said(above)} names what is copied"
    for part in situation.dockerfile.stages[first.stage].chain:
        for item in part.instructions:
            early = item.keyword == "RUN" and item.span.start < first.span.start
            if early and _sets_theirs(situation, ground, known, item):
                return f"`{item.value[:50]}` names what is copied"
    return ""


def _sets_theirs(
    situation: Situation, ground: Ground, known: KnownSettings, run: Instruction
) -> bool:
    """Whether a step above writes settings that name something of the source."""
    ecosystems = situation.project.ecosystems
    if not ground.names_of_theirs(run.value):
        return False
    for command in script_of(situation.dockerfile, run).commands:
        found = program_of([value or "" for value in command.values], ecosystems)
        sets = found is not None and found[0].does == Does.SETTINGS
        targets = [
            one.target.value or ""
            for one in command.redirections
            if ">" in one.operator and one.target
        ]
        writes = any(known.looks_like(target.replace("~", "/root", 1)) for target in targets)
        if (sets or writes) and ground.names_of_theirs(
            " ".join(word.text for word in command.words)
        ):
            return True
    return False


def uses_variable(copy: Instruction, setting: Instruction) -> bool:
    """Whether a COPY uses a variable that this instruction sets."""
    if setting.keyword not in ("ENV", "ARG"):
        return False
    return any(
        re.search(rf"\b{name}\b", setting.value) for name in re.findall(r"\$\{?(\w+)", copy.source)
    )


def _passes_workdir(situation: Situation, copy: SourceCopy, item: Instruction) -> bool:
    """Whether a COPY can pass a WORKDIR: it says where it goes to, and a folder that the WORKDIR
    makes first, for its own user, is none that the COPY would make for another one."""
    if not copy.written.startswith("/"):
        return False
    dockerfile, typed = situation.dockerfile, copy.instruction.typed
    owned = getattr(typed, "chown", None) is not None or getattr(typed, "chmod", None) is not None
    user = (dockerfile.scope_at(item).user or "root").partition(":")[0]
    return not owned and user in ("root", "0")


def _one_run(situation: Situation, ground: Ground, item: Instruction, moves: Moves) -> bool:
    """Adds a RUN to what can move; False when it, or a part of it, has to stay behind the
    source."""
    dockerfile, ecosystems = situation.dockerfile, situation.project.ecosystems
    if any(mount.type == "bind" for mount in getattr(item.typed, "mounts", ())):
        return _refuse(moves, item, "a bind mount reads the context by itself")
    script = script_of(dockerfile, item)
    if script.unknown or not script.commands:
        return _refuse(moves, item, script.unknown or "no shell command")
    scope = dockerfile.scope_at(item)
    workdir = workdir_at(scope)
    variable = led_by(scope.values.items(), workdir, ground, ecosystems)
    if variable:
        return _refuse(moves, item, f"${variable} leads into the source")
    read = _Read()
    for index, command in enumerate(script.commands):
        need = need_of(command, workdir, ground, ecosystems)
        if index and _runs_download(script.commands[index - 1], command):
            need = _installer(
                situation, ground, item, command, posixpath.join(workdir, command.cwd or ".")
            )
        if need.refused:
            _refuse(moves, item, need.refused)
            if not ships(situation, item) or not _gives_back(situation, item, index, read):
                _split(script, item, index, read, moves)
            return False
        read.files += brought(ground, need.files)
        read.lays += need.lays
        if need.installs:
            read.lays += _by_variables(situation, item)
        if need.installs and not read.installing:
            read.installing = _installation(" ".join(word.text for word in command.words))
    _take(item, read, moves)
    moves.passed = item
    return True


def _refuse(moves: Moves, item: Instruction, reason: str) -> bool:
    moves.refused, moves.refused_line = reason, item.line
    return False


def brought(ground: Ground, places: Iterable[str]) -> list[Brought]:
    """Which of the group's COPY lines bring these files and folders of the image, and from where;
    what lines above them bring is left out."""
    laid = ground.laid()
    found: list[Brought] = []
    for place in places:
        index = _sole_bringer(ground, place) if place.endswith("/") else None
        if index is not None:
            own = ground.group[index].in_context(place.rstrip("/"))
            if own:
                found.append(Brought(own + "/", index))
                continue
        for file in laid.below(place) if place.endswith("/") else [place]:
            at = next(
                (i for i, copy in enumerate(ground.group) if copy is laid.bringer[file]), None
            )
            if at is not None:
                found.append(Brought(laid.origin[file], at))
    return found


def _sole_bringer(ground: Ground, folder: str) -> int | None:
    """The COPY of folders that brings all that lies in this one."""
    laid = ground.laid()
    copies = [laid.bringer[file] for file in laid.below(folder)]
    if not copies or any(copy is not copies[0] for copy in copies) or copies[0].files:
        return None
    return next((index for index, copy in enumerate(ground.group) if copy is copies[0]), None)


def _by_variables(situation: Situation, item: Instruction) -> list[str]:
    """Folders that variables say to install into."""
    scope = situation.dockerfile.scope_at(item)
    managers = [manager for one in situation.project.ecosystems for manager in one.manager]
    names = {name for manager in managers for name in manager.lays_variables} & {*scope.values}
    return [
        posixpath.normpath(posixpath.join(workdir_at(scope), scope.values[name])) for name in names
    ]


def _installer(
    situation: Situation, ground: Ground, run: Instruction, command: Command, cwd: str
) -> Need:
    """An installer from the network: what it may read to choose a version, and where it is told to
    put what it has."""
    scope = situation.dockerfile.scope_at(run)
    said = [value for name, value in scope.values.items() if _PLACES.search(name.upper())]
    said += [item.value or "/" for item in command.assignments]
    said += [part for word in command.values[1:] if word for part in (word, word.partition("=")[2])]
    if any(_is_place_in(value, cwd, ground) for value in said):
        return Need(
            refused=(
                f"`{' '.join(word.text for word in command.words)[:60]}` may write into what is"
                " copied"
            )
        )
    return Need(Does.INSTALLS, _versions(situation, ground, cwd))


def _is_place_in(word: str, cwd: str, ground: Ground) -> bool:
    """Whether a word is a path into what is copied; one without a slash is where there is such a
    thing."""
    if not word or word.startswith("-") or "://" in word:
        return False
    place = posixpath.normpath(posixpath.join(cwd, word))
    return ground.touches(place) if "/" in word or word.startswith(".") else ground.brings(place)


_PLACES = re.compile(r"INSTALL|PREFIX|BIN_?DIR|DEST")
"""Names of variables by which installers are told where to go."""


def _versions(situation: Situation, ground: Ground, cwd: str) -> tuple[str, ...]:
    """Files of the working directory by which an installer may choose a version."""
    names = [name for ecosystem in situation.project.ecosystems for name in ecosystem.versions]
    places = [posixpath.normpath(posixpath.join(cwd, name)) for name in names]
    return tuple(place for place in places if place in ground.laid().sizes)


def _runs_download(before: Command, command: Command) -> bool:
    """`curl URL | sh`: an installer from the network, with nothing for its input but what was
    downloaded."""
    name, options = command.name, command.values[1:]
    if (
        not command.operator.startswith("|")
        or before.name not in ("curl", "wget")
        or command.redirections
    ):
        return False
    if name not in ("sh", "bash", "python3", "python"):
        return False
    return options[:1] in ((), ("-",), ("-s",)) or all(
        word is not None and word.startswith("-") for word in options
    )


def _installation(command: str) -> str:
    """The command, cut; nothing where it only fetches the lists of packages, which go stale by
    themselves."""
    return "" if command.split()[1:2] == ["update"] else command[:60]


def _gives_back(situation: Situation, item: Instruction, index: int, read: _Read) -> bool:
    """Whether the commands from `index` on take away what those before installed."""
    dockerfile = situation.dockerfile
    commands = script_of(dockerfile, item).commands
    workdir = workdir_at(dockerfile.scope_at(item))
    return any(
        gives_back(one, commands[:index], read.lays, situation.project.ecosystems, workdir)
        for one in commands[index:]
    )


def _split(script: Script, item: Instruction, index: int, read: _Read, moves: Moves) -> None:
    """Cuts `install && build` in two, where the list is plain and nothing before the cut matters
    after it but one `cd` at the begin, which is said again."""
    if index == 0 or not read.installing or not script.is_plain_list or item.heredocs:
        return
    goes_to = _beginning(script, index)
    first = 1 if goes_to else 0
    if script.commands[index].cwd != (script.commands[first].cwd if goes_to else "."):
        return
    if any(
        command.name in ("set", "export", "cd", "umask", "source", ".")
        for command in script.commands[first:index]
    ):
        return
    if any(not command.words for command in script.commands[:index]):
        return
    if any(_removes_for_good(command) for command in script.commands[index:]):
        return  # its own layer would keep what the step as a whole does not leave behind
    if "#" in item.text[script.commands[index - 1].span.end : script.commands[index].span.start]:
        return
    _take(item, read, moves)
    moves.split_at, moves.goes_to = index, goes_to


def _removes_for_good(command: Command) -> bool:
    """Whether it removes something that is not the source's: a secret, or what an installation
    leaves behind."""
    named = [word.text.strip("\"'") for word in command.arguments]
    return command.name in ("rm", "shred", "unlink") and any(
        name.startswith(("/", "~", "$HOME")) for name in named
    )


def _beginning(script: Script, index: int) -> str:
    """`cd FOLDER && ` in front of the other commands before the cut; "" where they begin with
    something else."""
    command = script.commands[0]
    known = command.name == "cd" and len(command.values) == 2 and all(command.values)
    if (
        not known
        or index < 2
        or script.commands[1].operator != "&&"
        or command.redirections
        or command.assignments
    ):
        return ""
    return " ".join(word.text for word in command.words) + " && "


def _take(item: Instruction, read: _Read, moves: Moves) -> None:
    for path in read.files:
        moves.files.setdefault(path, item)
    moves.lays += read.lays
    if read.installing:
        moves.commands.append(read.installing)
        moves.last = item
        moves.split_at, moves.goes_to = None, ""
