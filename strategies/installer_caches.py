"""installer-caches: what an installer keeps for its next run stays out of the layer."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.context.ecosystems import Manager
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.installs import recognise
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

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
        if install is not None and install.manager.caches and not _is_clean(install.manager, script.commands):
            managers[install.manager.name] = (install.manager, command)
    for manager, command in managers.values():
        change = _change(situation, run, manager, command, plain=script.is_plain_list)
        if change is not None:
            yield change


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


def _change(
    situation: Situation, run: Instruction, manager: Manager, command: Command, *, plain: bool
) -> Change | None:
    typed = run.typed
    if not isinstance(typed, Run) or typed.json is not None or run.heredocs or _is_mounted(typed, manager):
        return None
    size = _measured(situation, run, manager)
    if size is not None and size < LEAST_BYTES:
        return None
    saved = f"{size / 1e6:.1f} MB" if size is not None else "what it downloaded"
    if manager.keep_cache_option:
        at = command.words[1].span.end if _second_is_verb(command) else command.words[-1].span.end
        edits = (Edit(at, at, f" {manager.keep_cache_option}"),)
    elif (manager.clean and plain and command.name != "apt-get") or (manager.clean and plain and _installs(command)):
        end = run.value_span.end
        edits = (Edit(end, end, f" && {manager.clean}"),)
    else:
        return None
    return Change(f"{manager.name} keeps {saved} for its next run, which an image never has", run.line, edits)


def _installs(command: Command) -> bool:
    return any(value == "install" for value in command.values)


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
    why="Installers keep what they download for their next run. An image has no next run: the bytes are shipped with "
    "every pull. The option or command that leaves them out belongs to the same RUN; a later one only hides them.",
    safety="text",
    references=(
        "https://pip.pypa.io/en/stable/topics/caching/",
        "https://docs.docker.com/build/building/best-practices/#apt-get",
    ),
    rewrite=rewrite,
    refuses="A step with a cache mount, one that cleans up itself, or a measured cache below 0.1 MB.",
    examples=(
        Example(
            "pip",
            before="FROM python:3.12\nRUN pip install -r requirements.txt\n",
            after="FROM python:3.12\nRUN pip install --no-cache-dir -r requirements.txt\n",
        ),
        Example(
            "apt lists in the same RUN",
            before="FROM d\nRUN apt-get update && \\\n  apt-get install -y curl\n",
            after="FROM d\nRUN apt-get update && \\\n  apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
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
        Example("no cache already", before="FROM p\nRUN pip install --no-cache-dir flask\n", after=None),
    ),
)
