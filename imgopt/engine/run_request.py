"""What a container is asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `docker run` is asked for; what is None stays as the image says.

    `mounts` are `SOURCE:TARGET[:ro]` as in `docker run --volume`, `ports` `PORT[/udp]`, each
    published on a free port of 127.0.0.1; a mount without a source is a volume of its own. `memory`
    is in bytes, none of which may be swapped out, `tmpfs` paths (`/run:size=64m`); `aliases` are
    names of it in `network`, which is one that was made then; `hosts` are addresses by the names
    that they have in it, `dns` name servers behind the engine's own.
    """

    image: str
    name: str | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    user: str | None = None
    network: str | None = None
    hostname: str | None = None
    aliases: tuple[str, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)
    dns: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    shm_size: int | None = None
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    memory: int | None = None
    processors: float | None = None
    """Of one processor's time, as `--cpus`."""
    init: bool = False
    health_check: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
