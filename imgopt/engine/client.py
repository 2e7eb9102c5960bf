"""Finds the engine that `docker` itself would use, and says plainly what is missing where it cannot
serve."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgopt.endpoint import Endpoint, current
from imgopt.endpoint.sdk import client_of
from imgopt.endpoint.trouble import short
from imgopt.engine.build import Build, BuildRequest, Listener, run_build
from imgopt.engine.container import Container, create
from imgopt.engine.facts import EngineFacts, gather, is_podman
from imgopt.engine.faults import disk_failure, full_disk
from imgopt.engine.run_request import RunRequest
from imgopt.errors import EnvironmentFailure, InputError

if TYPE_CHECKING:
    import docker

_PLUGIN_FOLDERS = (
    "${DOCKER_CONFIG}/cli-plugins",
    "~/.docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_OLDEST_BUILDX = (0, 13)
_REGISTRY_SECONDS = 10
_CALL_SECONDS = 120


def connect(*, builds: bool = True) -> Engine:
    """The engine that `docker` itself would ask: DOCKER_HOST, the current `docker context`, the
    default socket.

    With `builds` False what is there to build with does not matter (images are looked at and run).
    Raises EnvironmentFailure (exit code 3) where no engine answers, or it or buildx is too old.
    """
    endpoint = current()
    client, version = client_of(endpoint, _CALL_SECONDS)
    client.api.send = _telling(client.api.send, endpoint.host)
    try:
        command, buildx = _builder(endpoint, version)
    except EnvironmentFailure as missing:
        if builds:
            raise
        return Engine(
            client,
            endpoint,
            (),
            gather(endpoint, version, client.info(), "", missing.message),
            missing,
        )
    return Engine(client, endpoint, command, gather(endpoint, version, client.info(), buildx))


def _builder(endpoint: Endpoint, version: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    if is_podman(version):
        raise EnvironmentFailure(
            f"{endpoint} is Podman, which builds without BuildKit",
            hint=(
                "analyze, diff, ci check IMAGE and prove IMAGE --with IMAGE work with it; to build,"
                " start a Docker engine and set DOCKER_HOST (or --host) to it"
            ),
        )
    return _buildx()


@dataclass(slots=True)
class Engine:
    """One engine. `client` is the Docker SDK's own, for what is not here."""

    client: docker.DockerClient
    endpoint: Endpoint
    _buildx: tuple[str, ...]
    facts: EngineFacts
    missing: EnvironmentFailure | None = None
    _available: dict[str, bool] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """For processes that are to ask this very engine, and no other that this machine may
        have."""
        return self.endpoint.environment(os.environ)

    def buildx(self, *command: str) -> list[str]:
        """The words of a buildx command at this engine's own builder, to be run with `environment`.

        With a context, buildx's name for it is the context's: `default` would lead to the default
        socket.
        """
        if self.missing is not None:
            raise self.missing
        return [*self._buildx, *command, f"--builder={self.endpoint.context or 'default'}"]

    def build(
        self,
        request: BuildRequest,
        on_event: Listener | None = None,
        on_process: Callable[[subprocess.Popen[str]], None] | None = None,
        scratch: str = "imgopt-dockerfile-",
    ) -> Build:
        """Builds with BuildKit on the engine's own builder. Raises BuildFailure (exit code 1) with
        step and line."""
        if request.output == "load" and request.tag is None:
            request = replace(request, tag=f"imgopt-build/{request.name}:{time.time_ns()}")
        progress, seconds, notes = run_build(
            request,
            self.buildx("build"),
            self.environment,
            self.image_available,
            on_event,
            on_process,
            scratch,
        )
        exporting = sum(
            s for name, s in progress.activities().items() if name.startswith("exporting")
        )
        loaded = self.client.images.get(request.tag).id if request.output == "load" else None
        return Build(
            loaded, request.tag if loaded else None, progress.steps(), seconds, exporting, notes
        )

    def builds_nothing(self) -> bool:
        """Whether the engine's builder has no build under way, ours or another's; False where
        buildx cannot say."""
        command = self.buildx("history", "ls", "--format={{.Status}}")
        try:
            done = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, timeout=5
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0 and "Running" not in done.stdout

    def create(self, request: RunRequest) -> Container:
        """A container that is not started. Raises EnvironmentFailure where the image is not
        here."""
        return create(self.client, request, reachable=self.facts.port_reason is None)

    def start(self, request: RunRequest) -> Container:
        """A running container. Raises StartFailure (exit code 1) where the image's command cannot
        be executed."""
        container = self.create(request)
        container.start()
        return container

    def image_available(self, reference: str) -> bool:
        """Whether this engine has the image or its registry answers for it within 10 s. Asked once
        per reference."""
        if reference not in self._available:
            self._available[reference] = self.has_image(reference) or self._registry_has(reference)
        return self._available[reference]

    def has_image(self, reference: str) -> bool:
        """Whether the image is in this engine's own store."""
        from docker.errors import APIError

        try:
            self.client.images.get(reference)
        except APIError:
            return False
        return True

    def resolve_base(self, name: str, bases: Mapping[str, str]) -> str | None:
        """The image that a `FROM name` would be built on: mapped by `bases`, else itself; None if
        it cannot be had."""
        wanted = next(
            (image for key, image in bases.items() if familiar(key) == familiar(name)), name
        )
        if wanted == "scratch":
            return wanted
        return wanted if self.image_available(wanted) else None

    def repository_digest(self, reference: str) -> str | None:
        """The digest under which a registry has this image: of the copy in this engine's store,
        else by asking the registry; None for an image that was built here, and where no registry
        answers."""
        name = familiar(reference).rpartition(":")[0]
        if not self.has_image(reference):
            return self._registry_digest(reference)
        for text in self.image(reference).get("RepoDigests") or ():
            repository, _, digest = str(text).partition("@")
            if familiar(repository).rpartition(":")[0] == name and digest:
                return digest
        return None

    def image(self, reference: str) -> dict[str, Any]:
        """The engine's `inspect` answer. Raises InputError for an image that is not here."""
        from docker.errors import APIError

        try:
            return dict(self.client.images.get(reference).attrs)
        except APIError:
            raise InputError(
                f"no image {reference} in this engine", hint="build it, or `docker pull` it"
            ) from None

    def _registry_has(self, reference: str) -> bool:
        return self._registry_digest(reference) is not None

    def _registry_digest(self, reference: str) -> str | None:
        from docker.errors import DockerException
        from requests import RequestException

        try:
            client, _ = client_of(self.endpoint, _REGISTRY_SECONDS)
            return str(client.api.inspect_distribution(reference)["Descriptor"]["digest"])
        except (
            DockerException,
            RequestException,
            EnvironmentFailure,
            OSError,
            ValueError,
            KeyError,
            TypeError,
        ):
            return None


def _telling(send: Callable[..., Any], endpoint: str) -> Callable[..., Any]:
    """The SDK's way to send a request, with an engine that goes away in the middle told as such."""
    from requests import RequestException

    @functools.wraps(send)
    def told(*arguments: Any, **options: Any) -> Any:
        try:
            return _unless_full(send(*arguments, **options))
        except RequestException as error:
            raise EnvironmentFailure(
                f"the engine at {endpoint} does not answer any more: {short(error)}",
                hint="is it still running?",
            ) from None

    return told


def _unless_full(answer: Any) -> Any:
    """The engine's answer. Raises EnvironmentFailure for one that says that its disk is full."""
    line = full_disk([answer.text]) if getattr(answer, "status_code", 0) >= 500 else ""
    if line:
        raise disk_failure(line, "while it answered")
    return answer


def familiar(name: str) -> str:
    """`docker.io/library/python` and `python:latest` are the same image."""
    short = (
        name.removeprefix("docker.io/").removeprefix("index.docker.io/").removeprefix("library/")
    )
    tagged = ":" in short.rpartition("/")[2] or "@" in short
    return short if tagged else f"{short}:latest"


def buildx_words() -> tuple[str, ...]:
    """The words of buildx's command, for what needs no engine. Raises EnvironmentFailure where it
    is missing or too old."""
    return _buildx()[0]


@functools.cache
def _buildx() -> tuple[tuple[str, ...], str]:
    """The command and its version. Raises EnvironmentFailure where buildx is missing or older than
    0.13."""
    for command in _buildx_commands():
        try:
            answer = subprocess.run(
                [*command, "version"], capture_output=True, text=True, timeout=30, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        numbers = re.search(r"v?(\d+)\.(\d+)[\w.+~-]*", answer.stdout)
        if answer.returncode != 0 or numbers is None:
            continue
        if (int(numbers[1]), int(numbers[2])) < _OLDEST_BUILDX:
            raise EnvironmentFailure(
                f"buildx {numbers[0]} cannot write rawjson progress",
                hint="install docker-buildx 0.13 or newer",
            )
        return command, numbers[0].removeprefix("v")
    raise EnvironmentFailure(
        "`docker buildx` is not installed, so nothing can be built with BuildKit",
        hint="install the package docker-buildx (docker-buildx-plugin), or run `make engine`",
    )


def _buildx_commands() -> list[tuple[str, ...]]:
    docker_command = shutil.which("docker")
    commands: list[tuple[str, ...]] = [(docker_command, "buildx")] if docker_command else []
    plugins = [
        Path(os.path.expandvars(folder), "docker-buildx").expanduser() for folder in _PLUGIN_FOLDERS
    ]
    return commands + [(str(plugin),) for plugin in plugins if os.access(plugin, os.X_OK)]
