"""cache-mounts: an installer's cache outlives the step on the building machine, and is in no layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imgopt.context.ecosystems import Ecosystem, Manager
from imgopt.dockerfile import Dockerfile, Instruction, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.installs import recognise
from imgopt.rewrite.layout import add_flags
from imgopt.rewrite.mounting import hidden, in_root, programs
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

SAYS_ONLY = (["version"], ["env"], ["--version"], ["-v"])
"""First arguments with which a build tool downloads nothing."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every RUN that calls an installer or compiler whose cache folder is known and safe to keep."""
    if not _knows_mounts(situation.dockerfile):
        return
    for stage in situation.dockerfile.reachable(situation.project.target):
        for item in stage.instructions:
            if item.keyword == "RUN":
                yield from _one(situation, stage, item)


def _knows_mounts(dockerfile: Dockerfile) -> bool:
    """Dockerfile syntax 1.0 and 1.1 have no `RUN --mount`."""
    syntax = next((directive.value for directive in dockerfile.directives if directive.name == "syntax"), "")
    tag = syntax.rpartition(":")[2]
    return not (tag in ("1.0", "1.1") or tag.startswith(("1.0.", "1.1.")))


def _one(situation: Situation, stage: Stage, run: Instruction) -> Iterator[Change | Skip]:
    typed = run.typed
    script = script_of(situation.dockerfile, run)
    if not isinstance(typed, Run) or script.unknown or typed.json is not None:
        return
    managers = _managers(script.commands, situation.project.ecosystems)
    words = {value for command in script.commands for value in command.values}
    mounted: dict[str, Manager] = {}
    for manager in managers:
        wanted = manager.cache_mounts
        if manager.static_only:
            folders = ", ".join(in_root(folder) for folder in wanted)
            yield Skip(f"{manager.name} keeps what it downloads in {folders}: a cache mount there may help; its rules "
                       "were not tried, so nothing is changed", run.line)  # fmt: skip
            continue
        if any(_is_mounted(typed, in_root(folder)) for folder in wanted):
            continue
        refusal = _refusal(situation, run, manager, words) or hidden(situation, stage, run, manager)
        if refusal:
            yield Skip(refusal, run.line)
            continue
        mounted[manager.name] = manager
    if mounted:
        yield _change(situation, run, mounted)


def _change(situation: Situation, run: Instruction, mounted: Mapping[str, Manager]) -> Change:
    flags = dict.fromkeys(_flag(manager, folder) for manager in mounted.values() for folder in manager.cache_mounts)
    *others, last = mounted
    who = f"{', '.join(others)} and {last} find what they" if others else f"{last} finds what it"
    because = f"{who} downloaded before, also when this step runs again"
    return Change(because, run.line, add_flags(situation.dockerfile, run, list(flags)))


def _flag(manager: Manager, folder: str) -> str:
    sharing = f",sharing={manager.cache_sharing}" if manager.cache_sharing else ""
    return f"--mount=type=cache,target={in_root(folder)}{sharing}"


def _managers(commands: tuple[Command, ...], ecosystems: tuple[Ecosystem, ...]) -> list[Manager]:
    found: dict[str, Manager] = {}
    for command in commands:
        words = [value or "" for value in command.values]
        install = recognise(words, ecosystems)
        if install is not None and install.manager.cache_mounts and "update" not in words[:2]:
            found[install.manager.name] = install.manager
        for manager in (manager for ecosystem in ecosystems for manager in ecosystem.manager):
            if manager.cache_mounts and words[:1] and words[0] in programs(manager) and words[1:2] not in SAYS_ONLY:
                found[manager.name] = manager
    return list(found.values())


def _refusal(situation: Situation, run: Instruction, manager: Manager, words: set[str | None]) -> str:
    if manager.cache_sharing:
        return f"{manager.name}: base images delete its cache by themselves, so a mount would keep nothing"
    if manager.keep_cache_option and manager.keep_cache_option in words:
        return f"`{manager.keep_cache_option}` says that {manager.name} shall keep no cache"
    user = (situation.dockerfile.scope_at(run).user or "root").partition(":")[0]
    if user not in ("root", "0"):
        return f"this step runs as {user}: its home folder is not known, and a new mount belongs to root"
    evidence = situation.evidence
    if evidence is not None:
        folders = tuple(in_root(folder) + "/" for folder in manager.cache_mounts)
        used = sorted(path for path in evidence.opened if path.startswith(folders) and path in evidence.facts)
        if used:
            return f"the service reads {used[0]}, which lies in the cache of {manager.name}"
    return ""


def _is_mounted(run: Run, folder: str) -> bool:
    return any(mount.target and (folder + "/").startswith(mount.target.rstrip("/") + "/") for mount in run.mounts)


STRATEGY = Strategy(
    name="cache-mounts",
    does="Keeps installers' downloads on the building machine.",
    why="A cache mount keeps what an installer or compiler downloaded and built on the building machine: a changed "
    "manifest costs only what is new, and no layer holds the cache.",
    safety="text",
    references=(
        "https://docs.docker.com/build/cache/optimize/#use-cache-mounts",
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
    ),
    rewrite=rewrite,
    refuses="A step that says it wants no cache, removes it or runs as another user; a cache folder that the service "
    "reads, that a COPY fills or takes, or that a step without the mount builds from; offline builds; apt, whose cache "
    "the official images delete by themselves.",
    examples=(
        Example(
            "pip",
            before="FROM python:3.12\nRUN pip install flask\n",
            after="FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n",
        ),
        Example(
            "go build keeps modules and objects",
            before="FROM golang:1.22\nRUN go build -o /app .\n",
            after="FROM golang:1.22\nRUN --mount=type=cache,target=/root/.cache/go-build \\\n"
            "    --mount=type=cache,target=/go/pkg/mod \\\n    go build -o /app .\n",
        ),
        Example(
            "Gradle could not be tried",
            before="FROM gradle:8-jdk17\nCOPY . .\nRUN gradle clean build -x test\n",
            after=None,
            refused="/root/.gradle: a cache mount there may help",
            files={"build.gradle": ""},
        ),
        Example("no cache wanted", before="FROM p\nRUN pip install --no-cache-dir x\n", after=None, refused="no cache"),
        Example("another user", before="FROM p\nUSER app\nRUN pip install x\n", after=None, refused="runs as app"),
        Example(
            "a mount point cannot be removed",
            before="FROM p\nRUN pip install a && rm -rf /root/.cache\n",
            after=None,
            refused="names the folder",
        ),
        Example(
            "the step empties its cache",
            before="FROM n\nRUN npm i -g a && npm cache clean --force\n",
            after=None,
            refused="about the cache itself",
        ),
        Example(
            "settings lie in the folder",
            before="FROM maven\nCOPY settings.xml /root/.m2/\nRUN mvn package\n",
            after=None,
            refused="puts something where",
        ),
        Example(
            "an offline build needs the layer",
            before="FROM maven\nRUN mvn dependency:go-offline\nRUN mvn -o package\n",
            after=None,
            refused="in a layer",
        ),
        Example(
            "make would not see the modules",
            before="FROM golang\nRUN go mod download\nRUN make\n",
            after=None,
            refused="without the mount",
        ),
        Example(
            "the container starts the build tool",
            before="FROM maven\nRUN mvn package\nCMD mvn spring-boot:run\n",
            after=None,
            refused="builds when the container starts",
        ),
        Example(
            "another stage copies the modules",
            before="FROM golang AS a\nRUN go mod download\nFROM golang\nCOPY --from=a /go/pkg /go/pkg\n",
            after=None,
        ),
        Example(
            "every step that builds from the repository",
            before="FROM maven\nRUN mvn dependency:go-offline\nRUN mvn clean package\n",
            after="FROM maven\nRUN --mount=type=cache,target=/root/.m2 mvn dependency:go-offline\n"
            "RUN --mount=type=cache,target=/root/.m2 mvn clean package\n",
        ),
        Example(
            "a step in exec form would not see the repository",
            before='FROM maven\nRUN mvn dependency:go-offline\nRUN ["mvn", "package"]\n',
            after=None,
            refused="without the mount",
        ),
        Example(
            "another user would not see the repository",
            before="FROM golang\nRUN go mod download\nUSER app\nRUN go build .\n",
            after=None,
            refused="without the mount",
        ),
        Example(
            "packages that the publishing step needs",
            before="FROM sdk\nRUN dotnet restore\nRUN dotnet publish --no-restore\n",
            after=None,
        ),
        Example("an old syntax", before="# syntax=docker/dockerfile:1.0\nFROM p\nRUN pip install x\n", after=None),
        Example(
            "a mount is there",
            before="FROM p\nRUN --mount=type=cache,target=/root/.cache pip install x\n",
            after=None,
        ),
    ),
)
