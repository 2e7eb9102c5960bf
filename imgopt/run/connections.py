"""With which companions a service has spoken, seen from the engine's own machine: a connection is
in the kernel's table while it lives, and for a minute after it at the side that closed it."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from imgopt.engine import Container
from imgopt.run.processes import proc_text

_STATES = frozenset(["01", "04", "05", "06", "08", "09", "0B"])
"""Established, and what is left of a connection that was (include/net/tcp_states.h)."""


Connection = tuple[str, str, str]
"""Address and port of the other side, and the port of this one, as the table has it."""


def reached(
    container: Container,
    companions: Mapping[str, Container],
    network: str,
    earlier: Mapping[str, frozenset[Connection]],
) -> frozenset[str]:
    """The names of those with which it has, or a moment ago had, a TCP connection; empty where
    neither side's table can be read. `earlier` are the companions' connections before it started:
    whoever had one may have had its address."""
    own = {address for address, _, _ in connections(container)}
    far = addresses(container, network)
    return frozenset(
        name
        for name, other in companions.items()
        if own & addresses(other, network)
        or far & {address for address, _, _ in connections(other) - earlier.get(name, frozenset())}
    )


def addresses(container: Container, network: str) -> frozenset[str]:
    """Its addresses in a network."""
    networks = container.inspect()["NetworkSettings"].get("Networks") or {}
    found = networks.get(network) or {}
    keys = ("IPAddress", "GlobalIPv6Address")
    return frozenset(str(found[key]) for key in keys if found.get(key))


def connections(container: Container) -> frozenset[Connection]:
    """What the kernel's tables have of its network."""
    pid = container.pid
    if not pid:
        return frozenset()
    tables = (proc_text(Path(f"/proc/{pid}/net/{name}")) for name in ("tcp", "tcp6"))
    return frozenset(found for table in tables for found in read(table.splitlines()[1:]))


def read(lines: Iterable[str]) -> Iterable[Connection]:
    """Of /proc/net/tcp and tcp6 (proc_pid_net(5)): what has, or a moment ago had, another side."""
    for line in lines:
        fields = line.split()
        if len(fields) >= 4 and fields[3] in _STATES:
            address, _, port = fields[2].partition(":")
            yield _address(address), port, fields[1].partition(":")[2]


def _address(text: str) -> str:
    """Words of four bytes, each in the machine's own order; IPv4 within IPv6 as IPv4."""
    import sys

    raw = bytes.fromhex(text)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    whole = b"".join(words)
    if len(whole) == 16 and whole[:12] == bytes(10) + b"\xff\xff":
        whole = whole[12:]
    return socket.inet_ntop(socket.AF_INET if len(whole) == 4 else socket.AF_INET6, whole)
