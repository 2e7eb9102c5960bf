"""Records the files that a container opens and executes, without any tool inside it.

A container's overlay mount is a file system of its own, so one fanotify mark on it sees that
container and nothing else (fanotify_mark(2), FAN_MARK_FILESYSTEM). The engine mounts it well before
the first process runs; the mark is set as soon as the mount appears, so nothing at the start is
missed. Needs root on the engine's own machine.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imgopt.engine import Container, Engine

_CLOEXEC, _NONBLOCK, _UNLIMITED_QUEUE = 0x1, 0x2, 0x10  # fanotify_init: FAN_CLASS_NOTIF is 0
_MARK_ADD, _MARK_FILESYSTEM = 0x1, 0x100
_OPEN, _OPEN_EXEC, _OVERFLOW = 0x20, 0x1000, 0x4000
_EVENT = struct.Struct(
    "=IBBHQii"
)  # length, version, reserved, metadata length, mask, descriptor, process
_AT_FDCWD = -100
_MOUNT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Trace:
    """Absolute paths inside the image, links resolved. `reason` says why nothing was measured;
    None: it was."""

    opened: frozenset[str]
    executed: frozenset[str]
    reason: str | None = None

    def __or__(self, other: Trace) -> Trace:
        return Trace(
            self.opened | other.opened, self.executed | other.executed, self.reason or other.reason
        )


def untraced(reason: str) -> Trace:
    return Trace(frozenset(), frozenset(), reason)


@contextmanager
def traced(engine: Engine, container: Container) -> Iterator[Recorder]:
    """Records from here to the end of the block. Start the container inside the block."""
    recorder = Recorder(engine, container)
    try:
        yield recorder
    finally:
        recorder.close()


class Recorder:
    """One thread that waits for the mount, marks it and reads the events."""

    def __init__(self, engine: Engine, container: Container) -> None:
        self._opened: set[str] = set()
        self._executed: set[str] = set()
        self._programs: set[int] = set()
        self._undecided: dict[int, set[str]] = {}
        self._reason: str | None = (
            engine.facts.trace_reason or "the container's file system did not appear"
        )
        self._incomplete = False
        self._closed = False
        self._wake, self._stop = os.pipe2(os.O_CLOEXEC)
        self._thread: threading.Thread | None = None
        if engine.facts.trace_reason is None:
            merged = (container.inspect().get("GraphDriver") or {}).get("Data") or {}
            self._merged = _merged_folder(merged)
            self._id = container.id
            self._daemon = _daemon_pid(engine.facts.endpoint)
            self._thread = threading.Thread(target=self._run, name="imgopt-fanotify", daemon=True)
            self._thread.start()

    def result(self) -> Trace:
        """What was recorded so far."""
        if self._reason is not None:
            return untraced(self._reason)
        if self._incomplete:
            return untraced("the kernel lost events")
        forked = set().union(
            *self._undecided.values()
        )  # processes of the program that never executed another one
        return Trace(frozenset(self._opened | forked), frozenset(self._executed))

    def close(self) -> None:
        """Reads what is still queued, then ends the thread. May be called again."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None and self._thread.is_alive():
            time.sleep(0.05)
            os.write(self._stop, b"x")
            self._thread.join(5)
        for descriptor in (self._wake, self._stop):
            os.close(descriptor)

    def _run(self) -> None:
        libc = _libc()
        events = libc.fanotify_init(
            _CLOEXEC | _NONBLOCK | _UNLIMITED_QUEUE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )
        if events < 0:
            self._reason = f"fanotify is not possible: {os.strerror(ctypes.get_errno())}"
            return
        try:
            mount = self._await_mount()
            if mount is None:
                return
            place = os.fsencode(f"/proc/{self._daemon}/root{mount}")
            if (
                libc.fanotify_mark(
                    events, _MARK_ADD | _MARK_FILESYSTEM, _OPEN | _OPEN_EXEC, _AT_FDCWD, place
                )
                < 0
            ):
                self._reason = f"fanotify cannot watch {mount}: {os.strerror(ctypes.get_errno())}"
                return
            self._reason = None
            self._read_all(events, mount)
        finally:
            os.close(events)

    def _await_mount(self) -> str | None:
        """The mount point of the container's overlay; the kernel wakes a poll on mountinfo when
        mounts change."""
        end = time.monotonic() + _MOUNT_SECONDS
        with Path(f"/proc/{self._daemon}/mountinfo").open() as mounts:
            poll = select.poll()
            poll.register(mounts, select.POLLPRI | select.POLLERR)
            poll.register(self._wake, select.POLLIN)
            while time.monotonic() < end:
                mounts.seek(0)
                found = find_mount(mounts.read(), self._id, self._merged)
                if found is not None:
                    return found
                if any(descriptor == self._wake for descriptor, _ in poll.poll(500)):
                    return None
        return None

    def _read_all(self, events: int, mount: str) -> None:
        poll = select.poll()
        poll.register(events, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if events in ready:
                self._read(events, mount)
            elif self._wake in ready:
                return

    def _read(self, events: int, mount: str) -> None:
        try:
            data = os.read(events, 1 << 16)
        except BlockingIOError:
            return
        except OSError:  # the file of this one event could not be opened for us
            return
        while len(data) >= _EVENT.size:
            length, _, _, _, mask, descriptor, process = _EVENT.unpack_from(data)
            if descriptor >= 0:
                try:
                    self._note(
                        mask, process, str(Path(f"/proc/self/fd/{descriptor}").readlink()), mount
                    )
                finally:
                    os.close(descriptor)
            elif mask & _OVERFLOW:
                self._incomplete = True
            data = data[length:]

    def _note(self, mask: int, process: int, path: str, mount: str) -> None:
        """The container runtime reads the user database in the process that then becomes the
        image's program, at the start and at every `docker exec`: what a process read of it before
        it executed anything is no need of it."""
        if process == self._daemon:
            return
        inside = path.removeprefix(mount).removesuffix(" (deleted)") or "/"
        if mask & _OPEN_EXEC:
            if not self._executed:
                self._opened.clear()
            self._executed.add(inside)
            self._programs.add(process)
            self._undecided.pop(process, None)
        elif inside in _RUNTIME_READS and process not in self._programs:
            self._undecided.setdefault(process, set()).add(inside)
            return
        self._opened.add(inside)


_RUNTIME_READS = ("/etc/passwd", "/etc/group")


def find_mount(mountinfo: str, container: str, merged: str) -> str | None:
    """The overlay mount of a container in proc_pid_mountinfo(5) text: by the overlay2 driver's
    `MergedDir`, or (with the containerd store) the one whose path has the container's id."""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5:
            continue
        place = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
        if place == merged or (
            container in place and right.split(" ")[0] in ("overlay", "fuse.fuse-overlayfs")
        ):
            return place
    return None


def _merged_folder(data: Mapping[str, str]) -> str:
    """Where the container's file system will be mounted. Podman says so only of a container that
    runs, but its folder lies beside that of the changes (`UpperDir`), as Docker's does."""
    upper = data.get("UpperDir", "")
    return data.get("MergedDir") or (str(Path(upper).with_name("merged")) if upper else "")


def _daemon_pid(endpoint: str) -> int:
    """The engine's process, whose view of the mounts counts; our own where it cannot be told."""
    peer = _socket_peer(endpoint.removeprefix("unix://"))
    if peer and _name(peer) in ("dockerd", "podman"):
        return peer
    # systemd made the socket: the peer is systemd
    processes = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return next((process for process in processes if _name(process) == "dockerd"), os.getpid())


def _socket_peer(path: str) -> int | None:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    except OSError:
        return None
    return int(struct.unpack("=iII", credentials)[0])


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fanotify_init.argtypes = (ctypes.c_uint, ctypes.c_uint)
    libc.fanotify_mark.argtypes = (
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint64,
        ctypes.c_int,
        ctypes.c_char_p,
    )
    return libc
