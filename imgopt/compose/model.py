"""A project's services as Compose describes them, as far as they say how an image is built and
run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from os.path import normpath
from pathlib import Path
from typing import Any

_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "ns": 1e-9}
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/|git@|github\.com/")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?")
_MOST_BYTES = 2.0**63
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class BuildOf:
    """One build. `dockerfile` is None where `inline` is the Dockerfile's text; `secrets`, `ssh` and
    `extra` are buildx's own arguments; `contexts` are named contexts beside the main one."""

    context: Path
    dockerfile: Path | None = None
    inline: str | None = None
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    network: str | None = None
    extra: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Whether the context is a folder, and no address."""
        return _ADDRESS.match(str(self.context)) is None


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume of a service. `kind` is bind, volume or tmpfs; `source` a path, a volume's name, or
    "" for one without a name."""

    kind: str
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """A secret or config as a file of the container: of `file`, or with this `content`."""

    target: str
    file: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """A check in the words of an image's HEALTHCHECK; seconds, None for Docker's own default."""

    test: tuple[str, ...]
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    start_interval: float | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """How one container is made. `depends_on` has the condition by the name of the other service;
    `ports` are TCP ports inside the container; `names` what others call it."""

    name: str
    image: str | None = None
    build: BuildOf | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    mounts: tuple[Mount, ...] = ()
    given: tuple[Given, ...] = ()
    tmpfs: tuple[str, ...] = ()
    user: str | None = None
    working_dir: str | None = None
    read_only: bool = False
    init: bool = False
    hostname: str | None = None
    names: tuple[str, ...] = ()
    health: Health | None = None
    depends_on: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    """Those of `depends_on` that need not be there."""
    profiles: tuple[str, ...] = ()
    stop_grace: float | None = None
    gpus: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    shm_size: int | None = None
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Soft and hard limit by name."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Addresses by name, but for those of the machine itself."""
    privileged: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """What the files say. `by` tells who read them."""

    folder: Path
    files: tuple[Path, ...]
    services: Mapping[str, Service]
    by: str = ""

    @property
    def built(self) -> dict[str, Service]:
        """The services with a build of their own."""
        return {name: one for name, one in self.services.items() if one.build is not None}


def project_of(
    table: Mapping[str, Any], folder: Path, files: tuple[Path, ...], by: str = ""
) -> Project:
    """From the form of `docker compose config --format json`."""
    services = table.get("services") or {}
    made = {name: _service(name, one or {}, table) for name, one in services.items()}
    return Project(folder, files, made, by)


def _service(name: str, one: Mapping[str, Any], table: Mapping[str, Any]) -> Service:
    depends = one.get("depends_on") or {}
    mounts = tuple(_mounts(one))
    return Service(
        name,
        image=one.get("image"),
        build=_build(one["build"], table) if one.get("build") else None,
        command=_words(one.get("command")),
        entrypoint=_words(one.get("entrypoint")),
        environment={k: v for k, v in (one.get("environment") or {}).items() if v is not None},
        ports=tuple(_ports(one)),
        mounts=tuple(mount for mount in mounts if mount.kind != "tmpfs"),
        given=(*_given(one, table, "secrets"), *_given(one, table, "configs")),
        tmpfs=(*map(str, _listed(one.get("tmpfs"))), *_tmpfs(mounts)),
        user=str(one["user"]) if one.get("user") not in (None, "") else None,
        working_dir=one.get("working_dir") or None,
        read_only=bool(one.get("read_only")),
        init=bool(one.get("init")),
        hostname=one.get("hostname"),
        names=_names(name, one),
        health=_health(one.get("healthcheck")),
        depends_on={other: str(how.get("condition")) for other, how in depends.items()},
        optional=frozenset(o for o, how in depends.items() if not how.get("required", True)),
        profiles=tuple(one.get("profiles") or ()),
        stop_grace=seconds(one.get("stop_grace_period")),
        gpus=_wants_gpu(one),
        cap_add=tuple(one.get("cap_add") or ()),
        cap_drop=tuple(one.get("cap_drop") or ()),
        shm_size=in_bytes(one["shm_size"]) if one.get("shm_size") else None,
        ulimits=dict(_ulimits(one)),
        hosts=dict(_hosts(one)),
        privileged=bool(one.get("privileged")),
        links=tuple(str(link).partition(":")[0] for link in one.get("links") or ()),
    )


def _build(build: Mapping[str, Any], table: Mapping[str, Any]) -> BuildOf:
    context, inline = Path(str(build.get("context") or ".")), build.get("dockerfile_inline")
    extra = [f"--add-host={host.replace('=', ':', 1)}" for host in build.get("extra_hosts") or ()]
    extra += [f"--shm-size={in_bytes(build['shm_size'])}"] if build.get("shm_size") else []
    args = {k: v for k, v in (build.get("args") or {}).items() if v is not None}
    return BuildOf(
        context,
        dockerfile=None if inline else context / str(build.get("dockerfile") or "Dockerfile"),
        inline=inline,
        target=build.get("target") or None,
        args=args,
        contexts=dict(build.get("additional_contexts") or {}),
        secrets=tuple(_build_secrets(build, table)),
        ssh=tuple(sorted(_ssh(build.get("ssh") or ()))),
        platforms=tuple(build.get("platforms") or ()),
        network=build.get("network") or None,
        extra=tuple(extra),
    )


def _build_secrets(build: Mapping[str, Any], table: Mapping[str, Any]) -> Iterator[str]:
    for item in build.get("secrets") or ():
        stated = (table.get("secrets") or {}).get(item["source"]) or {}
        name = str(item.get("target") or item["source"]).rpartition("/")[2]
        if stated.get("file"):
            yield f"id={name},src={stated['file']}"
        elif stated.get("environment"):
            yield f"id={name},env={stated['environment']}"


def _ssh(stated: Any) -> Iterator[str]:
    """`id` or `id=place`, which Compose 2.40 prints as `id: place`."""
    yield from (re.sub(r"^([\w.-]+): ", r"\1=", str(item)) for item in stated)


def _words(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(map(str, value))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _ports(one: Mapping[str, Any]) -> Iterator[int]:
    found: dict[int, None] = {}
    for port in one.get("ports") or ():
        if port.get("protocol", "tcp") == "tcp":
            found[int(port["target"])] = None
    for text in one.get("expose") or ():
        number, _, protocol = str(text).partition("/")
        if number.isdigit() and protocol in ("", "tcp"):
            found[int(number)] = None
    yield from found


def _mounts(one: Mapping[str, Any]) -> Iterator[Mount]:
    for item in one.get("volumes") or ():
        kind = str(item.get("type") or "volume")
        if kind in ("bind", "volume", "tmpfs") and item.get("target"):
            source, target = str(item.get("source") or ""), normpath(str(item["target"]))
            source = normpath(source) if kind == "bind" else source
            yield Mount(kind, source, target, bool(item.get("read_only")))


def _tmpfs(mounts: tuple[Mount, ...]) -> list[str]:
    return [mount.target for mount in mounts if mount.kind == "tmpfs"]


def _given(one: Mapping[str, Any], table: Mapping[str, Any], section: str) -> Iterator[Given]:
    import os

    for item in one.get(section) or ():
        stated = (table.get(section) or {}).get(item["source"]) or {}
        target = str(item.get("target") or item["source"])
        if not target.startswith("/"):
            target = f"/run/secrets/{target}" if section == "secrets" else f"/{target}"
        if stated.get("file"):
            yield Given(target, file=str(stated["file"]))
        elif stated.get("content") is not None:
            yield Given(target, content=str(stated["content"]))
        elif stated.get("environment"):
            yield Given(target, content=os.environ.get(str(stated["environment"]), ""))


def _ulimits(one: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, int]]]:
    for name, limit in (one.get("ulimits") or {}).items():
        pair = limit if isinstance(limit, dict) else {"soft": limit, "hard": limit}
        soft, hard = (-1 if pair.get(key) is None else int(pair[key]) for key in ("soft", "hard"))
        yield name, (soft, hard)


def _hosts(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for pair in one.get("extra_hosts") or ():
        name, _, address = str(pair).partition("=")
        if address and address != "host-gateway":
            yield name, address


def _names(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    found = [name, one.get("container_name"), one.get("hostname")]
    for network in (one.get("networks") or {}).values():
        found += (network or {}).get("aliases") or ()
    return tuple(dict.fromkeys(str(item) for item in found if item))


def _health(check: Mapping[str, Any] | None) -> Health | None:
    if not check:
        return None
    return Health(
        ("NONE",) if check.get("disable") else tuple(map(str, check.get("test") or ())),
        interval=seconds(check.get("interval")),
        timeout=seconds(check.get("timeout")),
        start_period=seconds(check.get("start_period")),
        start_interval=seconds(check.get("start_interval")),
        retries=int(check["retries"]) if check.get("retries") is not None else None,
    )


def seconds(text: Any) -> float | None:
    """`1m30s` in seconds; None for nothing."""
    if text is None or isinstance(text, (int, float)):
        return None if text is None else float(text)
    found = _DURATION.findall(str(text))
    return sum(float(number) * _SECONDS[unit] for number, unit in found) if found else None


def in_bytes(size: Any) -> int:
    """`64m` in bytes (docker/go-units: units are powers of 1024)."""
    match = _SIZE.fullmatch(str(size).strip().lower())
    if match is None:
        return 0
    found = float(match[1]) * 1024 ** " kmgt".index(match[2] or " ")
    return int(found) if found < _MOST_BYTES else 0


def _wants_gpu(one: Mapping[str, Any]) -> bool:
    limits = ((one.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    devices = [*(limits.get("devices") or ()), *(_listed(one.get("gpus")))]
    return bool(devices) or one.get("runtime") == "nvidia"


def unescaped(value: Any) -> Any:
    """What Compose printed, with `$$` read back as `$`."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    return {k: unescaped(v) for k, v in value.items()} if isinstance(value, dict) else value


def same_build(one: BuildOf | None, other: BuildOf | None) -> bool:
    """Whether both give the same image."""
    if one is None or other is None:
        return False
    return replace(one, platforms=()) == replace(other, platforms=())
