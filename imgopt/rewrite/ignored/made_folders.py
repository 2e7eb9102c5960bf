"""Folders that the steps of a build make themselves: what a developer has at that place must not be
copied over it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.builds import Made
from imgopt.dockerfile import Dockerfile, Scope
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Copy
from imgopt.inspect.packages.json_manifests import package_folders
from imgopt.inspect.start.runners import script_runners
from imgopt.rewrite.ignored.served_files import FolderCopy, Served, stages_with
from imgopt.rewrite.lines.steps import script_of, workdir_at
from imgopt.rewrite.order.install_commands import begins_with
from imgopt.rewrite.order.workspaces import json_object
from imgopt.rewrite.strategy import ContextFiles

_MOST_MEMBERS = 200


@dataclass(frozen=True, slots=True)
class Making:
    """A command of a step that makes folders: where it runs in the image, and what is said around
    it."""

    stage: int
    cwd: str
    words: tuple[str, ...]
    said: str


def made_folders(
    all_served: Sequence[Served], context: ContextFiles, ecosystems: Iterable[Ecosystem]
) -> Iterator[tuple[str, str]]:
    """Paths in the context that a COPY would bring to where a step makes the same, each with what
    refuses to keep it out ("" where nothing does)."""
    facts = [fact for ecosystem in ecosystems for fact in ecosystem.made]
    all_steps = [_steps(served, facts) for served in all_served]
    seen: set[str] = set()
    for steps in all_steps:
        for making in steps.makings:
            for fact in steps.facts:
                for path in _paths(steps.served, making, fact, context):
                    if path not in seen:
                        seen.add(path)
                        yield path, _refused(path, fact, all_steps, context)


@dataclass(frozen=True, slots=True)
class _Steps:
    """A Dockerfile's commands that may make a folder, and the facts that hold for it."""

    served: Served
    makings: tuple[Making, ...]
    facts: tuple[Made, ...]


def _steps(served: Served, facts: Sequence[Made]) -> _Steps:
    makings = tuple(_makings(served.dockerfile, _heads(facts)))
    return _Steps(served, makings, tuple(_said_facts(served.dockerfile, facts)) if makings else ())


def _heads(facts: Iterable[Made]) -> frozenset[str]:
    """The programs that make something; a version in the name aside."""
    firsts = (posixpath.basename(command.split()[0]) for fact in facts for command in fact.commands)
    return frozenset(first.rstrip("0123456789.*") for first in firsts) | script_runners()


def _makings(dockerfile: Dockerfile, heads: frozenset[str]) -> Iterator[Making]:
    one_of_them = re.compile("|".join(map(re.escape, sorted(heads))))
    for stage, scope, command in _commands(dockerfile, one_of_them):
        words = _plain(command)
        if any(word[word.rfind("/") + 1 :].rstrip("0123456789.") in heads for word in words):
            cwd = posixpath.normpath(posixpath.join(workdir_at(scope), command.cwd or "."))
            yield Making(stage, cwd, words, _said(command, scope))


def _commands(
    dockerfile: Dockerfile, said: re.Pattern[str] = re.compile("")
) -> Iterator[tuple[int, Scope, Command]]:
    """The commands that surely run, in a folder that is known, of the steps in whose text a pattern
    is found: their stage and what they see."""
    for item in dockerfile.instructions:
        if item.keyword != "RUN" or not said.search(item.text, *item.extent):
            continue
        script = script_of(dockerfile, item)
        scope = dockerfile.scope_at(item)
        for before, command in zip((None, *script.commands), script.commands, strict=False):
            if command.cwd is not None and command.words and not _may_not_run(before, command):
                yield item.stage, scope, command


def _may_not_run(before: Command | None, command: Command) -> bool:
    """It waits for a condition (`[ -d node_modules ] || npm ci`): what it makes may be the
    context's own."""
    asked = before is not None and command.operator == "&&" and before.name in ("[", "[[", "test")
    return command.conditional or command.operator == "||" or asked


def _plain(command: Command) -> tuple[str, ...]:
    return tuple(value or "$" for value in command.values)


def _said(command: Command, scope: Scope) -> str:
    """The words and the variables in force."""
    variables = (f"{name}={value}" for name, value in scope.values.items() if name.isupper())
    return " ".join(
        [
            *_plain(command),
            *(f"{part.name}={part.value}" for part in command.assignments),
            *variables,
        ]
    )


def _said_facts(dockerfile: Dockerfile, facts: Iterable[Made]) -> Iterator[Made]:
    """Facts without a condition, and those of which a command or a variable of the Dockerfile says
    that they hold."""
    said: list[str] | None = None
    for fact in facts:
        if fact.when and said is None:
            said = [_said(command, scope) for _, scope, command in _commands(dockerfile)]
        if not fact.when or any(re.search(fact.when, one) for one in said or ()):
            yield fact


def _paths(served: Served, making: Making, fact: Made, context: ContextFiles) -> Iterator[str]:
    """Where in the context the folders are that the command makes in the image."""
    for copy in _around(served, making.stage):
        folder = _in_context(copy, making.cwd) if copy.source not in context.sizes else None
        if folder is None or not _calls(making, fact, context, folder):
            continue
        if fact.unless and re.search(
            fact.unless, f"{making.said} {_settings(fact, context, folder)}"
        ):
            continue
        if fact.needs and not _has(context, folder, fact.needs):
            continue
        yield from _places(fact, making, context, folder)


def _around(served: Served, stage: int) -> Iterator[FolderCopy]:
    own = {other.index for other in stages_with(served.dockerfile, stage)}
    return (copy for copy in served.copies if copy.stage in own)


def _in_context(copy: FolderCopy, place: str) -> str | None:
    """Which folder of the context a COPY brings to this place of the image."""
    if copy.source is None or copy.folder is None or set(copy.source) & set("*?["):
        return None
    if place != copy.folder and not place.startswith(copy.folder.rstrip("/") + "/"):
        return None
    return _join(copy.source, posixpath.relpath(place, copy.folder))


def _calls(making: Making, fact: Made, context: ContextFiles, folder: str) -> bool:
    """Whether it is one of the fact's commands, or a script of the project's manifest that runs
    one."""
    if any(begins_with(making.words, command) for command in fact.commands):
        return True
    words = [word for word in making.words if not word.startswith("-")]
    length = 3 if words[1:2] == ["run"] else 2
    if not words or words[0] not in script_runners() or len(words) != length:
        return False
    scripts = json_object(context.text(_join(folder, "package.json"))).get("scripts")
    text = str(scripts.get(words[-1], "")) if isinstance(scripts, dict) else ""
    parts = (part.split() for part in re.split(r"&&|;|\|\|", text))
    return any(begins_with(part, command) for part in parts for command in fact.commands)


def _settings(fact: Made, context: ContextFiles, folder: str) -> str:
    found = [
        path
        for path in _inside(context, folder)
        if any(fnmatchcase(_name(path), name) for name in fact.unless_in)
    ]
    return " ".join(context.text(path) for path in found)


def _has(context: ContextFiles, folder: str, names: Iterable[str]) -> bool:
    return any(
        fnmatchcase(_name(path), name) for path in _inside(context, folder) for name in names
    )


def _inside(context: ContextFiles, folder: str) -> list[str]:
    return context.children.get(folder, [])


def _places(fact: Made, making: Making, context: ContextFiles, folder: str) -> Iterator[str]:
    if fact.beside:
        for own in _folders_with(context, folder, fact.beside):
            yield from (_join(own, name) for name in fact.folders)
        return
    for name in fact.folders:
        last = _inside_of(making.cwd, making.words[-1]) if "{last}" in name else ""
        if "{last}" not in name or last:
            yield _join(folder, name.replace("{last}", last))
    for own in _folders_with(context, folder, fact.members):
        yield from (
            path for name in fact.folders for path in [_join(own, name)] if path in context.folders
        )


def _inside_of(cwd: str, word: str) -> str:
    """A folder that a command names, below the one that it runs in; "" for any other."""
    path = posixpath.relpath(word, cwd) if word.startswith("/") else posixpath.normpath(word)
    return "" if path.startswith(("..", "-", "$")) or path == "." else path


def _folders_with(context: ContextFiles, folder: str, names: Sequence[str]) -> list[str]:
    """Folders from this one down that hold such a file, packages that are installed there aside."""
    known = {
        path
        for name in context.names
        for glob in names
        if fnmatchcase(name, glob)
        for path in context.named(name)
    }
    inside = (
        posixpath.dirname(path) for path in known if not folder or path.startswith(folder + "/")
    )
    own = {folder for folder in inside if not package_folders() & set(folder.split("/"))}
    return sorted(own)[:_MOST_MEMBERS]


def _refused(
    path: str,
    fact: Made,
    all_steps: Sequence[_Steps],
    context: ContextFiles,
) -> str:
    """Why the folder of the context may be needed."""
    owner = next((steps.served for steps in all_steps if steps.served.takes(path)), None)
    if owner is not None:
        return f"{owner.name or 'the Dockerfile'} copies it by its name"
    own = _not_made(path, fact, context)
    if own:
        return own
    for steps in all_steps:
        served = steps.served
        for copy in served.copies:
            if copy.source is None:
                return f"what a COPY of {served.name or 'the Dockerfile'} takes is not known"
            if not _brings(copy, path) or copy.folder is None:
                continue
            place = posixpath.join(copy.folder, posixpath.relpath(path, copy.source or "."))
            stages = {stage.index for stage in stages_with(served.dockerfile, copy.stage)}
            if not _is_made_at(place, stages, steps, context, copy):
                return (
                    f"{served.name or 'the Dockerfile'} has a stage that copies it and does not"
                    " make it"
                )
    return ""


def _not_made(path: str, fact: Made, context: ContextFiles) -> str:
    """Why a folder that is there already is the author's own."""
    if path in context.sizes:
        return "it is a file or a link"
    if path not in context.folders:
        return ""
    if context.tracked is not None and any(name in context.tracked for name in context.below(path)):
        return "it is committed"
    inside = [name[len(path) + 1 :] for name in context.below(path)]
    if fact.only and any(not _matches(name.partition("/")[0], fact.only) for name in inside):
        return "it holds more than what a build makes"
    if fact.marks and not any(
        _matches(name, fact.marks) or _matches(name.partition("/")[0], fact.marks)
        for name in inside
    ):
        return f"it has no {fact.marks[0]}: it is not what a build makes"
    return ""


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _brings(copy: FolderCopy, path: str) -> bool:
    return not copy.source or path == copy.source or path.startswith(copy.source + "/")


def _is_made_at(
    place: str, stages: set[int], steps: _Steps, context: ContextFiles, copy: FolderCopy
) -> bool:
    """Some step of these stages makes what is at this place of the image, or a COPY --from brings
    it there."""
    dockerfile = steps.served.dockerfile
    for item in dockerfile.instructions:
        typed = item.typed
        if item.stage in stages and isinstance(typed, Copy) and typed.from_ is not None:
            scope = dockerfile.scope_at(item)
            target = scope.expand_known(typed.destination)
            if (
                target is not None
                and posixpath.normpath(posixpath.join(workdir_at(scope), target)) == place
            ):
                return True
    wanted = _join(copy.source or "", posixpath.relpath(place, copy.folder or "/"))
    own = (making for making in steps.makings if making.stage in stages)
    return any(
        wanted in _paths(steps.served, making, fact, context)
        for making in own
        for fact in steps.facts
    )


def _join(folder: str, name: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, name))
    return "" if joined == "." else joined


def _name(path: str) -> str:
    return path[path.rfind("/") + 1 :]
