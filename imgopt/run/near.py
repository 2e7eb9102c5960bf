"""What is there for a service when it starts, and what it does with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from imgopt.compose.model import Service
from imgopt.engine import Container, RunRequest
from imgopt.run.answers import Desk
from imgopt.run.connections import Connection, reached


@dataclass
class Near:
    """What is there for a service when it starts: a network with its companions, and what it is
    given itself. `mounts` are ready to be used."""

    service: Service | None
    network: str
    mounts: tuple[str, ...] = ()
    running: dict[str, Container] = field(default_factory=dict)
    earlier: dict[str, frozenset[Connection]] = field(default_factory=dict)
    """Connections of those that run, before the service started."""
    seen: set[str] = field(default_factory=set)
    measured: bool = True
    hosts: dict[str, str] = field(default_factory=dict)
    trust: dict[str, str] = field(default_factory=dict)
    desk: Desk | None = None
    dns: tuple[str, ...] = ()
    asked: set[str] = field(default_factory=set)
    """Names of hosts that were asked for, of which nobody here knows."""
    stores: tuple[str, ...] = ()
    """Folders of the service that are mounted for writing."""
    missing: list[str] = field(default_factory=list)
    """Companions that only a variable names and that cannot be had, each with what would help."""

    @property
    def names(self) -> tuple[str, ...]:
        """What can be reached: services that run, and hosts that are answered for."""
        return (*self.running, *dict.fromkeys(self.hosts))

    def started_like(self, request: RunRequest) -> RunRequest:
        """The request with what the Compose file says of the service under proof."""
        said = self.as_described(request, self.service or Service(""))
        return replace(said, mounts=(*request.mounts, *self.mounts))

    def as_described(self, request: RunRequest, service: Service) -> RunRequest:
        """The request, in this network, with all but the mounts that the Compose file says of a
        service."""
        return replace(
            request,
            env={**self.trust, **request.env},
            hosts={**service.hosts, **self.hosts},
            cap_add=service.cap_add,
            cap_drop=service.cap_drop,
            shm_size=service.shm_size,
            ulimits=service.ulimits,
            dns=self.dns,
            entrypoint=service.entrypoint,
            user=request.user or service.user,
            network=self.network,
            hostname=service.hostname or request.hostname,
            aliases=tuple(dict.fromkeys((*service.names, *request.aliases))),
            working_dir=service.working_dir,
            read_only=service.read_only,
            tmpfs=service.tmpfs,
            init=service.init,
        )

    def unanswered(self) -> tuple[str, ...]:
        """What was asked of the world, for which nobody answers here, as clauses."""
        named = sorted(name for name in self.asked if "." in name and name not in self.hosts)
        said = [f"{name} is not reached: [[smoke.answers]] can answer for it" for name in named]
        unknown = dict.fromkeys(self.desk.unknown if self.desk is not None else ())
        return (*said, *(f"[[smoke.answers]] has no answer for {asked}" for asked in unknown))

    def look(self, container: Container) -> None:
        """Notes with which companions the service has a connection now, or had one a moment
        ago."""
        self.seen |= reached(container, self.running, self.network, self.earlier)
        self.seen |= self.desk.hosts if self.desk is not None else set()

    def stored(self, container: Container) -> dict[str, str] | None:
        """What lies in the folders that are mounted for writing: kind by path; None where that
        cannot be seen."""
        found: dict[str, str] = {}
        for folder in self.stores:
            below = container.kinds_below(folder)
            if below is None:
                return None
            found |= {f"{folder}/{name}": kind for name, kind in below.items()}
        return found

    def ended(self) -> str:
        """Those that have ended though they should run, each with its last line; "" for none."""
        said = []
        for name, container in self.running.items():
            state = container.state()
            if state.get("Status") in ("exited", "dead"):
                last = container.logs(tail=1).text.strip()
                said.append(f"{name} ended with exit code {state['ExitCode']}: {last}")
        return "; ".join(said)
