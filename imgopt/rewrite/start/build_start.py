"""Start commands that build first (`go run`, `cargo run`, `mvn spring-boot:run`, a script with
`tsc`): what they start, and the step that builds it while the image is built.

The words of the programs come from ecosystem facts; what stands behind them is read by the
ecosystem's language, which refuses what it does not know to the letter. What is found is a
proposal: the loop builds it and proves it before anything rests on it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from imgopt.context.facts.builds import Launcher
from imgopt.dockerfile import Dockerfile, Edit, Instruction, Stage
from imgopt.dockerfile.shell import read_shell
from imgopt.dockerfile.typed import Command
from imgopt.inspect.start.launcher_settings import said_in_files
from imgopt.rewrite.language import Language, Launched, language_of
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.lines.steps import script_of, source_copy, workdir_at
from imgopt.rewrite.strategy import ContextFiles, Project

AFTER = frozenset(["EXPOSE", "HEALTHCHECK", "LABEL", "STOPSIGNAL", "VOLUME", "MAINTAINER"])
"""What may stand behind the start command without changing what a step in front of it does."""
PATIENCE = 300.0
"""Seconds that a service gets to start when its start command builds it first."""


@dataclass(frozen=True, slots=True)
class BuildStart:
    """What the service is started with instead, the edits that say so, and why; or why it cannot be
    (`refused`)."""

    line: int
    launcher: str
    words: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    because: str = ""
    refused: str = ""


def build_start(dockerfile: Dockerfile, project: Project) -> BuildStart | None:
    """None where the start command builds nothing."""
    stage = dockerfile.target(project.target)
    starts = [item for item in stage.instructions if item.keyword in ("CMD", "ENTRYPOINT")]
    item = starts[-1] if starts else None
    words = _words(dockerfile, item) if item is not None else ()
    found = _launcher(words, project)
    if item is None or found is None:
        return None
    launcher, language, rest = found
    name = " ".join(words[: len(launcher.command.split())])
    folder = _folder_in_context(dockerfile, stage, item, project.context)
    launched = _launched(language, words, rest, project.context, folder)
    if launcher.sometimes and (folder is None or launched == Launched()):
        return None
    refused = (
        _misplaced(dockerfile, stage, item, starts)
        or _mounted(project.context, dockerfile, item)
        or launched.refused
        or _handed(words, launched, project.context, folder or "")
    )
    if refused:
        return BuildStart(item.line, name, refused=refused)
    return _proposal(dockerfile, stage, item, name, launched)


def _launched(
    language: Language,
    words: tuple[str, ...],
    rest: tuple[str, ...],
    context: ContextFiles,
    folder: str | None,
) -> Launched:
    """What the launcher starts that `words` call, with the `rest` of them behind its name."""
    if folder is None:
        return Launched(refused="no COPY brings the source to the working directory")
    if language.launched is None:
        return Launched(refused="nothing reads its words")
    return language.launched(words[: len(words) - len(rest)], rest, context, folder)


def _handed(words: tuple[str, ...], launched: Launched, context: ContextFiles, folder: str) -> str:
    """What a file of the project hands on by way of a launcher that is left out; "" for nothing."""
    if not launched.words or posixpath.basename(launched.words[0]) == posixpath.basename(words[0]):
        return ""

    def text_of(name: str) -> str | None:
        path = posixpath.join(folder, name) if folder else name
        return context.text(path) if path in context.sizes else None

    return said_in_files(words, text_of)


def _words(dockerfile: Dockerfile, item: Instruction) -> tuple[str, ...]:
    """The words of the one plain command; none for anything else."""
    typed = item.typed
    if not isinstance(typed, Command):
        return ()
    if typed.json is not None:
        return typed.json
    script = read_shell(item, dockerfile.shell_at(item))
    if (
        script.unknown
        or len(script.commands) != 1
        or not script.is_plain_list
        or script.substituted
    ):
        return ()
    command = script.commands[0]
    plain = all(word.value is not None and not word.special for word in command.words)
    if not plain or command.assignments or command.redirections or command.negated:
        return ()
    words = tuple(value for value in command.values if value is not None)
    return words[1:] if words[:1] == ("exec",) else words


def _launcher(
    words: tuple[str, ...], project: Project
) -> tuple[Launcher, Language, tuple[str, ...]] | None:
    """The launcher that the words call, the language that reads them, and what follows the words
    that name it."""
    for name, launcher in ((one.name, each) for one in project.ecosystems for each in one.launcher):
        command = launcher.command.split()
        if not words or posixpath.basename(words[0]) != posixpath.basename(command[0]):
            continue
        if launcher.anywhere and command[1] in words[1:]:
            return launcher, language_of(name), words[1:]
        if list(words[1 : len(command)]) == command[1:]:
            return launcher, language_of(name), words[len(command) :]
    return None


def _misplaced(
    dockerfile: Dockerfile, stage: Stage, item: Instruction, starts: list[Instruction]
) -> str:
    keywords = {one.keyword for one in starts}
    if len(keywords) > 1:
        return "ENTRYPOINT and CMD share the command"
    later = [
        one
        for one in stage.instructions
        if one.span.start > item.span.start and one.keyword not in AFTER
    ]
    if later:
        return f"`{later[0].keyword}` follows the start command"
    user = (dockerfile.scope_at(item).user or "root").partition(":")[0]
    return f"it builds as {user}" if user not in ("root", "0") else ""


def _mounted(context: ContextFiles, dockerfile: Dockerfile, item: Instruction) -> str:
    """A compose file that mounts the source over the working directory: there the launcher builds
    what lies there."""
    folder = workdir_at(dockerfile.scope_at(item))
    for path in sorted(context.root.glob("*compose*.y*ml")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for target in re.findall(r"^\s*-\s*[\"']?\.[^:\s]*:([^:\s\"']+)", text, re.MULTILINE):
            if (folder + "/").startswith(target.rstrip("/") + "/"):
                return (
                    f"{path.name} mounts the source at {target}, and a program built before would"
                    " not see it"
                )
    return ""


def _folder_in_context(
    dockerfile: Dockerfile, stage: Stage, item: Instruction, context: ContextFiles
) -> str | None:
    """The folder of the context that lies in the working directory: "" for its root."""
    folder = workdir_at(dockerfile.scope_at(item))
    for one in (one for part in stage.chain for one in part.instructions):
        copy = source_copy(dockerfile, one, context)
        inside = copy.in_context(folder) if copy is not None else None
        if inside is not None:
            return inside.removeprefix(".").strip("/")
    return None


def _proposal(
    dockerfile: Dockerfile, stage: Stage, item: Instruction, name: str, launched: Launched
) -> BuildStart:
    eol = dockerfile.eol
    at = item.comments[0].start if item.comments else item.extent.start
    done = any(launched.build in _commands(dockerfile, part) for part in stage.chain)
    step = "" if done else f"RUN {launched.build}{eol}"
    span = item.value_span
    edits = (
        *([Edit(at, at, step)] if step else []),
        Edit(span.start, span.end, json_words(launched.words)),
    )
    because = f"`{name}` builds at every start; now the image holds what it starts"
    if launched.words[0] != name.split()[0]:
        because += ", which gets the stop signal itself"
    return BuildStart(item.line, name, launched.words, edits, because)


def _commands(dockerfile: Dockerfile, stage: Stage) -> set[str]:
    """The text of every command that a stage runs."""
    runs = (item for item in stage.instructions if item.keyword == "RUN")
    return {
        " ".join(value or "" for value in command.values)
        for run in runs
        for command in script_of(dockerfile, run).commands
    }
