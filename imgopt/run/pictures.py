"""The processes of a running container as the kernel shows them on the engine's own machine: what
each was started with, as whom it runs, and which names it can look up.

Sources: proc_pid_environ(5), proc_pid_status(5), proc_pid_limits(5), proc_pid_fd(5),
pid_namespaces(7).
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from imgopt.engine import Container

_PROC = Path("/proc")
_PAUSE = 0.1
_NAME = re.compile(r"[^=\0]+=")
_NUMBERED = re.compile(r"^(\w+):\[\d+\]$|^anon_inode:\[?([\w-]+)\]?$")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
_OF_THE_ENGINE = re.compile(r"^/memfd:|/(?:runc|crun)$")
"""What becomes the first process of a container, and what puts a command into it."""
_LOOKED_UP = ("/etc/passwd", "/etc/group", "/etc/nsswitch.conf")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. Numbers are those that the container sees; `program` is the path of the file
    that it executes. `environment` is what it was given at its start; None where it wrote over it,
    as programs do that show a title. `streams` are the kinds of its three standard streams, `files`
    of all else that it has open; `ignored` the signals that it takes no notice of, `caught` those
    that it has handlers for (None: not known)."""

    number: int
    parent: int
    program: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    folder: str = "/"
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    umask: int = 0o022
    limits: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    streams: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    ignored: frozenset[int] = frozenset()
    nice: int = 0
    caught: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """All processes of a container at one time. `names` are the files of its name service, by path,
    as they are in its own file system. `reason` says why there is nothing; `ended`: it is the sum
    of what was seen of a program that ended by itself."""

    processes: tuple[Process, ...] = ()
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reason: str | None = None
    ended: bool = False


def unseen(reason: str) -> Picture:
    return Picture(reason=reason)


def picture(first: int, container: str) -> Picture:
    """Of the container whose first process is `first` on this machine; `container` is its id, by
    which it is made sure that this number means the same here."""
    if not first:
        return unseen("it had ended")
    space = _link(_PROC / str(first) / "ns/pid")
    if space is None:
        gone = not (_PROC / str(first)).exists()
        return unseen("it had ended" if gone else "its processes may not be read: that needs root")
    if space == _link(_PROC / "self/ns/pid") or not _is_of(first, container):
        return unseen("its processes have other numbers here: the engine is in another system")
    found = tuple(process for number in _numbers(space) if (process := _process(number)))
    return Picture(tuple(sorted(found, key=lambda process: process.number)), _names(first))


def _is_of(first: int, container: str) -> bool:
    """An engine mounts files of the container's own folder into it, and names its control group
    after it."""
    head = _PROC / str(first)
    return any(container in (_text(head / name) or "") for name in ("mountinfo", "cgroup"))


class Album:
    """The pictures of one run: two of a service, after its start and at its end; of a program that
    ends by itself the sum of what was seen until then."""

    def __init__(self, container: Container, reason: str | None) -> None:
        self._reason, self._container = reason, container
        self._pictures: list[Picture] = []
        self._seen: dict[tuple[int, str, tuple[str, ...]], Process] = {}
        self._last = unseen("it had ended before it was seen")
        self._stopped = threading.Event()
        self._first = container.pid if reason is None else 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._first and not self._stopped.is_set():
            now = self._look()
            if now.processes:
                self._last = now
                self._seen |= {(p.number, p.program, p.arguments): p for p in now.processes}
            if not (_PROC / str(self._first)).exists():
                return
            self._stopped.wait(_PAUSE)

    def _look(self) -> Picture:
        if self._reason is not None:
            return unseen(self._reason)
        return picture(self._first, self._container.id)

    def take(self) -> None:
        """One picture of what runs now."""
        self.close()
        self._pictures.append(self._look())

    def result(self, *, ended: bool) -> tuple[Picture, ...]:
        """All that were taken; `ended`: it had ended by itself before it could be asked."""
        self.close()
        if not ended or self._reason is not None:
            return tuple(self._pictures)
        return (replace(self._last, processes=tuple(self._seen.values()), ended=True),)

    def close(self) -> None:
        """No more is looked for."""
        self._stopped.set()
        self._thread.join()


@contextlib.contextmanager
def pictures_of(container: Container, reason: str | None) -> Iterator[Album]:
    """Of a container that has just been started; `reason` says why its processes cannot be seen."""
    album = Album(container, reason)
    try:
        yield album
    finally:
        album.close()


def _numbers(space: str) -> Iterator[int]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and _link(entry / "ns/pid") == space:
            yield int(entry.name)


def _process(number: int) -> Process | None:
    """None for one that is gone, is only waited for, or has just been forked by the engine."""
    head = _PROC / str(number)
    program, status = _link(head / "exe"), _fields(_text(head / "status") or "")
    words, given, folder = _data(head / "cmdline"), _data(head / "environ"), _link(head / "cwd")
    if program is None or _OF_THE_ENGINE.match(program):
        return None
    if "Uid" not in status or words is None or given is None or folder is None:
        return None
    inside = status.get("NSpid", str(number)).split()
    streams, files = _opened(head / "fd")
    return Process(
        number=int(inside[-1]),
        parent=_inner_number(status.get("PPid", "0")),
        program=program.removesuffix(" (deleted)"),
        arguments=tuple(words.removesuffix("\0").split("\0")) if words else (),
        environment=environment(given),
        folder=folder,
        uid=int(status["Uid"].split()[1]),
        gid=int(status["Gid"].split()[1]),
        groups=tuple(sorted(map(int, status.get("Groups", "").split()))),
        umask=int(status.get("Umask", "0022"), 8),
        limits=MappingProxyType(limits(_text(head / "limits") or "")),
        streams=streams,
        files=files,
        ignored=signals(status.get("SigIgn", "0")),
        nice=_nice(_text(head / "stat") or ""),
        caught=signals(status["SigCgt"]) if "SigCgt" in status else None,
    )


def _inner_number(outer: str) -> int:
    """The parent's number in the container; 0 for one outside of it."""
    fields = _fields(_text(_PROC / outer / "status") or "")
    inside = fields.get("NSpid", "0").split()
    return int(inside[-1]) if len(inside) > 1 else 0


def environment(given: str) -> Mapping[str, str] | None:
    """The variables of /proc/PID/environ; None where the process wrote something else there."""
    entries = given.removesuffix("\0").split("\0") if given else []
    if any(not _NAME.match(entry) for entry in entries):
        return None
    pairs = (entry.partition("=") for entry in entries)
    return MappingProxyType({name: value for name, _, value in reversed(list(pairs))})


def limits(table: str) -> dict[str, str]:
    """Name -> `SOFT/HARD` of /proc/PID/limits, whose columns are 26, 21 and 21 characters wide."""
    rows = (line for line in table.splitlines()[1:] if len(line) > 47)
    return {row[:26].strip(): f"{row[26:47].strip()}/{row[47:68].strip()}" for row in rows}


def signals(mask: str) -> frozenset[int]:
    """Of a mask in hexadecimal digits, as /proc/PID/status has it."""
    bits = int(mask.strip() or "0", 16)
    return frozenset(number + 1 for number in range(64) if bits >> number & 1)


def kind_of(target: str) -> str:
    """The kind of what a descriptor leads to: `pipe`, `socket`, `event`, a device, a `file`."""
    match = _NUMBERED.match(target)
    if match:
        return match[1] or "event"
    if target.startswith(("/dev/pts/", "/dev/tty", "/dev/console")):
        return "terminal"
    if target.startswith("/dev/"):
        return target if target in _DEVICES else "device"
    return "memory" if target.startswith("/memfd:") else "file"


def _opened(folder: Path) -> tuple[tuple[str, ...], frozenset[str]]:
    streams, files = ["closed"] * 3, set()
    try:
        entries = list(folder.iterdir())
    except OSError:
        return (), frozenset()
    for entry in entries:
        target = _link(entry)
        if target is None:
            continue
        if int(entry.name) < len(streams):
            streams[int(entry.name)] = kind_of(target)
        else:
            files.add(kind_of(target))
    return tuple(streams), frozenset(files)


def _nice(stat: str) -> int:
    fields = stat.rpartition(")")[2].split()
    return int(fields[16]) if len(fields) > 16 else 0


def _names(first: int) -> Mapping[str, str]:
    root = _PROC / str(first) / "root"
    read = {path: _text_inside(root, path) for path in _LOOKED_UP}
    return MappingProxyType({path: text for path, text in read.items() if text is not None})


def _text_inside(root: Path, path: str) -> str | None:
    """A regular file of the container, no link that could lead out of it."""
    place = root / path.lstrip("/")
    if place.parent.is_symlink():
        return None
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(place, flags), "rb") as file:
            return file.read(1 << 20).decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _fields(status: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in status.splitlines())
    return {name: value.strip() for name, _, value in pairs}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None


def _data(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None
