"""installer-caches: what an installer keeps for its next run stays out of the layer."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.context.ecosystems import Manager
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.installs import recognise
from imgopt.rewrite.joining import extendable, lists_needed_after
from imgopt.rewrite.layout import add_commands, add_words
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

_LISTS = "/var/lib/apt/lists"
LEAST_BYTES = 100_000
"""A cache smaller than this is not worth a change."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every RUN of the stage that ships; a stage that is thrown away ships no cache."""
    if situation.final is not None:
        return
    stage = situation.stage
    for part in stage.chain:
        for item in part.instructions:
            if item.keyword == "RUN":
                yield from _one(situation, item)


def _one(situation: Situation, run: Instruction) -> Iterator[Change | Skip]:
    script = script_of(situation.dockerfile, run)
    if script.unknown:
        return
    managers: dict[str, tuple[Manager, Command]] = {}
    for command in script.commands:
        words = [value or "" for value in command.values]
        install = recognise(words, situation.project.ecosystems)
        if install is None or not install.manager.caches or "update" in words:
            continue
        if not _is_clean(install.manager, script.commands):
            managers[install.manager.name] = (install.manager, command)
    for manager, command in managers.values():
        found = _change(situation, run, manager, command)
        if found is not None:
            yield found


def _is_clean(manager: Manager, commands: tuple[Command, ...]) -> bool:
    """The step keeps no cache, or removes it itself."""
    texts = [" ".join(word.text for word in command.words) for command in commands]
    if manager.keep_cache_option and any(manager.keep_cache_option in text for text in texts):
        return True
    if manager.clean and any(manager.clean in text for text in texts):
        return True
    return any(text.startswith(("rm ", "apt-get clean", "npm cache")) and _removes(text, manager) for text in texts)


def _removes(text: str, manager: Manager) -> bool:
    return any(cache.replace("~", "").strip("/") in text for cache in manager.caches) or "cache" in text


def _change(situation: Situation, run: Instruction, manager: Manager, command: Command) -> Change | Skip | None:
    typed = run.typed
    if not isinstance(typed, Run) or typed.json is not None or run.heredocs or _is_mounted(typed, manager):
        return None
    if any(name in situation.dockerfile.scope_at(run).values for name in manager.cache_variables):
        return None
    size = _measured(situation, run, manager)
    if size is not None and size < LEAST_BYTES:
        return None
    saved = f"{size / 1e6:.1f} MB" if size is not None else "what it downloaded"
    if manager.keep_cache_option:
        at = command.words[1].span.end if _second_is_verb(command) else command.words[-1].span.end
        edits = add_words(situation.dockerfile, run, [Edit(at, at, f" {manager.keep_cache_option}")])
    elif manager.clean and _may_clean(situation, run, manager):
        later = _used_later(situation, run, manager)
        if later:
            return Skip(f"`{later}` further down installs with the package lists of this step", run.line)
        edits = add_commands(situation.dockerfile, run, [manager.clean])
    else:
        return None
    return Change(f"{manager.name} keeps {saved} for its next run, which an image never has", run.line, edits)


def _may_clean(situation: Situation, run: Instruction, manager: Manager) -> bool:
    """The step can end with one more command, which has something to remove and the right to do so."""
    script = extendable(situation.dockerfile, run)
    if script is None or any(command.name == "sudo" for command in script.commands):
        return False
    return _LISTS not in manager.caches or any("update" in command.values for command in script.commands)


def _used_later(situation: Situation, run: Instruction, manager: Manager) -> str:
    """The system's package lists are no cache to the steps after this one."""
    if _LISTS not in manager.caches:
        return ""
    return lists_needed_after(situation.dockerfile, run, situation.project.context)


def _second_is_verb(command: Command) -> bool:
    return len(command.words) > 1 and command.values[1] == "install"


def _is_mounted(run: Run, manager: Manager) -> bool:
    folders = [cache.replace("~", "/root") for cache in manager.caches]
    return any(
        mount.type in ("cache", "tmpfs") and any(folder.startswith(mount.target or "\0") for folder in folders)
        for mount in run.mounts
    )


def _measured(situation: Situation, run: Instruction, manager: Manager) -> int | None:
    """Bytes of the manager's caches in the image; None where there is no image to measure."""
    evidence = situation.evidence
    if evidence is None:
        return None
    del run
    folders = [cache.replace("~", home) for cache in manager.caches for home in evidence.homes]
    return sum(fact.size for fact in evidence.delta if any(fact.path.startswith(folder + "/") for folder in folders))


STRATEGY = Strategy(
    name="installer-caches",
    does="Leaves installers' caches out of the image.",
    why="Installers keep what they download for their next run. An image has no next run: the bytes are shipped with "
    "every pull. The option or command that leaves them out belongs to the same RUN; a later one only hides them.",
    safety="text",
    references=(
        "https://pip.pypa.io/en/stable/topics/caching/",
        "https://docs.docker.com/build/building/best-practices/#apt-get",
    ),
    rewrite=rewrite,
    refuses="A step with a cache mount, one that cleans up itself, package lists that a later step installs with, a "
    "cache that a variable moves or turns off, or a measured cache below 0.1 MB.",
    examples=(
        Example(
            "pip",
            before="FROM python:3.12\nRUN pip install -r requirements.txt\n",
            after="FROM python:3.12\nRUN pip install --no-cache-dir -r requirements.txt\n",
        ),
        Example(
            "apt lists in the same RUN",
            before="FROM d\nRUN apt-get update && \\\n  apt-get install -y curl\n",
            after="FROM d\nRUN apt-get update && \\\n  apt-get install -y curl && \\\n"
            "  rm -rf /var/lib/apt/lists/*\n",
        ),
        Example(
            "a cache mount keeps it out already",
            before="FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n",
            after=None,
        ),
        Example(
            "apt cleans up already",
            before="FROM d\nRUN apt-get install -y a && rm -rf /var/lib/apt/lists/*\n",
            after=None,
        ),
        Example(
            "a later step installs with the same lists",
            before="FROM d\nRUN apt-get update && apt-get install -y a\nCOPY x y\nRUN apt-get install -y b\n",
            after=None,
            refused="`apt-get install -y b` further down",
        ),
        Example("a step that only fetches the lists", before="FROM d\nRUN sudo apt update\n", after=None),
        Example("the lists lie in a layer below", before="FROM d\nRUN apt-get install -y a\n", after=None),
        Example("not root", before="FROM d\nRUN sudo apt-get update && sudo apt-get install -y a\n", after=None),
        Example(
            "a comment would swallow it", before="FROM d\nRUN apt-get update && apt-get install -y a # b\n", after=None
        ),
        Example("a variable says it", before="FROM p\nENV PIP_NO_CACHE_DIR=1\nRUN pip install a\n", after=None),
        Example("no cache already", before="FROM p\nRUN pip install --no-cache-dir flask\n", after=None),
    ),
)
