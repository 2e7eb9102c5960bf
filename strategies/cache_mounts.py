"""cache-mounts: an installer's cache outlives the step on the building machine, and is in no
layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from imgopt.dockerfile import Dockerfile, Instruction, Stage
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.caches.cache_places import Use, programs, uses
from imgopt.rewrite.caches.cleaning import touches
from imgopt.rewrite.caches.mounting import hidden
from imgopt.rewrite.lines.layout import add_flags
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.start.start_words import explained_in
from imgopt.rewrite.strategy import AUTHORS_STEP, Change, Example, Situation, Skip, Strategy


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every RUN that calls an installer or compiler whose cache folder is known and safe to
    keep."""
    if not _knows_mounts(situation.dockerfile):
        return
    for stage in situation.dockerfile.reachable(situation.project.target):
        for item in stage.instructions:
            if item.keyword == "RUN":
                yield from _one(situation, stage, item)


def _knows_mounts(dockerfile: Dockerfile) -> bool:
    """Dockerfile syntax 1.0 and 1.1 have no `RUN --mount`."""
    syntax = next(
        (directive.value for directive in dockerfile.directives if directive.name == "syntax"), ""
    )
    tag = syntax.rpartition(":")[2]
    return not (tag in ("1.0", "1.1") or tag.startswith(("1.0.", "1.1.")))


def _one(situation: Situation, stage: Stage, run: Instruction) -> Iterator[Change | Skip]:
    typed = run.typed
    script = script_of(situation.dockerfile, run)
    if not isinstance(typed, Run) or script.unknown or typed.json is not None:
        return
    found: list[Use] = []
    for use in uses(situation, stage, run):
        if _is_mounted(typed, use):
            continue
        refusal = _refusal(situation, run, use) or use.refused
        refusal = refusal or (hidden(situation, stage, run, use) if use.folders else "")
        if refusal:
            yield Skip(refusal, run.line)
        elif use.told and use.folders:
            where = ", ".join(use.folders)
            told = (
                f"{use.manager.name} keeps what it downloads in {where}: a cache mount there may"
                " help"
            )
            yield Skip(
                f"{told}; where it is depends on more than this file says, so nothing is changed",
                run.line,
            )
        elif use.folders:
            found.append(use)
    if found:
        yield _change(situation, run, found)


def _change(situation: Situation, run: Instruction, found: Sequence[Use]) -> Change:
    dockerfile = situation.dockerfile
    folders = {folder: folder in use.locked for use in found for folder in use.folders}
    flags = [
        situation.once(("flag", one), partial(_flag, dockerfile, one, folders[one]))
        for one in folders
    ]
    *others, last = dict.fromkeys(use.manager.name for use in found)
    who = f"{', '.join(others)} and {last} find what they" if others else f"{last} finds what it"
    because = f"{who} downloaded before, also when this step runs again"
    return Change(because, run.line, add_flags(dockerfile, run, flags))


def _flag(dockerfile: Dockerfile, folder: str, locked: bool) -> str:
    """The author's own flag for the folder, from another step: with another one it would be another
    cache."""
    for item in dockerfile.instructions:
        if not isinstance(item.typed, Run):
            continue
        for flag, mount in zip(
            (one for one in item.flags if one.name == "mount"), item.typed.mounts, strict=False
        ):
            if (
                mount.type == "cache"
                and mount.from_ is None
                and (mount.target or "").rstrip("/") == folder
            ):
                return item.text[flag.span.start : flag.span.end]
    return f"--mount=type=cache,target={folder}" + (",sharing=locked" if locked else "")


def _refusal(situation: Situation, run: Instruction, use: Use) -> str:
    manager = use.manager
    if manager.cache_sharing:
        return (
            f"{manager.name}: base images delete its cache by themselves, so a mount would keep"
            " nothing"
        )
    words = {value for command in use.commands for value in command.values}
    if manager.keep_cache_option and manager.keep_cache_option in words:
        return f"`{manager.keep_cache_option}` says that {manager.name} shall keep no cache"
    user = (situation.dockerfile.scope_at(run).user or "root").partition(":")[0]
    if user not in ("root", "0"):
        return (
            f"this step runs as {user}: its home folder is not known, and a new mount belongs to"
            " root"
        )
    evidence = situation.evidence
    if evidence is not None:
        folders = tuple(folder + "/" for folder in use.folders)
        explained = explained_in(situation)
        read = sorted(
            path for path in evidence.opened if path.startswith(folders) and path in evidence.facts
        )
        used = [path for path in read if not explained(path)]
        if used and folders:
            return f"the service reads {used[0]}, which lies in the cache of {manager.name}"
    return ""


def _is_mounted(run: Run, use: Use) -> bool:
    """The author mounts the cache, a part of it, something around it, or a folder that is called
    after the tool: it is his to say."""
    known = [*use.folders, *(cache.replace("~", "/root", 1) for cache in use.manager.caches)]
    mounts = [mount for mount in run.mounts if mount.type in ("cache", "tmpfs")]
    if any(
        mount.target is None or "$" in mount.target or touches(mount.target, known)
        for mount in mounts
    ):
        return True
    names = "|".join(re.escape(name) for name in programs(use.manager) if name.isalnum())
    called = re.compile(rf"(?<![A-Za-z])(?:{names})(?![A-Za-z])")
    return bool(names) and any(
        called.search(f"{mount.target} {mount.id or ''}") for mount in mounts
    )


STRATEGY = Strategy(
    name="cache-mounts",
    does="Keeps installers' downloads on the building machine.",
    why=(
        "A cache mount keeps what an installer or compiler downloaded and built on the building"
        " machine: a changed manifest costs only what is new, and no layer holds the cache."
    ),
    safety="text",
    doubt=45,
    failures=frozenset([AUTHORS_STEP]),
    keeps_caches_out=True,
    wrong="what this step downloads is gone when it runs again",
    references=(
        "https://docs.docker.com/build/cache/optimize/#use-cache-mounts",
        "https://docs.docker.com/reference/dockerfile/#run---mounttypecache",
    ),
    rewrite=rewrite,
    refuses=(
        "A step that says it wants no cache, removes it or runs as another user; a cache folder"
        " that the service reads, that a COPY fills or takes, or that a step without the mount"
        " builds from; offline builds; apt, whose cache the official images delete by themselves."
    ),
    table=(
        (
            (
                "a command that downloads or compiles, on a base of which it is known where the"
                " tool's cache is"
            ),
            "a mount",
        ),
        ("a command that fetches nothing (`go version`, `cargo chef prepare`, `pip list`)", "none"),
        (
            (
                "an option, variable, setting or earlier command that moves the cache or switches"
                " it off"
            ),
            "none",
        ),
        (
            "an author's mount of the cache, of a part of it, or of a folder called after the tool",
            "none beside it",
        ),
        ("a folder that a step names, removes or cleans, or that a COPY fills or takes", "none"),
        (
            (
                "a step that builds offline from it, or without the mount: in exec form, by make,"
                " at the start"
            ),
            "none",
        ),
        ("another user than root, a base of which nothing is known", "none"),
        (
            "a folder that depends on more than the file says (Composer on the PHP images)",
            "told, not made",
        ),
        (
            "a tool whose builds disturb each other in one cache (Gradle, NuGet, conda)",
            "one build at a time: locked",
        ),
    ),
    examples=(
        Example(
            "pip",
            before="FROM python:3.12\nRUN pip install flask\n",
            after=(
                "FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache/pip pip install"
                " flask\n"
            ),
        ),
        Example(
            "go build keeps modules and objects",
            before="FROM golang:1.22\nRUN go build -o /app .\n",
            after=(
                "FROM golang:1.22\nRUN --mount=type=cache,target=/root/.cache/go-build \\\n"
                "    --mount=type=cache,target=/go/pkg/mod \\\n    go build -o /app .\n"
            ),
        ),
        Example(
            "Composer's folder depends on what is installed beside it",
            before="FROM php:8.3\nCOPY . .\nRUN composer install\n",
            after=None,
            refused="/root/.composer/cache: a cache mount there may help",
            files={"composer.json": "{}"},
        ),
        Example(
            "Gradle's settings beside the cache stay visible, and one build waits for the other",
            before="FROM gradle:8-jdk17\nCOPY . .\nRUN gradle clean build -x test\n",
            after=(
                "FROM gradle:8-jdk17\nCOPY . .\nRUN"
                " --mount=type=cache,target=/home/gradle/.gradle/caches,sharing=locked gradle clean"
                " build -x test\n"
            ),
            files={"build.gradle": ""},
        ),
        Example(
            "the folder by a variable",
            before=(
                "FROM python\nENV PIP_CACHE_DIR=/root/.cache/pip\nRUN pip install a && rm -rf"
                " $PIP_CACHE_DIR\n"
            ),
            after=None,
            refused="names the folder",
        ),
        Example(
            "no cache wanted",
            before="FROM python\nRUN pip install --no-cache-dir x\n",
            after=None,
            refused="no cache",
        ),
        Example(
            "another user",
            before="FROM python\nUSER app\nRUN pip install x\n",
            after=None,
            refused="runs as app",
        ),
        Example(
            "a mount point cannot be removed",
            before="FROM python\nRUN pip install a && rm -rf /root/.cache\n",
            after=None,
            refused="names the folder",
        ),
        Example(
            "the step empties its cache",
            before="FROM node\nRUN npm i -g a && npm cache clean --force\n",
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
            before=(
                "FROM golang AS a\nRUN go mod download\nFROM golang\nCOPY --from=a /go/pkg"
                " /go/pkg\n"
            ),
            after=None,
        ),
        Example(
            "every step that builds from the repository",
            before="FROM maven\nRUN mvn dependency:go-offline\nRUN mvn clean package\n",
            after=(
                "FROM maven\nRUN --mount=type=cache,target=/root/.m2 mvn dependency:go-offline\n"
                "RUN --mount=type=cache,target=/root/.m2 mvn clean package\n"
            ),
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
        Example(
            "an old syntax",
            before="# syntax=docker/dockerfile:1.0\nFROM python\nRUN pip install x\n",
            after=None,
        ),
        Example(
            "a mount is there",
            before="FROM python\nRUN --mount=type=cache,target=/root/.cache pip install x\n",
            after=None,
        ),
    ),
)
