"""What is seen of a running container from the engine's own machine: listening ports, its user, its
memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imgopt.run.processes import proc_text

_LISTEN = "0A"
_ENGINE_DNS = "0B00007F"  # 127.0.0.11, the engine's own name server in user-defined networks
_LOOPBACK4 = "7F"
_LOOPBACK6 = "00000000000000000000000001000000"
_ACCEPTS = 0x10000
EPHEMERAL = 32768
"""From here on the kernel gives ports that nobody asked for (ip_local_port_range): another one at
every start."""


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """A TCP port that a process of the container listens on; `loopback`: only for the container
    itself."""

    port: int
    loopback: bool


def listeners(pid: int) -> frozenset[Listener]:
    """Of the network namespace of this process (proc_pid_net(5)); empty where it is gone or may not
    be read."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            found |= set(parse_table(Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]))
        except OSError:
            continue
    open_to_all = {listener.port for listener in found if not listener.loopback}
    return frozenset(item for item in found if not (item.loopback and item.port in open_to_all))


def parse_table(lines: Iterable[str]) -> Iterable[Listener]:
    for line in lines:
        fields = line.split()
        if len(fields) < 4 or fields[3] != _LISTEN:
            continue
        address, _, port = fields[1].partition(":")
        if address == _ENGINE_DNS:
            continue
        loopback = address.endswith(_LOOPBACK4) if len(address) == 8 else address == _LOOPBACK6
        yield Listener(int(port, 16), loopback)


def other_sockets(pid: int) -> frozenset[str]:
    """`udp PORT` for bound datagram ports below the kernel's own range, `unix PATH` for listening
    sockets with a path (or `unix @NAME`), of the network namespace of this process; empty where it
    is gone or may not be read."""
    found: set[str] = set()
    for table in ("udp", "udp6"):
        found |= {
            f"udp {port}"
            for port in bound_datagrams(
                proc_text(Path(f"/proc/{pid}/net/{table}")).splitlines()[1:]
            )
        }
    found |= {
        f"unix {path}"
        for path in listening_paths(proc_text(Path(f"/proc/{pid}/net/unix")).splitlines()[1:])
    }
    return frozenset(found)


def bound_datagrams(lines: Iterable[str]) -> Iterable[int]:
    """Of /proc/net/udp: what is bound and connected to nobody, but for the engine's name server."""
    for line in lines:
        fields = line.split()
        if len(fields) < 4:
            continue
        address, _, port = fields[1].partition(":")
        nobody = set(fields[2].partition(":")[0]) <= {"0"}
        if address != _ENGINE_DNS and nobody and 0 < int(port, 16) < EPHEMERAL:
            yield int(port, 16)


def listening_paths(lines: Iterable[str]) -> Iterable[str]:
    """Of /proc/net/unix (unix(7)): sockets that accept connections, flag 0x10000, and have a
    name."""
    for line in lines:
        fields = line.split(None, 7)
        if len(fields) == 8 and int(fields[3], 16) & _ACCEPTS:
            yield fields[7].strip()
