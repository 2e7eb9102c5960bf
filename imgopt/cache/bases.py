"""What is known of a base image's configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BaseConfig:
    """What a build takes over from a base image. `identity` tells two versions of one name apart (a
    digest).

    `known` False: only the identity is; the environment and the working directory then count as
    "the base's own".
    """

    env: tuple[tuple[str, str], ...] = ()
    workdir: str = "/"
    user: str = ""
    shell: tuple[str, ...] = ()
    onbuild: tuple[str, ...] = ()
    identity: str = ""
    known: bool = True
