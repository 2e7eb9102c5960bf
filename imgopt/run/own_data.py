"""Whether requests that change something touch nothing of the user's: the container's data go with
it, and what the user gave it to work with is not there to be changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from imgopt.run.settings import SmokeSettings

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?(?P<host>\[[^\]]*\]|[\w.-]+)")
_HOST_NAME = re.compile(
    r"(?:^|_)(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER|SERVERS|BROKER|ENDPOINT|DSN|PEER)$"
)
_OWN = re.compile(
    r"(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[?::1?\]?|imgopt|.*\.(?:example|invalid|test|localhost)|"
    r"(?:.*\.)?example\.(?:org|com|net))(?::\d+)?",
    re.IGNORECASE,
)


def why_not(settings: SmokeSettings, mounts: Sequence[str]) -> str:
    """Why nothing is asked unasked-for that could change something, in a clause; "" where the run
    has nothing of the user's. `mounts` are those that the container was given."""
    if not settings.writes:
        return "--no-writes, or writes under [smoke]"
    if settings.network not in (None, "bridge", "none"):
        return f"the container is in the network {settings.network}, where others may hear it"
    for mount in settings.mounts:
        read_only = "ro" in ",".join(mount.split(":")[2:]).split(",")
        if mount in mounts and not read_only:
            return f"the mount {mount} is used as it is, and what is written there stays"
    named = "" if settings.in_own_network else _elsewhere(settings.environment())
    if named:
        return f"the variable {named} names another machine"
    return ""


def _elsewhere(environment: Mapping[str, str]) -> str:
    for name, value in environment.items():
        hosts = [match["host"] for match in _URL.finditer(value)]
        if _HOST_NAME.search(name.upper()) and value and "://" not in value:
            hosts.append(value.strip())
        if any(not _OWN.fullmatch(host) for host in hosts):
            return name
    return ""
