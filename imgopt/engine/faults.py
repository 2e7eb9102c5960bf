"""What a build, a container or the engine says when the machine is at fault: a full disk, a network
that is away, an engine that has gone. None of it says anything of a Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterable

from imgopt.errors import EnvironmentFailure

FREES = (
    "`docker system df` shows what takes the space; `docker builder prune` and `docker image prune`"
    " free it"
)
_FULL = re.compile(
    r"no space left on device|\bENOSPC\b|\[Errno 28\]|os error 28\b|not enough (?:free )?(?:disk"
    r" )?space"
    r"|don't have enough free space|insufficient (?:disk )?space|more space needed on the|disk"
    r" quota exceeded"
    r"|\bEDQUOT\b|disk is full|disk full",
    re.IGNORECASE,
)
_OTHER_SPACE = re.compile(
    r"/dev/shm|watchers|inotify|semaphore|semget|shmget|quota of tokens", re.IGNORECASE
)
"""ENOSPC is also the error of other tables of the kernel, and of memory that a container is
given."""
_OWN_MEMORY = re.compile(r"--mount=\S*type=tmpfs")
_NO_RESOLVER = re.compile(
    r"Temporary failure (?:in name resolution|resolving)|\bEAI_AGAIN\b|server misbehaving|network"
    r" is unreachable"
    r"|\bENETUNREACH\b",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"could not resolve|couldn't resolve|name or service not known|\bENOTFOUND\b|no such"
    r" host|unknown host"
    r"|failed to lookup address|nodename nor servname|name does not resolve|bad address '",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"Cannot connect to the Docker daemon|error reading from server: EOF|transport is"
    r" closing|connection refused.*"
    r"docker\.sock|docker\.sock: connect|rpc error: code = Unavailable",
    re.IGNORECASE,
)
LAST = 60
"""Lines of a log that are looked at: a fault ends what it meets, or nearly."""


def full_disk(lines: Iterable[str], step: str = "") -> str:
    """The line that says that a disk is full; "" for none, and for a step (`RUN ...`) with memory
    of its own for it."""
    if _OWN_MEMORY.search(step):
        return ""
    return next(
        (line for line in _last(lines) if _FULL.search(line) and not _OTHER_SPACE.search(line)), ""
    )


def no_resolver(lines: Iterable[str]) -> str:
    """The line that says that no name at all can be resolved, or no network is there."""
    return next((line for line in _last(lines) if _NO_RESOLVER.search(line)), "")


def no_network(lines: Iterable[str]) -> str:
    """The same, and a line that says that one name was not found, which may be the name's own
    fault."""
    return next(
        (line for line in _last(lines) if _NO_RESOLVER.search(line) or _NO_NAME.search(line)), ""
    )


def gone(text: str) -> bool:
    """Whether it says that the engine does not answer any more."""
    return _GONE.search(text) is not None


def disk_failure(line: str, what: str) -> EnvironmentFailure:
    """`what` was done when the engine's disk was full."""
    return EnvironmentFailure(
        f"the engine's disk is full ({what}): {line.strip()[:300]}", hint=FREES
    )


def network_failure(line: str, what: str) -> EnvironmentFailure:
    """`what` was done when no network was there."""
    return EnvironmentFailure(
        f"the network of builds is away ({what}): {line.strip()[:300]}",
        hint=(
            "can a container resolve names? a proxy is given with --build-arg HTTPS_PROXY=...,"
            " another network with --network"
        ),
    )


def _last(lines: Iterable[str]) -> list[str]:
    return [part for line in list(lines)[-LAST:] for part in line.splitlines()]
