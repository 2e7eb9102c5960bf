"""How an image is started for a run: what its configuration, its Compose file and the user's
settings ask for, and what it should come to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgopt.engine import Container, RunRequest, Session
from imgopt.run.companions import companions
from imgopt.run.fresh_mounts import fresh_mounts
from imgopt.run.near import Near
from imgopt.run.observation import RunPlan
from imgopt.run.ready import Expected
from imgopt.run.settings import SmokeSettings, read_http
from imgopt.run.what_to_ask import health_words, only_explains

HOSTNAME = "imgopt"
_MOST_EXPOSED = 40


@dataclass(frozen=True, slots=True)
class Made:
    """A container that is ready to be started, what is there for it, and how it was asked for."""

    container: Container
    near: Near | None
    request: RunRequest


class Starting:
    """Of one image. `ports` are published; those that are seen listening beside them are added.
    `change` says what is otherwise than the settings ask for."""

    def __init__(
        self,
        session: Session,
        image: str,
        settings: SmokeSettings,
        plan: RunPlan | None = None,
        user: str | None = None,
        change: Callable[[RunRequest], RunRequest] = lambda request: request,
    ) -> None:
        self._session, self._image, self._settings = session, image, settings
        self._plan, self._user, self._change = plan, user, change
        self.config: Mapping[str, Any] = session.engine.image(image).get("Config") or {}
        service = settings.beside.service if settings.beside is not None else None
        exposed = _tcp_ports(self.config.get("ExposedPorts") or {})
        self.exposed = frozenset((*exposed, *(service.ports if service is not None else ())))
        self.words = [*(self.config.get("Entrypoint") or ()), *(self.config.get("Cmd") or ())]
        self.explains = only_explains(self.words)
        stated = service.health.test if service is not None and service.health is not None else ()
        own = (self.config.get("Healthcheck") or {}).get("Test")
        self.health = health_words(stated or own)
        self.own_health = health_words(own)
        self.requests = tuple(read_http(setting) for setting in settings.http)
        asked = {request.port for request in self.requests if request.port}
        self.wanted = frozenset(settings.ports) | asked
        self.ports: frozenset[int] = (
            self.exposed | self.wanted | frozenset(plan.ports if plan else ())
        )

    @contextlib.contextmanager
    def made(self) -> Iterator[Made]:
        """A container that is not started, with fresh mounts and its companions. Raises
        StartFailure, CompanionFailure, EnvironmentFailure."""
        with contextlib.ExitStack() as stack:
            mounts = stack.enter_context(fresh_mounts(self._session, self._settings.mounts))
            near = stack.enter_context(companions(self._session, self._settings, self._image))
            request = self._change(self.request(mounts, near))
            yield Made(stack.enter_context(self._session.create(request)), near, request)

    def request(self, mounts: tuple[str, ...], near: Near | None) -> RunRequest:
        """What the engine is asked for."""
        settings = self._settings
        shared = settings.network == "host" or (settings.network or "").startswith("container:")
        request = RunRequest(
            self._image,
            command=settings.command,
            env=settings.environment(),
            mounts=mounts,
            ports=() if shared else tuple(f"{port}/tcp" for port in sorted(self.ports)),
            user=self._user,
            network=settings.network,
            hostname=None if shared else HOSTNAME,
            health_check=False,
        )
        return request if near is None else near.started_like(request)

    def expected(self, final: bool = False) -> Expected:
        """What it should come to, and how long that may take."""
        plan, timeout = self._plan, self._settings.start_timeout
        if plan is not None:
            timeout = min(max(timeout, 2 * plan.ready_seconds), 15.0 + 4 * plan.ready_seconds)
        paths = {
            port: request.path
            for request in reversed(self.requests)
            for port in self._ports_of(request.port)
        }
        must = self.wanted | frozenset(plan.listens if plan else ())
        may = (
            self.exposed if plan is None else frozenset()
        )  # what the original does not open is not waited for
        return Expected(must, may, paths, plan.ends if plan else False, timeout, final)

    def _ports_of(self, port: int | None) -> frozenset[int]:
        return frozenset((port,)) if port else self.ports


def _tcp_ports(exposed: Mapping[str, Any]) -> list[int]:
    pairs = (name.partition("/") for name in exposed)
    ports = sorted(
        int(port) for port, _, protocol in pairs if port.isdigit() and protocol in ("", "tcp")
    )
    return ports[:_MOST_EXPOSED]
