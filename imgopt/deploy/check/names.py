"""The table of names that the rules know (`names.toml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec


class Client(msgspec.Struct, frozen=True):
    """Programs that ask a host: behind one of these options, or ("") the first plain word."""

    programs: tuple[str, ...]
    options: tuple[str, ...]


class Removed(msgspec.Struct, frozen=True):
    """A version of an API; `since` is the first release of Kubernetes without it."""

    version: str
    kinds: tuple[str, ...]
    since: str
    use: str


class Routes(msgspec.Struct, frozen=True):
    readiness: frozenset[str]


class Variables(msgspec.Struct, frozen=True):
    dead: tuple[str, ...]
    java: tuple[str, ...]
    java_any: tuple[str, ...]


class Programs(msgspec.Struct, frozen=True):
    programs: frozenset[str]


class Sockets(msgspec.Struct, frozen=True):
    paths: frozenset[str]


class Gpu(msgspec.Struct, frozen=True):
    libraries: tuple[str, ...]


class Ended(msgspec.Struct, frozen=True):
    """A controller that is maintained no longer."""

    annotations: str
    controller: str
    since: str


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    quiet_kinds: frozenset[str]
    machine: tuple[str, ...]
    inits: frozenset[str]
    client: tuple[Client, ...]
    routes: Routes
    variables: Variables
    java: Programs
    interpreters: Programs
    sockets: Sockets
    gpu: Gpu
    ended: Ended
    removed: tuple[Removed, ...]


@cache
def names() -> Names:
    path = Path(__file__).with_name("names.toml")
    return msgspec.toml.decode(path.read_bytes(), type=Names)
