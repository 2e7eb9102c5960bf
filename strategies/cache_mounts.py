"""cache-mounts: an installer's cache outlives the step on the building machine, and is in no layer."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.context.ecosystems import Ecosystem, Manager
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.installs import begins_with, recognise
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every RUN that calls an installer or compiler whose cache folder is known and safe to keep."""
    for stage in situation.dockerfile.reachable(situation.project.target):
        for item in stage.instructions:
            if item.keyword == "RUN":
                yield from _one(situation, item)


def _one(situation: Situation, run: Instruction) -> Iterator[Change | Skip]:
    typed = run.typed
    script = script_of(situation.dockerfile, run)
    if not isinstance(typed, Run) or script.unknown or typed.json is not None:
        return
    managers = _managers(script.commands, situation.project.ecosystems)
    texts = " ".join(word.text for command in script.commands for word in command.words)
    for manager in managers:
        wanted = manager.cache_mounts
        if any(_is_mounted(typed, _absolute(folder)) for folder in wanted):
            continue
        refusal = _refusal(situation, run, manager, texts)
        if refusal:
            yield Skip(refusal, run.line)
            continue
        sharing = f",sharing={manager.cache_sharing}" if manager.cache_sharing else ""
        flags = "".join(f"--mount=type=cache,target={_absolute(folder)}{sharing} " for folder in wanted)
        at = run.value_span.start if not run.flags else run.flags[0].span.start
        yield Change(f"{manager.name} finds what it downloaded before, also when this step runs again", run.line,
                     (Edit(at, at, flags),))  # fmt: skip


def _managers(commands: tuple[Command, ...], ecosystems: tuple[Ecosystem, ...]) -> list[Manager]:
    found: dict[str, Manager] = {}
    for command in commands:
        words = [value or "" for value in command.values]
        install = recognise(words, ecosystems)
        if install is not None and install.manager.cache_mounts and "update" not in words[:2]:
            found[install.manager.name] = install.manager
        for ecosystem in ecosystems:
            for manager in ecosystem.manager:
                known = [*manager.fetch_before, *([manager.fetch] if manager.fetch[:1].isalpha() else [])]
                if manager.cache_mounts and any(begins_with(words, command) for command in known):
                    found[manager.name] = manager
    return list(found.values())


def _refusal(situation: Situation, run: Instruction, manager: Manager, texts: str) -> str:
    if manager.cache_sharing:
        return f"{manager.name}: base images delete its cache by themselves, so a mount would keep nothing"
    if manager.keep_cache_option and manager.keep_cache_option in texts:
        return f"`{manager.keep_cache_option}` says that {manager.name} shall keep no cache"
    if manager.clean and manager.clean.split(" ")[0:2] == texts.split(" ")[0:2]:
        return f"this step removes the cache of {manager.name}"
    user = situation.dockerfile.scope_at(run).user
    if user not in (None, "root", "0") and any(folder.startswith("~") for folder in manager.cache_mounts):
        return f"this step runs as {user}, whose home folder is not known"
    evidence = situation.evidence
    if evidence is not None:
        folders = tuple(_absolute(folder) + "/" for folder in manager.cache_mounts)
        used = sorted(path for path in evidence.opened if path.startswith(folders) and path in evidence.facts)
        if used:
            return f"the service reads {used[0]}, which lies in the cache of {manager.name}"
    return ""


def _absolute(folder: str) -> str:
    return folder.replace("~", "/root", 1)


def _is_mounted(run: Run, folder: str) -> bool:
    return any(mount.target and (folder + "/").startswith(mount.target.rstrip("/") + "/") for mount in run.mounts)


STRATEGY = Strategy(
    name="cache-mounts",
    why="A cache mount keeps what an installer or compiler downloaded and built on the building machine: a changed "
    "manifest costs only what is new, and no layer holds the cache.",
    safety="text",
    references=(
        "https://docs.docker.com/build/cache/optimize/#use-cache-mounts",
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
    ),
    rewrite=rewrite,
    refuses="A step that says it wants no cache or runs as another user; a cache folder that the service reads; apt, "
    "whose cache the official images delete by themselves.",
    examples=(
        Example(
            "pip",
            before="FROM python:3.12\nRUN pip install flask\n",
            after="FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n",
        ),
        Example(
            "go build keeps modules and objects",
            before="FROM golang:1.22\nRUN go build .\n",
            after="FROM golang:1.22\nRUN --mount=type=cache,target=/root/.cache/go-build "
            "--mount=type=cache,target=/go/pkg/mod go build .\n",
        ),
        Example("no cache wanted", before="FROM p\nRUN pip install --no-cache-dir x\n", after=None, refused="no cache"),
        Example("another user", before="FROM p\nUSER app\nRUN pip install x\n", after=None, refused="runs as app"),
        Example(
            "a mount is there",
            before="FROM p\nRUN --mount=type=cache,target=/root/.cache pip install x\n",
            after=None,
        ),
    ),
)
