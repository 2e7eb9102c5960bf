"""What a run makes in the engine and on this machine, and that nothing of it is left behind on any
exit.

Every container and image carries the label `imgopt.session=ID`, so that cleaning up asks the engine
instead of a list that an interrupt could leave incomplete, and so that a later run can sweep what a
killed process left. The build cache is kept: users want it. Images without the label (bases, the
user's own) are never touched.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from imgopt.engine.build import Build, BuildRequest, Listener, end_process
from imgopt.engine.client import Engine
from imgopt.engine.container import Container, StartFailure
from imgopt.engine.removal import (
    LABEL,
    quietly,
    remove_containers,
    remove_images,
    remove_networks,
    remove_volumes,
)
from imgopt.engine.run_request import RunRequest
from imgopt.errors import EnvironmentFailure, ImgoptError, Interrupted, OutOfTime

Child = subprocess.Popen[str]
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_ID = re.compile(r"(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<start>\d+)-\d+")
_NUMBERS = count(1)
_LATE_SECONDS = 4.0
_TOGETHER = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
_ALONE = {**_TOGETHER, "com.docker.network.bridge.enable_icc": "false"}


class Session:
    """Use as a context manager, in the main thread if SIGINT and SIGTERM are to end it in order:
    they raise imgopt.errors.Interrupted there, and leaving the block cleans up."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.id = f"{_host()}-{os.getpid()}-{_start_of(os.getpid()) or 0}-{next(_NUMBERS)}"
        self.labels: Mapping[str, str] = {LABEL: self.id}
        self._children: list[subprocess.Popen[str]] = []
        self._names = count(1)
        self._handlers: dict[int, Any] = {}
        self._closing = False
        self._network: str | None = None
        self._tests_network: str | None = None
        self._cut_short = False
        self._stopped = ""
        self._asked_for: set[str] = (
            set()
        )  # names of containers that the engine has not answered for
        self.prepared: dict[str, str] = {}
        """Images of companions that were found or made, by what asks for them."""
        self.built: Counter[str] = Counter()
        """Builds by the name that each was asked for with."""
        self.steps_run: Counter[str] = Counter()
        """RUN steps that those builds executed, and did not take from the cache."""
        self.build_seconds: defaultdict[str, float] = defaultdict(float)
        """How long those builds took, those that failed with them."""

    def __enter__(self) -> Session:
        sweep(self.engine)
        atexit.register(self.close)
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                    self._handlers[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        try:
            self.close()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()

    def build(
        self, request: BuildRequest, on_event: Listener | None = None, until: float | None = None
    ) -> Build:
        """As Engine.build; the image is tagged `imgopt-ID/NAME:N`, labelled, and removed when the
        session ends.

        Raises OutOfTime where it has not ended at `until` (time.monotonic())."""
        self._go_on()
        if request.output == "load":
            tag = request.tag or f"imgopt-{self.id}/{request.name}:{next(self._names)}"
            request = replace(request, tag=tag, labels={**request.labels, **self.labels})
        self.built[request.name] += 1
        started = time.monotonic()
        try:
            with _ending_at(until, self._children.append) as on_process:
                build = self.engine.build(
                    request, on_event, on_process, scratch=f"imgopt-{self.id}-dockerfile-"
                )
        except (Interrupted, KeyboardInterrupt):
            self._cut_short = True
            raise
        except ImgoptError:
            if until is None or time.monotonic() < until:
                raise
            self._cut_short = True
            raise OutOfTime(f"the build of {request.name} was ended: its time was over") from None
        finally:
            self.build_seconds[request.name] += time.monotonic() - started
        executed = (step for step in build.steps if step.name.startswith("RUN") and not step.cached)
        self.steps_run[request.name] += sum(1 for _ in executed)
        return build

    def create(self, request: RunRequest) -> Container:
        """As Engine.create, labelled and with a name of the session's."""
        self._go_on()
        name = f"imgopt-{self.id}-{next(self._names)}"
        self._asked_for.add(name)
        try:
            container = self.engine.create(
                replace(request, name=name, labels={**request.labels, **self.labels})
            )
        except (EnvironmentFailure, StartFailure):
            self._asked_for.discard(name)
            raise
        self._asked_for.discard(name)
        return container

    def start(self, request: RunRequest) -> Container:
        """As Engine.start, labelled."""
        container = self.create(request)
        container.start()
        return container

    def own_network(self) -> str | None:
        """The name of a network of the session's, made at first: published ports are reached from
        this machine, nothing behind it answers (no masquerading), and containers do not hear each
        other. None where the engine makes none."""
        if self._network is None:
            self._network = self._made_network(f"imgopt-{self.id}", _ALONE)
        return self._network

    def tests_network(self) -> str | None:
        """The same, but that its containers hear each other: the project's tests ask the
        service."""
        if self._tests_network is None:
            self._tests_network = self._made_network(f"imgopt-{self.id}-tests", _TOGETHER)
        return self._tests_network

    def run_network(self) -> str | None:
        """A network as that of the tests, of one run alone; whoever asks for it removes it."""
        return self._made_network(f"imgopt-{self.id}-{next(self._names)}", _TOGETHER)

    def gateway(self, network: str) -> str:
        """The address of this machine in a network; "" where the engine says none."""
        made = self.engine.client.api.inspect_network(network)
        pools = (made.get("IPAM") or {}).get("Config") or [{}]
        return str(pools[0].get("Gateway") or "")

    def remove_network(self, name: str) -> None:
        """Removes one of the session's networks before its end."""
        quietly(lambda: self.engine.client.api.remove_network(name))

    def volume(self) -> str:
        """The name of an empty volume of the session's."""
        name = f"imgopt-{self.id}-{next(self._names)}"
        self.engine.client.volumes.create(name, labels=dict(self.labels))
        return name

    def remove_volume(self, name: str) -> None:
        """Removes one of the session's volumes before its end."""
        quietly(lambda: self.engine.client.api.remove_volume(name, force=True))

    def _made_network(self, name: str, options: Mapping[str, str]) -> str | None:
        from docker.errors import APIError

        try:
            self.engine.client.networks.create(
                name, driver="bridge", options=dict(options), labels=dict(self.labels)
            )
        except APIError:
            return None
        return name

    def temp_tree(self, name: str = "tree") -> Path:
        """An empty folder that goes with the session."""
        return Path(tempfile.mkdtemp(prefix=f"imgopt-{self.id}-{name}-"))

    def remove_image(self, build: Build) -> None:
        """Removes one of the session's images before its end."""
        if build.reference is not None:
            quietly(lambda: self.engine.client.images.remove(build.reference, force=True))

    def close(self) -> None:
        """Removes everything; may be called again. What the engine was still making when asked is
        found by asking until it makes nothing any more, for a few seconds at most."""
        self._closing = True
        atexit.unregister(self.close)
        for child in self._children:
            self._cut_short |= child.poll() is None
            end_process(child)
        self._children.clear()
        mine = {"label": f"{LABEL}={self.id}"}
        self._remove_late_containers(mine)
        remove_networks(self.engine, mine, lambda _: True)
        remove_volumes(self.engine, mine, lambda _: True)
        self._network = self._tests_network = None
        self._remove_late_images(mine)
        for tree in Path(tempfile.gettempdir()).glob(f"imgopt-{self.id}-*"):
            remove_tree(tree)

    def _remove_late_containers(self, mine: Mapping[str, str]) -> None:
        """The engine goes on making a container whose request was cut short: it is there a moment
        later."""
        until = time.monotonic() + _LATE_SECONDS
        while (removed := remove_containers(self.engine, mine, lambda _: True)) or self._asked_for:
            self._asked_for.difference_update(removed)
            if time.monotonic() > until:
                break
            time.sleep(0.1)
        self._asked_for.clear()

    def _remove_late_images(self, mine: Mapping[str, str]) -> None:
        """An image that was on its way when its build was cut short is tagged by the engine after
        buildx has gone."""
        until = time.monotonic() + _LATE_SECONDS
        while time.monotonic() < until:
            idle = not self._cut_short or self.engine.builds_nothing()
            if not remove_images(self.engine, mine, lambda _: True) and idle:
                break
            time.sleep(0.2)
        self._cut_short = False

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if not self._closing:  # while cleaning up there is nothing left to interrupt
            self._stopped = f"interrupted by {signal.Signals(number).name}"
            raise Interrupted(self._stopped)

    def _go_on(self) -> None:
        """A signal may come where Python drops what its handler raises (`__del__`, a callback of a
        weak reference): then the work ends where it asks the engine for more."""
        if self._stopped and not self._closing:
            raise Interrupted(self._stopped)


@contextlib.contextmanager
def _ending_at(
    until: float | None, on_process: Callable[[Child], None]
) -> Iterator[Callable[[Child], None]]:
    """Ends the build's process at `until`, if it still runs then: buildx hears SIGTERM and has
    BuildKit stop."""
    timers: list[threading.Timer] = []

    def started(process: Child) -> None:
        on_process(process)
        if until is not None:
            timers.append(
                threading.Timer(max(0.0, until - time.monotonic()), _terminate, [process])
            )
            timers[-1].daemon = True
            timers[-1].start()

    try:
        yield started
    finally:
        for timer in timers:
            timer.cancel()


def _terminate(process: Child) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Swept:
    """How many things of killed runs were removed."""

    containers: int
    images: int
    trees: int


def sweep(engine: Engine) -> Swept:
    """Removes what runs on this machine left behind that were killed: their process is gone."""
    labelled = {"label": LABEL}
    trees = [
        path
        for path in Path(tempfile.gettempdir()).glob("imgopt-*-*-*-*-*")
        if _is_orphan(path.name[7:])
    ]
    for tree in trees:
        remove_tree(tree)
    containers = len(remove_containers(engine, labelled, _is_orphan))
    remove_networks(engine, labelled, _is_orphan)
    remove_volumes(engine, labelled, _is_orphan)
    return Swept(
        containers,
        remove_images(engine, labelled, _is_orphan),
        len(trees),
    )


def _is_orphan(session: str) -> bool:
    match = _ID.match(session)
    if match is None or match["host"] != _host():
        return False
    return _start_of(int(match["pid"])) != int(match["start"])


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _start_of(pid: int) -> int | None:
    """When the process started, in clock ticks since boot (proc(5), field 22): a reused number has
    another. Where there is no /proc, 0 for any living process; None for none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return 0


def remove_tree(tree: Path) -> None:
    """Removes a folder also where folders in it are read-only."""

    def allow(act: Callable[[str], object], path: str, _error: object) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(stat.S_IRWXU)
            Path(path).chmod(stat.S_IRWXU)
            act(path)

    shutil.rmtree(tree, onerror=allow)
