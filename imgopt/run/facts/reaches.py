"""Whom a service asks while one of its routes is asked and nothing else: companions, by the packets
that they get, and hosts that are not here, by the names that it looks up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from imgopt.run.near import Near
from imgopt.run.processes import proc_text

ASKED = 5
"""How often a route is asked: a companion that it needs gets at least as many packets."""
_QUIET_SECONDS = 0.6
_AFTER_SECONDS = 0.15
_REVERSE = (".in-addr.arpa", ".ip6.arpa")


@dataclass
class Reaches:
    """What is near a service, and the hosts that it looked up in all."""

    near: Near | None

    @property
    def why_not(self) -> str:
        """Why it cannot be seen; "" where it can."""
        if self.near is None:
            return "the container is in a network that others share"
        return "" if self.near.measured else "the engine is not on this machine"

    def during(self, act: Callable[[], object]) -> list[str]:
        """Does it five times, and says whom the service asked for it."""
        near = self.near
        if near is None or not near.measured:
            return []
        before = self._packets()
        time.sleep(_QUIET_SECONDS)
        quiet, begun = self._packets(), time.monotonic()
        looked_up, reached = set(near.asked), self._canned()
        self._forget()
        for _ in range(ASKED):
            act()
        time.sleep(_AFTER_SECONDS)
        seconds = time.monotonic() - begun
        names = [*busier(before, quiet, self._packets(), seconds / _QUIET_SECONDS)]
        names += hosts(near.asked) + sorted(self._canned())
        near.asked |= looked_up
        if near.desk is not None:
            near.desk.hosts |= reached
        return list(dict.fromkeys(names))

    def looked_up(self) -> list[str]:
        """Hosts that were asked for since the start, whom nobody here knows."""
        return hosts(self.near.asked) if self.near is not None else []

    def _canned(self) -> set[str]:
        desk = self.near.desk if self.near is not None else None
        return set(desk.hosts) if desk is not None else set()

    def _forget(self) -> None:
        if self.near is not None:
            self.near.asked.clear()
            if self.near.desk is not None:
                self.near.desk.hosts.clear()

    def _packets(self) -> dict[str, int]:
        running = self.near.running.items() if self.near is not None else ()
        return {name: packets(proc_text(_table(one.pid))) for name, one in running}


def busier(
    first: Mapping[str, int], quiet: Mapping[str, int], after: Mapping[str, int], times: float
) -> list[str]:
    """Companions that got at least a packet for each time that a route was asked, over what they
    get anyway. `times`: how much longer the asking took than the quiet before it."""
    found = []
    for name, last in after.items():
        usual = (quiet.get(name, 0) - first.get(name, 0)) * times
        if last - quiet.get(name, 0) - usual >= ASKED:
            found.append(name)
    return found


def packets(table: str) -> int:
    """Packets that came in, of /proc/PID/net/dev (proc_pid_net(5)), but for the loopback."""
    count = 0
    for line in table.splitlines():
        name, colon, rest = line.partition(":")
        fields = rest.split()
        if colon and name.strip() != "lo" and len(fields) > 1 and fields[1].isdigit():
            count += int(fields[1])
    return count


def hosts(asked: Iterable[str]) -> list[str]:
    """Names without those that a resolver makes of them by adding the domain of this machine, and
    without questions for an address's name."""
    names = sorted({name.rstrip(".") for name in asked if not name.endswith(_REVERSE)}, key=len)
    kept: list[str] = []
    for name in names:
        if name and not any(name.startswith(f"{other}.") for other in kept):
            kept.append(name)
    return sorted(kept)


def _table(pid: int) -> Path:
    return Path(f"/proc/{pid}/net/dev")
