"""Companions of a service: started in a network of the run's own before it, with fresh data, waited
for as its Compose file says, and gone with the run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from imgopt.compose.companions import FINISHED, HEALTHY, Beside, Companion
from imgopt.compose.model import Health, Service
from imgopt.engine import Container, RunRequest, Session
from imgopt.engine.container import StartFailure
from imgopt.engine.session import remove_tree
from imgopt.errors import EnvironmentFailure
from imgopt.run.answers import served
from imgopt.run.authority import INSIDE, TRUSTING, make_authority
from imgopt.run.companion_images import NotHad, image_of
from imgopt.run.connections import connections
from imgopt.run.fresh_mounts import fresh_mounts
from imgopt.run.listening import listeners
from imgopt.run.name_server import name_server
from imgopt.run.near import Near
from imgopt.run.settings import SmokeSettings
from imgopt.run.what_to_ask import health_words

_END_SECONDS = 300.0
_STARTED_SECONDS = 20.0
_MOST_HEALTHY_SECONDS = 300.0
_CALM_SECONDS = 3.0
_PAUSE = 0.25
_TWICE = 0.8
"""Between two good answers of a health check: a server that is only being set up gives one."""


class CompanionFailure(Exception):
    """A companion cannot be had, does not start, or ends with an error. `log` is what it said,
    `hints` what would help."""

    def __init__(self, reason: str, log: str = "", hints: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.reason, self.log, self.hints = reason, log, tuple(hints)


@contextlib.contextmanager
def companions(session: Session, settings: SmokeSettings, image: str) -> Iterator[Near | None]:
    """Starts them, each when what it waits for is there, for a run of `image`; None where the run
    has no network of its own. Raises CompanionFailure, EnvironmentFailure."""
    if not settings.in_own_network:
        yield None
        return
    network = session.run_network()
    if network is None:
        raise CompanionFailure("the engine makes no network for the companions")
    with contextlib.ExitStack() as stack:
        stack.callback(session.remove_network, network)
        run = _Starting(session, settings, image, network, stack)
        yield run.all()


class _Starting:
    def __init__(
        self,
        session: Session,
        settings: SmokeSettings,
        image: str,
        network: str,
        stack: contextlib.ExitStack,
    ) -> None:
        self._session, self._beside, self._image = session, settings.beside, image
        self._timeout, self._stack = settings.start_timeout, stack
        self._answers = settings.answers
        self._volumes: dict[str, str] = {}
        self._done: dict[str, Companion] = {}
        local = session.engine.facts.local
        self._local = local
        service = self._beside.service if self._beside is not None else None
        self._near = Near(service, network, measured=local)

    def all(self) -> Near:
        gateway = self._session.gateway(self._near.network) if self._local else ""
        asked = self._stack.enter_context(name_server(gateway)) if gateway else None
        if asked is not None:
            self._near.asked, self._near.dns = asked, (gateway,)
        if self._answers:
            self._answer(gateway)
        if self._beside is not None:
            self._start_all(self._beside)
        if self._local:
            running = self._near.running.items()
            self._near.earlier = {name: connections(one) for name, one in running}
        return self._near

    def _start_all(self, beside: Beside) -> None:
        for companion in beside.companions:
            self._wait_for_others(companion.service)
            self._start(companion, beside)
        self._wait_for_others(beside.service)
        for name in self._near.running:  # those that only a variable names
            if name not in beside.service.depends_on:
                self._await_started(name)
        self._near.mounts += self._mounts(beside.service)
        written = (one for one in beside.service.mounts if not one.read_only)
        self._near.stores = tuple(one.target for one in written)

    def _answer(self, gateway: str) -> None:
        """Has the hosts that are answered for lead to a server of ours at the network's gateway."""
        if not gateway:
            raise EnvironmentFailure(
                "answers under [smoke] are given on this machine, and the engine is elsewhere"
            )
        secure = sorted({one.host for one in self._answers if one.scheme == "https"})
        folder = self._authority(secure) if secure else None
        self._near.desk = self._stack.enter_context(served(self._answers, gateway, folder))
        self._near.hosts = {one.host: gateway for one in self._answers}
        if folder is not None:
            self._near.mounts = (f"{folder / 'authority.pem'}:{INSIDE}:ro",)
            self._near.trust = dict.fromkeys(TRUSTING, INSIDE)

    def _authority(self, hosts: list[str]) -> Path:
        """One for all runs of the session, so that they are alike."""
        key = f"authority {' '.join(hosts)}"
        if key not in self._session.prepared:
            folder = self._session.temp_tree("authority")
            folder.chmod(0o755)
            make_authority(folder, hosts)
            self._session.prepared[key] = str(folder)
        return Path(self._session.prepared[key])

    def _wait_for_others(self, service: Service) -> None:
        for name, condition in service.depends_on.items():
            if name not in self._near.running:
                continue
            if condition == HEALTHY:
                self._await_healthy(name)
            elif condition != FINISHED:
                self._await_started(name)

    def _start(self, companion: Companion, beside: Beside) -> None:
        service, near = companion.service, self._near
        try:
            image = image_of(self._session, companion, beside, self._image)
        except NotHad as missing:
            if companion.needed:
                raise CompanionFailure(str(missing), hints=missing.hints) from None
            near.missing.append(f"{missing}; {missing.hints[0]}")
            return
        asked = RunRequest(
            image,
            command=service.command,
            env=service.environment,
            mounts=(*near.mounts, *self._mounts(service)),
            health_check=False,
        )
        request = near.as_described(asked, service)
        try:
            container = self._stack.enter_context(self._session.create(request))
            container.start()
        except StartFailure as failure:
            raise CompanionFailure(f"its companion {service.name}: {failure.message}") from None
        self._done[service.name] = companion
        if companion.ends:
            self._await_end(service.name, container)
        else:
            self._near.running[service.name] = container

    def _await_end(self, name: str, container: Container) -> None:
        code = container.wait(_END_SECONDS)
        if code == 0:
            return
        log = container.logs().text
        what = f"ended with exit code {code}"
        if code is None:
            what = f"did not end within {_END_SECONDS:.0f} s"
        raise CompanionFailure(f"its companion {name} {what}{_last(log)}", log)

    def _await_healthy(self, name: str) -> None:
        """Its check is asked at once and again and again, and not in the intervals that it has for
        a service that runs for days."""
        service, container = self._done[name].service, self._near.running[name]
        test = self._test(service.health, container)
        if test is None:
            self._await_started(name)
            return
        end = time.monotonic() + _patience(service.health, self._timeout)
        good: float | None = None
        said = ""
        while time.monotonic() < end:
            self._must_run(name, container)
            given = container.exec(test, timeout=_test_seconds(service.health))
            if given.code == 0 and self._listens(container):
                if good is not None and time.monotonic() - good >= _TWICE:
                    return
                good = time.monotonic() if good is None else good
            else:
                good = None
                said = (given.stdout + given.stderr).decode(errors="replace").strip()
            time.sleep(_PAUSE)
        log = container.logs().text
        waited = _patience(service.health, self._timeout)
        last = f": {said.splitlines()[-1]}" if said else ""
        raise CompanionFailure(
            f"its companion {name} is not healthy after {waited:.0f} s{last}", log
        )

    def _test(self, health: Health | None, container: Container) -> tuple[str, ...] | None:
        """The words of its check: the file's, else its image's."""
        if health is not None and health.test:
            return health_words(health.test)
        config = self._session.engine.image(container.inspect()["Image"]).get("Config") or {}
        return health_words((config.get("Healthcheck") or {}).get("Test"))

    def _await_started(self, name: str) -> None:
        """Until it listens on a port that its image names, or on any, or has run for a moment:
        who waits for no more than its start tries again anyway."""
        container = self._near.running[name]
        begun = time.monotonic()
        while time.monotonic() - begun < _STARTED_SECONDS:
            self._must_run(name, container)
            calm = time.monotonic() - begun > _CALM_SECONDS
            if self._local and self._listens(container, some=True):
                return
            if calm and not (self._local and _exposed(container)):
                return
            time.sleep(_PAUSE)

    def _listens(self, container: Container, *, some: bool = False) -> bool:
        """Whether it listens for others on one of the ports that its image names; where it names
        none, on any with `some`."""
        exposed = _exposed(container)
        if not self._local or not (exposed or some):
            return not some
        found = {item.port for item in listeners(container.pid) if not item.loopback}
        return bool(found & exposed) if exposed else bool(found)

    def _must_run(self, name: str, container: Container) -> None:
        state = container.state()
        if state.get("Status") in ("exited", "dead"):
            log, code = container.logs().text, state["ExitCode"]
            raise CompanionFailure(
                f"its companion {name} ended with exit code {code}{_last(log)}", log
            )

    def _mounts(self, service: Service) -> tuple[str, ...]:
        """Copies of what it mounts, volumes of the run's own, its secrets and configs."""
        binds: list[str] = []
        ready: list[str] = []
        for mount in service.mounts:
            end = ":ro" if mount.read_only else ""
            if mount.kind == "bind":
                source = mount.source if Path(mount.source).exists() else self._empty()
                binds.append(f"{source}:{mount.target}{end}")
            elif mount.source:
                ready.append(f"{self._volume(mount.source)}:{mount.target}{end}")
            else:
                ready.append(mount.target)
        for given in service.given:
            file = given.file if given.file and Path(given.file).is_file() else None
            text = given.content or ""
            binds.append(f"{file or self._file(text)}:{given.target}:ro")
        copies = self._stack.enter_context(fresh_mounts(self._session, binds, as_is=False))
        return (*copies, *ready)

    def _volume(self, name: str) -> str:
        if name not in self._volumes:
            self._volumes[name] = made = self._session.volume()
            self._stack.callback(self._session.remove_volume, made)
        return self._volumes[name]

    def _empty(self) -> Path:
        tree = self._session.temp_tree("mount")
        tree.chmod(0o755)
        self._stack.callback(remove_tree, tree)
        return tree

    def _file(self, text: str) -> Path:
        path = self._empty() / "given"
        path.write_text(text)
        path.chmod(0o444)
        return path


def _exposed(container: Container) -> frozenset[int]:
    ports = (container.inspect().get("Config") or {}).get("ExposedPorts") or {}
    numbers = (name.partition("/") for name in ports)
    return frozenset(int(port) for port, _, kind in numbers if port.isdigit() and kind == "tcp")


def _patience(health: Health | None, start_timeout: float) -> float:
    stated = 0.0
    if health is not None:
        rounds = health.retries if health.retries is not None else 3
        stated = (health.start_period or 0.0) + rounds * (health.interval or 30.0)
    return min(max(start_timeout, stated), _MOST_HEALTHY_SECONDS)


def _test_seconds(health: Health | None) -> float:
    return max(1.0, health.timeout if health is not None and health.timeout else 30.0)


def _last(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""
