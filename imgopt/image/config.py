"""The image configuration as typed values: OCI image-spec `config.md`, with Docker's Healthcheck,
Shell, OnBuild."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from imgopt.errors import InputError


def is_root(user: str) -> bool:
    """Whether USER, as it is written ("name", "uid", "user:group", "" for none), is root.

    >>> is_root("0:0"), is_root(""), is_root("65532:65532")
    (True, True, False)
    """
    return user.partition(":")[0] in ("", "0", "root")


class Healthcheck(msgspec.Struct, frozen=True):
    """HEALTHCHECK; times in nanoseconds as the engine keeps them, 0 for its default."""

    test: tuple[str, ...] = msgspec.field(name="Test", default=())
    interval: int = msgspec.field(name="Interval", default=0)
    timeout: int = msgspec.field(name="Timeout", default=0)
    start_period: int = msgspec.field(name="StartPeriod", default=0)
    retries: int = msgspec.field(name="Retries", default=0)


class HistoryEntry(msgspec.Struct, frozen=True):
    """One step of the build, as the builder wrote it down."""

    created: str | None = None
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageConfig(msgspec.Struct, frozen=True):
    """What `docker run` starts with. `None` for entrypoint, cmd and shell means: not set."""

    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    user: str = ""
    workdir: str = ""
    labels: dict[str, str] = {}
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    shell: tuple[str, ...] | None = None
    onbuild: tuple[str, ...] = ()
    architecture: str = ""
    os: str = ""
    variant: str = ""
    created: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """`env` as a mapping; the last of equal names wins."""
        return {name: value for name, _, value in (item.partition("=") for item in self.env)}

    @property
    def platform(self) -> str:
        """For instance "linux/amd64" or "linux/arm64/v8"."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class _Run(msgspec.Struct):
    env: tuple[str, ...] | None = msgspec.field(name="Env", default=None)
    entrypoint: tuple[str, ...] | None = msgspec.field(name="Entrypoint", default=None)
    cmd: tuple[str, ...] | None = msgspec.field(name="Cmd", default=None)
    user: str | None = msgspec.field(name="User", default=None)
    workdir: str | None = msgspec.field(name="WorkingDir", default=None)
    labels: dict[str, str] | None = msgspec.field(name="Labels", default=None)
    exposed_ports: dict[str, Any] | None = msgspec.field(name="ExposedPorts", default=None)
    volumes: dict[str, Any] | None = msgspec.field(name="Volumes", default=None)
    stop_signal: str | None = msgspec.field(name="StopSignal", default=None)
    healthcheck: Healthcheck | None = msgspec.field(name="Healthcheck", default=None)
    shell: tuple[str, ...] | None = msgspec.field(name="Shell", default=None)
    onbuild: tuple[str, ...] | None = msgspec.field(name="OnBuild", default=None)


class _RootFs(msgspec.Struct):
    type: str = "layers"
    diff_ids: tuple[str, ...] | None = None


class _File(msgspec.Struct):
    rootfs: _RootFs
    config: _Run | None = None
    history: tuple[HistoryEntry, ...] | None = None
    architecture: str = ""
    os: str = ""
    variant: str = ""
    created: str | None = None


class ParsedConfig(msgspec.Struct, frozen=True):
    """A configuration blob: its digest, what it says, its history and the diff IDs of its
    layers."""

    digest: str
    config: ImageConfig
    history: tuple[HistoryEntry, ...]
    diff_ids: tuple[str, ...]
    raw: bytes


def parse_config(raw: bytes, what: str) -> ParsedConfig:
    """Reads a configuration blob; raises InputError for models, charts and whatever else has no
    root file system."""
    try:
        file = msgspec.json.decode(raw, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{what}: not the configuration of a container image ({error})",
            hint=(
                "artifacts such as models, charts and attestations have no file system to look into"
            ),
        ) from None
    run = file.config or _Run()
    config = ImageConfig(
        env=run.env or (),
        entrypoint=run.entrypoint,
        cmd=run.cmd,
        user=run.user or "",
        workdir=run.workdir or "",
        labels=run.labels or {},
        exposed_ports=tuple(sorted(run.exposed_ports or ())),
        volumes=tuple(sorted(run.volumes or ())),
        stop_signal=run.stop_signal or "",
        healthcheck=run.healthcheck,
        shell=run.shell,
        onbuild=run.onbuild or (),
        architecture=file.architecture,
        os=file.os,
        variant=file.variant,
        created=file.created,
    )
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    return ParsedConfig(digest, config, file.history or (), file.rootfs.diff_ids or (), raw)
