"""What is seen of a running container's processes from the engine's own machine: user, home."""

from __future__ import annotations

from pathlib import Path


def home_of(pid: int) -> str:
    """The variable HOME that this process was started with (proc_pid_environ(5)); "" where it has
    none or is gone."""
    pairs = (entry.partition("=") for entry in proc_text(Path(f"/proc/{pid}/environ")).split("\0"))
    return next((value for name, _, value in pairs if name == "HOME"), "")


def user_of(pid: int) -> int | None:
    """The effective user id of a process (on the engine's machine)."""
    for line in proc_text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[2])
    return None


def proc_text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
