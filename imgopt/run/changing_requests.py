"""The second half of what a run is asked: what may change something, behind everything that does
not, where nothing of the user's is touched by it."""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.engine import Container, Session
from imgopt.errors import EnvironmentFailure
from imgopt.inspect.sources.write_routes import Writes
from imgopt.run.asking import WRITE_SECONDS, Later
from imgopt.run.memory import Memory
from imgopt.run.observation import Observation
from imgopt.run.own_data import why_not
from imgopt.run.probes import Answer, Probe, ask
from imgopt.run.settings import SmokeSettings

_OWN_SECONDS = 30.0
_MOST_ENDINGS = 3
_NO_NETWORK = "the engine does not give a container a network of its own"


def planned(
    session: Session, container: Container, probes: Sequence[Probe], *, alone: bool
) -> list[Answer]:
    """As another run was asked. Raises EnvironmentFailure where the engine cannot do again what it
    did for that one."""
    if not probes:
        return []
    if alone and not _move(session, container):
        raise EnvironmentFailure(_NO_NETWORK)
    ports, memory = container.ports(), Memory()
    return [ask(probe, container, ports, memory=memory) for probe in probes]


class ChangingRequests:
    """Of the first run: finds what to ask. `first` is how many questions came before, `alone`
    whether a network of the run's own was made for it, `unasked` what was left out, and why."""

    def __init__(self, session: Session, settings: SmokeSettings, writes: Writes | None) -> None:
        self._session, self._settings, self._writes = session, settings, writes
        self._skip: frozenset[str] = frozenset()
        self._endings: tuple[str, ...] = ()
        self._begin()

    def _begin(self) -> None:
        self.first: int | None = None
        self.alone = False
        self.unasked = self._endings
        self._lost: list[str] = []

    def ask(
        self,
        container: Container,
        mounts: Sequence[str],
        first: Sequence[Answer],
        before: Sequence[Answer],
    ) -> list[Answer]:
        """The user's own requests, or else those that are found where the run has nothing of the
        user's; then what was asked `before` once more. `first` are the first answers of the
        ports."""
        self._begin()
        speaking = [a for a in first if a.probe.kind == "http" and a.status is not None]
        own = self._settings.requests
        if not speaking or not (own or self._writes is not None):
            return []
        reason = "" if own else self._why_not(container, mounts)
        if reason:
            self.unasked = (*self.unasked, f"nothing that changes something is asked: {reason}")
            return []
        self.first, memory, ports = len(before), Memory(), container.ports()
        patience = _OWN_SECONDS if own else WRITE_SECONDS
        later = Later(
            lambda probe: ask(probe, container, ports, patience, memory), speaking, self._skip
        )
        if own:
            later.own(own)
        elif self._writes is not None:
            later.found(self._writes, before)
            self.unasked = (*self.unasked, *self._writes.unasked)
        later.again(before)
        self._lost = later.lost
        return later.answers

    @property
    def has_lost(self) -> bool:
        """Whether a request got no answer, though the service took it."""
        return bool(self._lost)

    def without(self, seen: Observation) -> bool:
        """Leaves out the request that ended the service, where it was one that was only found; all
        of them from the third on. Whether there is something to leave out."""
        if self._writes is None or self.first is None:
            return False
        found = [answer.probe for answer in seen.answers[self.first :]]
        names = [
            probe.name for probe in found if probe.source == "found" and probe.label != "again"
        ]
        name = next(iter(self._lost), next(reversed(names), ""))
        if not name or len(self._endings) > _MOST_ENDINGS:
            return False
        said = f"{name} is not asked: it ends the service"
        self._skip, self._endings = self._skip | {name}, (*self._endings, said)
        if len(self._endings) == _MOST_ENDINGS:
            self._writes = None
        return True

    def _why_not(self, container: Container, mounts: Sequence[str]) -> str:
        reason = why_not(self._settings, mounts)
        if reason:
            return reason
        self.alone = self._settings.network != "none" and not self._settings.in_own_network
        return _NO_NETWORK if self.alone and not _move(self._session, container) else ""


def _move(session: Session, container: Container) -> bool:
    network = session.own_network()
    return network is not None and container.move(network)
