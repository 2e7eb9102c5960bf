"""Targets of a Bake file, as `docker buildx bake --print` says them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imgopt.compose.files import bake_files
from imgopt.compose.model import BuildOf
from imgopt.compose.refused import Lacking
from imgopt.engine.client import buildx_words
from imgopt.errors import EnvironmentFailure, InputError, Location

_SECONDS = 60
_PLACE = re.compile(r"ERROR: (?P<file>[^\s:]+):(?P<line>\d+)[\d,:-]*: (?P<said>.+)", re.DOTALL)
Targets = dict[str, BuildOf]


def read_bake(
    folder: Path, wanted: str | None = None, *, linked_too: bool = False
) -> Targets | None:
    """The targets that `docker buildx bake` would build, or those of the `wanted` target or group,
    with `linked_too` those that they are built on; None where the folder has no Bake file. Raises
    InputError with their reason and its place, and EnvironmentFailure where buildx is missing."""
    files = bake_files(folder)
    if not files:
        return None
    names = [wanted] if wanted is not None else _of_default(folder, files[0])
    said = _print(folder, files[0], names)
    chosen = _members(said.get("group") or {}, names, [*(said.get("target") or {})])
    targets = said.get("target") or {}
    if linked_too:
        chosen = iter(targets)
    return {name: _target(targets[name], folder) for name in chosen if name in targets}


def _of_default(folder: Path, file: Path) -> list[str]:
    """Nothing for the group or target `default`, where there is one; else every target."""
    listed = json.loads(_run(folder, file, ["--list=type=targets,format=json"]) or "[]")
    names = [str(one["name"]) for one in listed]
    return [] if "default" in names else names


def _print(folder: Path, file: Path, names: Sequence[str]) -> Mapping[str, Any]:
    return dict(json.loads(_run(folder, file, ["--print", *names])))


def _run(folder: Path, file: Path, words: Sequence[str]) -> str:
    """Standard output of `docker buildx bake WORDS` in the folder."""
    try:
        command = [*buildx_words(), "bake", *words]
    except EnvironmentFailure as missing:
        raise EnvironmentFailure(
            f"{file} can be read by `docker buildx bake` alone: {missing.message}",
            hint=missing.hint,
        ) from None
    with _with_agent() as environment:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS
        )
    if done.returncode:
        raise _refusal(done.stderr, file)
    return done.stdout


@contextmanager
def _with_agent() -> Iterator[dict[str, str]]:
    """The environment, with a socket that `ssh = ["default"]` can name: to read a file needs no
    agent."""
    environment = dict(os.environ)
    if environment.get("SSH_AUTH_SOCK"):
        yield environment
        return
    with (
        tempfile.TemporaryDirectory(prefix="imgopt-agent-") as scratch,
        socket.socket(socket.AF_UNIX) as agent,
    ):
        agent.bind(f"{scratch}/agent")
        yield {**environment, "SSH_AUTH_SOCK": f"{scratch}/agent"}


def _refusal(said: str, file: Path) -> InputError:
    place = _PLACE.search(said)
    if place is not None:
        where = Location(str(file.parent / place["file"]), int(place["line"]))
        return InputError(" ".join(place["said"].split()), location=where)
    last = [line for line in said.splitlines() if "ERROR: " in line]
    text = last[-1].partition("ERROR: ")[2] if last else said.strip()
    kind = Lacking if "no such file" in text or "agent" in text else InputError
    return kind(text or "docker buildx bake refuses it", location=Location(str(file)))


def _members(
    groups: Mapping[str, Any], names: Sequence[str], targets: Sequence[str]
) -> Iterator[str]:
    """The targets of the names, groups opened."""
    found: dict[str, None] = {}

    def walk(name: str, depth: int) -> None:
        inside = (groups.get(name) or {}).get("targets")
        if inside is None or depth > len(groups) + 1 or (name in targets and inside == [name]):
            found[name] = None
            return
        for one in inside:
            walk(one, depth + 1)

    for name in names or ["default"]:
        walk(name, 0)
    yield from found


def _target(one: Mapping[str, Any], folder: Path) -> BuildOf:
    context = Path(str(one.get("context") or "."))
    if "://" not in str(context):
        context = Path(os.path.normpath(folder / context))
    inline = one.get("dockerfile-inline")
    hosts = one.get("extra-hosts") or {}
    extra = [f"--add-host={name}:{place}" for name, place in hosts.items()]
    extra += [f"--shm-size={one['shm-size']}"] if one.get("shm-size") else []
    return BuildOf(
        context,
        dockerfile=None if inline else context / str(one.get("dockerfile") or "Dockerfile"),
        inline=inline,
        target=one.get("target"),
        args={name: value for name, value in (one.get("args") or {}).items() if value is not None},
        contexts={
            name: _named(str(place), folder) for name, place in (one.get("contexts") or {}).items()
        },
        secrets=tuple(_attributes(item, folder) for item in one.get("secret") or ()),
        ssh=tuple(_ssh(item) for item in one.get("ssh") or ()),
        platforms=tuple(one.get("platforms") or ()),
        network=one.get("network"),
        extra=tuple(extra),
    )


def _named(place: str, folder: Path) -> str:
    if "://" in place or place.startswith(("target:", "git@")):
        return place
    return os.path.normpath(folder / place)


def _attributes(item: Any, folder: Path) -> str:
    """`id=npm,src=/x` of what is printed as a text or as a table."""
    pairs = (
        item
        if isinstance(item, Mapping)
        else dict(word.partition("=")[::2] for word in str(item).split(","))
    )
    paths = {"src", "source"}
    return ",".join(
        f"{name}={folder / str(value) if name in paths else value}" for name, value in pairs.items()
    )


def _ssh(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    paths = ",".join(map(str, item.get("paths") or ()))
    return f"{item.get('id', 'default')}={paths}" if paths else str(item.get("id", "default"))


def linked(build: BuildOf) -> dict[str, str]:
    """Named contexts that are the image of another build: `target:base`, `service:base`."""
    kinds = ("target:", "service:")
    return {name: place for name, place in build.contexts.items() if place.startswith(kinds)}
