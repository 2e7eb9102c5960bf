"""What is seen of a running container's processes from the engine's own machine: user, home,
memory, time."""

from __future__ import annotations

from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def home_of(pid: int) -> str:
    """The variable HOME that this process was started with (proc_pid_environ(5)); "" where it has
    none or is gone."""
    pairs = (entry.partition("=") for entry in proc_text(Path(f"/proc/{pid}/environ")).split("\0"))
    return next((value for name, _, value in pairs if name == "HOME"), "")


def peak_memory(pid: int) -> int | None:
    """The most bytes that the container's cgroup ever held, page cache included; None where it
    cannot be read."""
    for line in proc_text(Path(f"/proc/{pid}/cgroup")).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "memory":
            return _number(_CGROUPS / "memory" / path.lstrip("/") / "memory.max_usage_in_bytes")
        if controllers == "" and (_CGROUPS / "cgroup.controllers").exists():
            return _number(_CGROUPS / path.lstrip("/") / "memory.peak")
    return None


def processor_seconds(pid: int) -> float | None:
    """CPU time of the container's cgroup so far."""
    for line in proc_text(Path(f"/proc/{pid}/cgroup")).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if "cpuacct" in controllers.split(","):
            nanoseconds = _number(_CGROUPS / controllers / path.lstrip("/") / "cpuacct.usage")
            nanoseconds = nanoseconds or _number(
                _CGROUPS / "cpuacct" / path.lstrip("/") / "cpuacct.usage"
            )
            return nanoseconds / 1e9 if nanoseconds is not None else None
        if controllers == "" and (_CGROUPS / "cgroup.controllers").exists():
            usage = proc_text(_CGROUPS / path.lstrip("/") / "cpu.stat").split()
            return int(usage[1]) / 1e6 if usage[:1] == ["usage_usec"] else None
    return None


def user_of(pid: int) -> int | None:
    """The effective user id of a process (on the engine's machine)."""
    for line in proc_text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[2])
    return None


def _number(path: Path) -> int | None:
    text = proc_text(path).strip()
    return int(text) if text.isdigit() else None


def proc_text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
