"""What can go before the source: the RUN steps that follow it and read nothing of it but manifests."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command, Script
from imgopt.rewrite.installs import present
from imgopt.rewrite.laid import LaidFiles
from imgopt.rewrite.needs import Need, need_of
from imgopt.rewrite.steps import SourceCopy, script_of, workdir_at
from imgopt.rewrite.strategy import Situation

TRANSPARENT = frozenset(
    ["ENV", "ARG", "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER", "SHELL"]
)
"""Instructions that a COPY can pass without changing what either does."""


@dataclass
class Moves:
    """What can go before the source, in order."""

    files: dict[str, Instruction] = field(default_factory=dict)
    """Paths in the context that the RUN steps read -> the first that does."""
    kept: dict[str, SourceCopy] = field(default_factory=dict)
    """Paths in the context that they read and a COPY of single files brings -> that COPY, which stays in front."""
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


@dataclass
class _Read:
    """What the commands of one RUN read, as far as they were looked at, and the first that installs."""

    files: list[str] = field(default_factory=list)
    kept: dict[str, SourceCopy] = field(default_factory=dict)
    installing: str = ""


SYSTEM = frozenset(["etc", "root", "usr"])
"""Folders that hold what installations read without being told to."""
_HIDDEN_IN_HOME = re.compile(r"/(?:root|home/[^/]+)/\.")


def _brings_settings(situation: Situation, group: Sequence[SourceCopy]) -> bool:
    """Whether the source goes into folders of the system (`COPY rootfs /`, `COPY pip.conf /etc/`)."""
    return any(
        _is_setting(situation, copy, place) if copy.files else place.split("/")[1] in SYSTEM
        for copy in group
        if copy.files or copy.folder.strip("/").partition("/")[0] in ("", "etc")
        for place, _ in copy.lays(situation.project.context)
    )


def _is_setting(situation: Situation, copy: SourceCopy, place: str) -> bool:
    """Whether a single file goes to a folder of the system or of a user and not to the working directory, or is a
    hidden one in a user's folder (`/home/node/.npmrc`)."""
    if _HIDDEN_IN_HOME.match(place):
        return True
    here = workdir_at(situation.dockerfile.scope_at(copy.instruction))
    return place.split("/")[1] in (*SYSTEM, "home") and not place.startswith(f"{here.rstrip('/')}/")


def find_moves(
    situation: Situation, group: Sequence[SourceCopy], laid: Callable[[], LaidFiles], after: Sequence[Instruction]
) -> Moves:
    """`group`: the COPY lines of the source; `laid`: what they and those above them bring; `after`: the instructions of
    the stage that follow them."""
    moves = Moves()
    if _brings_settings(situation, group):
        moves.refused, moves.refused_line = "the source brings files of the system", group[0].instruction.line
        return moves
    for item in after:
        if item.keyword in TRANSPARENT:
            continue
        if item.keyword == "WORKDIR" and all(copy.written.startswith("/") for copy in group):
            continue
        if item.keyword != "RUN":
            break
        if not _one_run(situation, group, laid, item, moves):
            break
    return moves


def _one_run(
    situation: Situation, group: Sequence[SourceCopy], laid: Callable[[], LaidFiles], item: Instruction, moves: Moves
) -> bool:
    """Adds a RUN to what can move; False when it, or a part of it, has to stay behind the source."""
    dockerfile, project = situation.dockerfile, situation.project
    if any(mount.type == "bind" for mount in getattr(item.typed, "mounts", ())):
        moves.refused, moves.refused_line = "a bind mount reads the context by itself", item.line
        return False
    script = script_of(dockerfile, item)
    if script.unknown or not script.commands:
        moves.refused, moves.refused_line = script.unknown or "no shell command", item.line
        return False
    variable = _variable_into(situation, group, item)
    if variable:
        moves.refused, moves.refused_line = f"${variable} leads into the source", item.line
        return False
    workdir = workdir_at(dockerfile.scope_at(item))
    read = _Read()
    for index, command in enumerate(script.commands):
        need = need_of(command, workdir, group, project.context, laid, project.ecosystems)
        if index and _runs_download(script.commands[index - 1], command):
            need = Need(installs=True)
        if need.refused:
            moves.refused, moves.refused_line = need.refused, item.line
            return _split(script, item, index, read, moves)
        read.files += need.files
        for path in need.laid:
            copy = laid().bringer[path]
            if copy in group and copy.files:
                read.kept[laid().origin[path]] = copy
            elif copy in group:
                read.files.append(laid().origin[path])
        if need.installs and not read.installing:
            read.installing = _installation(" ".join(word.text for word in command.words))
    _take(item, read, moves)
    moves.passed = item
    return True


_MANAGERS_VARIABLES = re.compile(
    r"(PIP|NPM_CONFIG|YARN|PNPM|UV|POETRY|PIPENV|BUNDLE|GEM|CARGO|MAVEN|GRADLE|COMPOSER|APT|CONDA)", re.I
)


def _variable_into(situation: Situation, group: Sequence[SourceCopy], item: Instruction) -> str:
    """A variable of a package manager that names something that the source brings (`PIP_CONSTRAINT`); else nothing."""
    context = situation.project.context
    for name, value in situation.dockerfile.scope_at(item).env.items():
        path = value.removeprefix("file://")
        if _MANAGERS_VARIABLES.match(name) and path.startswith("/"):
            places = (copy.in_context(posixpath.normpath(path)) for copy in group)
            if any(place is not None and present(context, place) for place in places):
                return name
    return ""


def _runs_download(before: Command, command: Command) -> bool:
    """`curl URL | sh`: an installer from the network, with nothing for its input but what was downloaded."""
    name, options = command.name, command.values[1:]
    if not command.operator.startswith("|") or before.name not in ("curl", "wget") or command.redirections:
        return False
    if name not in ("sh", "bash", "python3", "python"):
        return False
    return options[:1] in ((), ("-",), ("-s",)) or all(word is not None and word.startswith("-") for word in options)


def _installation(command: str) -> str:
    """The command, cut; nothing where it only fetches the lists of packages, which go stale by themselves."""
    return "" if command.split()[1:2] == ["update"] else command[:60]


def _split(script: Script, item: Instruction, index: int, read: _Read, moves: Moves) -> bool:
    """Cuts `install && build` in two, where the list is plain and nothing before the cut matters after it but one
    `cd` at the begin, which is said again."""
    if index == 0 or not read.installing or not script.is_plain_list or item.heredocs:
        return False
    goes_to = _beginning(script, index)
    first = 1 if goes_to else 0
    if script.commands[index].cwd != (script.commands[first].cwd if goes_to else "."):
        return False
    if any(command.name in ("set", "export", "cd", "umask", "source", ".") for command in script.commands[first:index]):
        return False
    if any(not command.words for command in script.commands[:index]):
        return False
    if "#" in item.text[script.commands[index - 1].span.end : script.commands[index].span.start]:
        return False
    _take(item, read, moves)
    moves.split_at, moves.goes_to = index, goes_to
    return False


def _beginning(script: Script, index: int) -> str:
    """`cd FOLDER && ` in front of the other commands before the cut; "" where they begin with something else."""
    command = script.commands[0]
    known = command.name == "cd" and len(command.values) == 2 and all(command.values)
    if not known or index < 2 or script.commands[1].operator != "&&" or command.redirections or command.assignments:
        return ""
    return " ".join(word.text for word in command.words) + " && "


def _take(item: Instruction, read: _Read, moves: Moves) -> None:
    for path in read.files:
        moves.files.setdefault(path, item)
    moves.kept |= read.kept
    if read.installing:
        moves.commands.append(read.installing)
        moves.last = item
        moves.split_at, moves.goes_to = None, ""
