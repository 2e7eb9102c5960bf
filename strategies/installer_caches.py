"""installer-caches: what an installer keeps for its next run stays out of the layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.shellmodel import Command, Script
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.caches.cleaning import cleans, touches
from imgopt.rewrite.caches.still_read import Readers
from imgopt.rewrite.conditions import context_says
from imgopt.rewrite.lines.joining import extendable
from imgopt.rewrite.lines.layout import add_commands
from imgopt.rewrite.lines.options import verb_index
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import recognise
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

LEAST_BYTES = 100_000
"""A cache smaller than this is not worth a change."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The commands of one manager that leave a cache in the layer of their step."""

    manager: Manager
    commands: tuple[Command, ...]
    fetched: bool
    """A command of its own fetched the lists: an option of the others does not take them away."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every RUN of the stage that ships; a stage that is thrown away ships no cache."""
    if situation.final is not None:
        return
    runs = [
        item
        for part in situation.stage.chain
        for item in part.instructions
        if item.keyword == "RUN"
    ]
    left = {item.span.start: tuple(_kept(situation, item)) for item in runs}
    own = {
        (start, kept.manager.name)
        for start, found in left.items()
        for kept in found
        if _by_option(kept)
    }
    readers = Readers(situation.dockerfile, situation.project.context, own)
    for item in runs:
        yield from _one(situation, item, left[item.span.start], readers)


def _one(
    situation: Situation, run: Instruction, left: Sequence[_Kept], readers: Readers
) -> Iterator[Change | Skip]:
    words: list[Edit] = []
    commands: list[str] = []
    saved: list[str] = []
    for kept in left:
        size = _measured(situation, kept.manager)
        command = "" if _by_option(kept) else _clean(situation, run, kept)
        if (size is not None and size < LEAST_BYTES) or not (command or _by_option(kept)):
            continue
        later = readers.after(run, kept.manager)
        if later:
            what = (
                "reads the package lists of this step"
                if kept.manager.lists
                else "needs what this step downloaded"
            )
            yield Skip(f"`{later}` further down {what}", run.line)
            continue
        words += (
            [edit for one in kept.commands for edit in _option(run, kept.manager, one)]
            if not command
            else []
        )
        commands += [command] if command else []
        what = f"{size / 1e6:.1f} MB" if size is not None else "what it downloaded"
        saved.append(f"{kept.manager.name} keeps {what}")
    if saved:
        edits = add_commands(situation.dockerfile, run, commands, words)
        yield Change(
            f"{' and '.join(saved)} for its next run, which an image never has", run.line, edits
        )


def _kept(situation: Situation, run: Instruction) -> Iterator[_Kept]:
    """What the managers leave that the step calls, unless it says otherwise or cleans up behind
    them."""
    typed = run.typed
    script = script_of(situation.dockerfile, run)
    if script.unknown or not isinstance(typed, Run) or typed.json is not None or run.heredocs:
        return
    found: dict[str, tuple[Manager, list[Command]]] = {}
    for command in script.commands:
        words = [value or "" for value in command.values]
        install = recognise(words, situation.project.ecosystems)
        if install is None or not install.manager.caches:
            continue
        if any(word in (*install.manager.clean_after, *install.manager.offline) for word in words):
            continue  # it fetches package lists, or nothing
        found.setdefault(install.manager.name, (install.manager, []))[1].append(command)
    for manager, commands in found.values():
        last = max((i for i, one in enumerate(script.commands) if cleans(one, manager)), default=-1)
        left = [
            one
            for one in commands
            if script.commands.index(one) > last and not _says_so(one, manager)
        ]
        if (
            left
            and not _is_mounted(typed, manager)
            and not _is_moved(situation, run, script, manager)
        ):
            fetched = any(
                value in manager.clean_after for one in script.commands for value in one.values
            )
            yield _Kept(manager, tuple(left), fetched)


def _says_so(command: Command, manager: Manager) -> bool:
    """The author's own word on the cache: `--no-cache-dir`, `--no-cache-dir=…`, a shorter form, or
    another folder."""
    values = [(value or "").partition("=")[0] for value in command.values]
    return any(value in manager.elsewhere or value.startswith("--no-cache") for value in values)


def _is_moved(situation: Situation, run: Instruction, script: Script, manager: Manager) -> bool:
    """A variable puts the cache elsewhere, or turns it off: for the stage, the step or one
    command."""
    assigned = {one.name for command in script.commands for one in command.assignments}
    exported = {
        (word.value or word.text).partition("=")[0]
        for command in script.commands
        for word in command.words
    }
    known = {*situation.dockerfile.scope_at(run).values, *assigned, *exported}
    return any(name in known for name in manager.cache_variables)


def _by_option(kept: _Kept) -> bool:
    return bool(kept.manager.keep_cache_option) and not (kept.fetched and kept.manager.clean)


def _option(run: Instruction, manager: Manager, command: Command) -> Iterator[Edit]:
    """The option in the place of the one that it replaces, else right behind the verb."""
    verb = verb_index(manager, command)
    replaced = [word for word in command.words[1:] if word.value in manager.keep_cache_replaces]
    here = next((word for word in replaced if command.words.index(word) <= verb + 1), None)
    if here is not None:
        yield Edit(*here.span, manager.keep_cache_option)
    else:
        at = command.words[verb].span.end
        yield Edit(at, at, f" {manager.keep_cache_option}")
    for word in replaced:
        before = command.words[command.words.index(word) - 1].span.end
        if word is not here and "#" not in run.text[before : word.span.start]:
            yield Edit(before, word.span.end, "")


def _clean(situation: Situation, run: Instruction, kept: _Kept) -> str:
    """The command that cleans up at the end of the step; empty where it has nothing to remove, or
    not the right."""
    manager = kept.manager
    script = extendable(situation.dockerfile, run)
    if (
        not manager.clean
        or script is None
        or any(command.name == "sudo" for command in script.commands)
    ):
        return ""
    if manager.clean_after and not kept.fetched:
        return ""
    if manager.clean_when and not context_says(situation.project.context, manager.clean_when):
        return ""
    program = next(word.text for word in kept.commands[-1].words if "=" not in word.text)
    return manager.clean.replace("{program}", program)


def _is_mounted(run: Run, manager: Manager) -> bool:
    folders = [cache.replace("~", "/root") for cache in manager.caches]
    targets = [mount.target for mount in run.mounts if mount.type in ("cache", "tmpfs")]
    return any(target is None or touches(target, folders) for target in targets)


def _measured(situation: Situation, manager: Manager) -> int | None:
    """Bytes of the manager's caches in the image; None where there is no image to measure."""
    evidence = situation.evidence
    if evidence is None:
        return None
    folders = [cache.replace("~", home) for cache in manager.caches for home in evidence.homes]
    return sum(
        fact.size
        for fact in evidence.delta
        if any(fact.path.startswith(folder + "/") for folder in folders)
    )


STRATEGY = Strategy(
    name="installer-caches",
    does="Leaves installers' caches out of the image.",
    why=(
        "Installers keep what they download for their next run. An image has no next run: the bytes"
        " are shipped with every pull. The option or command that leaves them out belongs to the"
        " same RUN; a later one only hides them."
    ),
    safety="text",
    tidies_layers=True,
    doubt=22,
    keeps_caches_out=True,
    wrong="this layer keeps what the installer downloaded",
    references=(
        "https://pip.pypa.io/en/stable/topics/caching/",
        "https://docs.docker.com/build/building/best-practices/#apt-get",
    ),
    rewrite=rewrite,
    refuses=(
        "A step with a cache mount, one that cleans up itself, package lists that a later step"
        " reads (`apt-get source`, `apt-cache`, a script), a cache that a variable moves or turns"
        " off, or a measured cache below 0.1 MB."
    ),
    table=(
        (
            "the option that keeps no cache, behind the verb of each installation of the step",
            "written",
        ),
        ("an option that it replaces (`apk add --update`)", "replaced"),
        (
            "the manager's own cleanup, or the removal of package lists",
            "written as the last command of the step",
        ),
        (
            "the program that cleans up",
            "the one that the step called: never another of the same family",
        ),
        ("lists that a later step, stage, ONBUILD, script or start command reads", "stay"),
        ("a cache that a later step installs from offline, or that another stage copies", "stays"),
        (
            "a step that ends in a comment, `;`, `||` or a pipe, or that calls sudo",
            "gets no cleanup",
        ),
        ("here-documents, the exec form, scripts that cannot be read", "stay"),
    ),
    examples=(
        Example(
            "pip",
            before="FROM python:3.12\nRUN pip install -r requirements.txt\n",
            after="FROM python:3.12\nRUN pip install --no-cache-dir -r requirements.txt\n",
        ),
        Example(
            "apt lists in the same RUN",
            before="FROM d\nRUN apt-get update && \\\n  apt-get install -y curl\n",
            after=(
                "FROM d\nRUN apt-get update && \\\n  apt-get install -y curl && \\\n  rm -rf"
                " /var/lib/apt/lists/*\n"
            ),
        ),
        Example(
            "a cache mount keeps it out already",
            before=(
                "FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache/pip pip install"
                " flask\n"
            ),
            after=None,
        ),
        Example(
            "apt cleans up already",
            before="FROM d\nRUN apt-get install -y a && rm -rf /var/lib/apt/lists/*\n",
            after=None,
        ),
        Example(
            "a later step installs with the same lists",
            before=(
                "FROM d\nRUN apt-get update && apt-get install -y a\nCOPY x y\nRUN apt-get install"
                " -y b\n"
            ),
            after=None,
            refused="`apt-get install -y b` further down",
        ),
        Example(
            "a step that only fetches the lists", before="FROM d\nRUN sudo apt update\n", after=None
        ),
        Example(
            "the lists lie in a layer below",
            before="FROM d\nRUN apt-get install -y a\n",
            after=None,
        ),
        Example(
            "not root",
            before="FROM d\nRUN sudo apt-get update && sudo apt-get install -y a\n",
            after=None,
        ),
        Example(
            "a comment would swallow it",
            before="FROM d\nRUN apt-get update && apt-get install -y a # b\n",
            after=None,
        ),
        Example(
            "a variable says it",
            before="FROM p\nENV PIP_NO_CACHE_DIR=1\nRUN pip install a\n",
            after=None,
        ),
        Example(
            "no cache already", before="FROM p\nRUN pip install --no-cache-dir flask\n", after=None
        ),
    ),
)
