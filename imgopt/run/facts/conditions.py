"""Under which conditions an image is started: limits, variables and rights beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from imgopt.engine import RunRequest


@dataclass(frozen=True, slots=True)
class Conditions:
    """`memory` in bytes, `processors` as `--cpus`; `env` is given over what the user gives;
    `command` and `entrypoint` replace the image's. What is None or empty stays as it is."""

    memory: int | None = None
    processors: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    cap_drop: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    user: str | None = None

    def put_on(self, request: RunRequest) -> RunRequest:
        """The request with these conditions."""
        return replace(
            request,
            memory=self.memory or request.memory,
            processors=self.processors or request.processors,
            env={**request.env, **self.env},
            entrypoint=self.entrypoint if self.entrypoint is not None else request.entrypoint,
            command=self.command if self.command is not None else request.command,
            cap_drop=self.cap_drop or request.cap_drop,
            cap_add=self.cap_add or request.cap_add,
            sysctls={**request.sysctls, **self.sysctls},
            read_only=self.read_only or request.read_only,
            tmpfs=(*request.tmpfs, *self.tmpfs),
            user=self.user or request.user,
        )


AS_IT_IS = Conditions()
