"""One container: how it is started, and what can be seen of it without any tool inside it."""

from __future__ import annotations

import contextlib
import io
import select
import tarfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from imgopt.engine.faults import disk_failure, full_disk
from imgopt.engine.run_request import RunRequest
from imgopt.errors import EnvironmentFailure, FindingsError

if TYPE_CHECKING:
    import docker

MOST_LOG_BYTES = 4 << 20
_LOG_FILES = {"max-size": "16m", "max-file": "1"}


class StartFailure(FindingsError):
    """The engine cannot execute the image's command (missing program, missing loader, no
    permission)."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a command gave. `code` is None when it did not end in time; the rest is what it wrote
    until then."""

    code: int | None
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Logs:
    """A container's output, each stream cut at 4 MiB."""

    stdout: bytes
    stderr: bytes
    both: bytes

    @property
    def text(self) -> str:
        """Both streams in the order in which they were written."""
        return self.both.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Change:
    """A path that differs from the image: "added", "modified" or "deleted"."""

    path: str
    kind: Literal["added", "modified", "deleted"]


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the container; `pid` is the engine host's number."""

    pid: int
    uid: str
    command: str


def create(
    client: docker.DockerClient, request: RunRequest, *, reachable: bool = True
) -> Container:
    """`reachable` says whether its ports are published on this machine. Raises EnvironmentFailure
    for an image that is not here or a network that does not exist, StartFailure for an image
    without a command."""
    from docker.errors import APIError

    network: dict[str, Any] = (
        {"network_mode": request.network}
        if _is_mode(request.network)
        else {"network": request.network}
    )
    if request.aliases:
        aliased = client.api.create_endpoint_config(aliases=list(request.aliases))
        network["networking_config"] = {request.network: aliased}
    try:
        made = client.containers.create(
            request.image,
            list(request.command) if request.command is not None else None,
            name=request.name,
            entrypoint=list(request.entrypoint) if request.entrypoint is not None else None,
            environment=dict(request.env),
            volumes=[_absolute(mount) for mount in request.mounts],
            ports=dict.fromkeys(request.ports, ("127.0.0.1", None)),
            user=request.user,
            hostname=request.hostname,
            extra_hosts=dict(request.hosts) or None,
            dns=list(request.dns) or None,
            cap_add=list(request.cap_add),
            cap_drop=list(request.cap_drop),
            shm_size=request.shm_size,
            ulimits=[
                {"Name": name, "Soft": soft, "Hard": hard}
                for name, (soft, hard) in request.ulimits.items()
            ],
            sysctls=dict(request.sysctls) or None,
            working_dir=request.working_dir,
            read_only=request.read_only,
            tmpfs=dict(place.partition(":")[::2] for place in request.tmpfs),
            mem_limit=request.memory,
            memswap_limit=request.memory,
            nano_cpus=round(request.processors * 1e9) if request.processors else None,
            init=request.init,
            healthcheck=None if request.health_check else {"test": ["NONE"]},
            labels=dict(request.labels),
            log_config={"type": "json-file", "config": _LOG_FILES},
            **{name: value for name, value in network.items() if value is not None},
        )
    except APIError as error:
        if "no command specified" in str(error.explanation):
            raise StartFailure(
                f"the container does not start: no command specified in {request.image}"
            ) from None
        raise EnvironmentFailure(
            f"the engine cannot make a container of {request.image}: {error.explanation or error}",
            hint="is the image there (`docker images`), are mounts and network right?",
        ) from None
    return Container(client, made, reachable)


def _is_mode(network: str | None) -> bool:
    return network in ("bridge", "host", "none") or (network or "").startswith("container:")


def _absolute(mount: str) -> str:
    source, colon, rest = mount.partition(":")
    if not colon:
        return mount
    return (
        f"{Path(source).expanduser().resolve()}:{rest}"
        if source.startswith((".", "~", "/"))
        else mount
    )


class Container:
    """A container of ours; leaving its `with` block removes it with its anonymous volumes."""

    def __init__(self, client: docker.DockerClient, made: Any, reachable: bool = True) -> None:
        self._client = client
        self._made = made
        self._reachable = reachable
        self.id: str = made.id

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def start(self) -> None:
        """Raises StartFailure where the engine cannot execute the command, EnvironmentFailure where
        it is the host."""
        from docker.errors import APIError

        try:
            self._made.start()
        except APIError as error:
            reason = str(error.explanation or error)
            if full_disk([reason]):
                raise disk_failure(reason, "when a container was started") from None
            if "address already in use" in reason:
                raise EnvironmentFailure(f"the engine cannot start a container: {reason}") from None
            raise StartFailure(f"the container does not start: {reason}") from None

    def state(self) -> dict[str, Any]:
        """The engine's `State`: Running, Pid, ExitCode, OOMKilled, Health."""
        self._made.reload()
        return dict(self._made.attrs["State"])

    def inspect(self) -> dict[str, Any]:
        """The engine's whole answer on this container."""
        self._made.reload()
        return dict(self._made.attrs)

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return bool(self.state().get("Running"))

    @property
    def pid(self) -> int:
        """Its first process on the engine's host; 0 when it does not run."""
        return int(self.state().get("Pid") or 0)

    def ports(self) -> dict[str, int]:
        """Port on 127.0.0.1 by published container port (`8000/tcp`); none where that is another
        machine's."""
        if not self._reachable:
            return {}
        bindings = self.inspect()["NetworkSettings"].get("Ports") or {}
        return {port: int(places[0]["HostPort"]) for port, places in bindings.items() if places}

    def wait(self, timeout: float) -> int | None:
        """The exit code, or None if it still runs after `timeout` seconds."""
        end = time.monotonic() + timeout
        while True:
            state = self.state()
            if state.get("Status") in ("exited", "dead"):
                return int(state["ExitCode"])
            if time.monotonic() >= end:
                return None
            time.sleep(0.05)

    def logs(self, tail: int | None = None) -> Logs:
        """What it wrote; `tail` keeps the last lines of each."""

        def read(stdout: bool, stderr: bool) -> bytes:
            chunks = self._made.logs(
                stdout=stdout, stderr=stderr, stream=True, follow=False, tail=tail or "all"
            )
            return _bounded(chunks)

        return Logs(read(True, False), read(False, True), read(True, True))

    def stop(self, timeout: int = 10) -> tuple[float, int]:
        """`docker stop`: seconds until it had ended, and its exit code (137: it did not listen and
        was killed)."""
        started = time.monotonic()
        self._client.api.stop(self.id, timeout=timeout)
        code = self.wait(5)
        return time.monotonic() - started, 137 if code is None else code

    def signal(self, name: str) -> None:
        """Sends a signal ("SIGTERM") to its first process; one that has ended is fine."""
        from docker.errors import APIError

        with contextlib.suppress(APIError):
            self._client.api.kill(self.id, name)

    def exec(self, command: Sequence[str], *, timeout: float = 30, user: str = "") -> Output:
        """Runs a command in it (`docker exec`). Code 126 or 127: it cannot be executed there, or
        the container has ended."""
        from docker.errors import APIError

        api = self._client.api
        try:
            made = api.exec_create(self.id, list(command), user=user)["Id"]
            stdout, stderr, ended = _drain(api.exec_start(made, socket=True), timeout)
        except APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:
                raise
            return Output(126, b"", str(error.explanation).encode())
        code = api.exec_inspect(made)["ExitCode"] if ended else None
        return Output(code, stdout, stderr)

    def changes(self) -> tuple[Change, ...]:
        """Paths that differ from the image (`docker diff`), sorted; the places where something is
        mounted are no part of it."""
        kinds: dict[int, Literal["added", "modified", "deleted"]] = {
            0: "modified",
            1: "added",
            2: "deleted",
        }
        found = self._client.api.diff(self.id) or ()
        mounted = [str(mount["Destination"]) for mount in self.inspect().get("Mounts") or ()]
        changes = (Change(item["Path"], kinds[item["Kind"]]) for item in found)
        return without_mount_points(sorted(changes, key=lambda change: change.path), mounted)

    def processes(self) -> tuple[Process, ...]:
        """Every process of it, the first one first."""
        from docker.errors import APIError

        with contextlib.suppress(APIError):
            rows = self._client.api.top(self.id, "-eo pid,uid,args").get("Processes") or ()
            return tuple(Process(int(row[0]), row[1], row[2]) for row in rows)
        return ()

    def read_file(self, path: str, limit: int = 16 << 20) -> bytes | None:
        """A regular file's bytes, also of a container that never ran; None for anything else or
        above `limit`."""
        from docker.errors import APIError

        try:
            chunks, _ = self._client.api.get_archive(self.id, path)
            packed = _bounded(chunks, limit + (1 << 16))
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                member = archive.next()
                file = (
                    archive.extractfile(member)
                    if member and member.isfile() and member.size <= limit
                    else None
                )
                return file.read() if file else None
        except (APIError, tarfile.TarError):
            return None

    def kinds_below(self, folder: str, limit: int = 64 << 20) -> dict[str, str] | None:
        """`file`, `folder` or `link` by each path below a folder, volumes included; None where it
        is not there or has more than `limit` bytes."""
        from docker.errors import APIError

        found: dict[str, str] = {}
        try:
            chunks, _ = self._client.api.get_archive(self.id, folder)
            packed = _bounded(chunks, limit)
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                for member in archive:
                    kind = "folder" if member.isdir() else "link" if member.issym() else "file"
                    found[member.name.partition("/")[2]] = kind
        except (APIError, tarfile.TarError):
            return None
        found.pop("", None)
        return found if len(packed) < limit else None

    def move(self, network: str) -> bool:
        """Out of every network that it is in, into this one alone; its ports are published anew.
        False where the engine cannot do that: then it may be in both, or in none."""
        from docker.errors import APIError

        try:
            old = list(self.inspect()["NetworkSettings"].get("Networks") or ())
            self._client.api.connect_container_to_network(self.id, network)
            for name in old:
                self._client.api.disconnect_container_from_network(self.id, name)
        except APIError:
            return False
        return True

    def remove(self) -> None:
        """Kills and removes it, with its anonymous volumes; one that is gone already is fine."""
        from docker.errors import APIError

        with contextlib.suppress(APIError):
            self._made.remove(force=True, v=True)


def without_mount_points(changes: Sequence[Change], mounted: Collection[str]) -> tuple[Change, ...]:
    """Changes without the folders that the engine made for the places where something is mounted,
    and those above them in which nothing else changed."""
    others = [change for change in changes if change.path not in mounted]
    above = {str(folder) for place in mounted for folder in PurePosixPath(place).parents} - {
        str(folder)
        for change in others
        for folder in PurePosixPath(change.path).parents
        if not any(place.startswith(f"{change.path}/") for place in mounted)
    }
    return tuple(change for change in others if change.path not in above)


def _bounded(chunks: Iterable[bytes], limit: int = MOST_LOG_BYTES) -> bytes:
    kept = io.BytesIO()
    for chunk in chunks:
        kept.write(chunk[: limit - kept.tell()])
        if kept.tell() >= limit:
            break
    return kept.getvalue()


def _drain(answer: Any, timeout: float) -> tuple[bytes, bytes, bool]:
    """Both streams of an exec and whether it ended in time. Frames as in the Engine API's "attach"
    section: one byte for the stream, three of zero, four of length."""
    raw = getattr(answer, "_sock", answer)
    streams = {1: io.BytesIO(), 2: io.BytesIO()}
    end, pending, ended = time.monotonic() + timeout, b"", False
    while (left := end - time.monotonic()) > 0:
        if not select.select([raw], [], [], left)[0]:
            break
        data = raw.recv(1 << 16)
        if not data:
            ended = True
            break
        pending = _take_frames(pending + data, streams)
    answer.close()
    return streams[1].getvalue(), streams[2].getvalue(), ended


def _take_frames(data: bytes, streams: Mapping[int, io.BytesIO]) -> bytes:
    """Moves whole frames into their streams (up to 4 MiB each); what is left of `data`."""
    while len(data) >= 8:
        size = int.from_bytes(data[4:8], "big")
        if len(data) < 8 + size:
            break
        stream = streams.get(data[0])
        if stream is not None:
            stream.write(data[8 : 8 + min(size, MOST_LOG_BYTES - stream.tell())])
        data = data[8 + size :]
    return data
