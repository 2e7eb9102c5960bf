"""Memory and processor time of a container, as its control group counts them (version 1 and 2)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from imgopt.run.processes import proc_text

_ROOT = Path("/sys/fs/cgroup")
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """Folders of one container's group: they last for as long as one of its processes lives."""

    memory: Path | None
    processor: Path | None
    unified: bool

    @classmethod
    def of(cls, pid: int, root: Path = _ROOT, proc: Path = Path("/proc")) -> ControlGroup:
        """Of the group that this process of the engine's machine is in (cgroups(7))."""
        places = {}
        for line in proc_text(proc / str(pid) / "cgroup").splitlines():
            _, controllers, path = [*line.split(":", 2), "", ""][:3]
            for name in controllers.split(","):
                places[name] = (controllers, path.lstrip("/"))
        if (root / "cgroup.controllers").exists():
            folder = root / places[""][1] if "" in places else None
            return cls(folder, folder, True)
        return cls(
            _mounted(root, "memory", *places["memory"]) if "memory" in places else None,
            _mounted(root, "cpuacct", *places["cpuacct"]) if "cpuacct" in places else None,
            False,
        )

    def peak_bytes(self) -> int | None:
        """The most that it ever held, page cache included; None where that cannot be read."""
        name = "memory.peak" if self.unified else "memory.max_usage_in_bytes"
        return _number(self.memory / name) if self.memory is not None else None

    def bytes_used(self) -> int | None:
        """What it holds without page cache that has not been used lately, as a kubelet counts it;
        None where that cannot be read."""
        if self.memory is None:
            return None
        name, of_files = (
            ("memory.current", "inactive_file")
            if self.unified
            else ("memory.usage_in_bytes", "total_inactive_file")
        )
        used = proc_text(self.memory / name).strip()
        pairs = (line.split() for line in proc_text(self.memory / "memory.stat").splitlines())
        stat = {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
        if not used.isdigit() or of_files not in stat:
            return None
        return max(0, int(used) - stat[of_files])

    def processor_seconds(self) -> float | None:
        """Processor time so far."""
        if self.processor is None:
            return None
        if self.unified:
            words = proc_text(self.processor / "cpu.stat").split()
            return int(words[1]) / 1e6 if words[:1] == ["usage_usec"] else None
        used = _number(self.processor / "cpuacct.usage")
        return used / 1e9 if used is not None else None


def _mounted(root: Path, name: str, together: str, path: str) -> Path:
    """Controllers that are mounted together have one folder, and often a link by each name."""
    alone = root / name
    return (alone if alone.exists() else root / together) / path


def _number(path: Path) -> int | None:
    text = proc_text(path).strip()
    return int(text) if text.isdigit() else None


class MemoryWatch:
    """Looks twenty times a second for as long as the container runs; `mark` begins a new part."""

    def __init__(self, group: ControlGroup) -> None:
        self._group = group
        self._peak: int | None = None
        self._last: int | None = None
        self._processor: float | None = None
        self._begun = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imgopt-memory", daemon=True)
        self._thread.start()

    def __enter__(self) -> MemoryWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(5)

    @property
    def seconds(self) -> float:
        """How long was looked."""
        return time.monotonic() - self._begun

    def mark(self) -> int | None:
        """The most bytes since the last mark."""
        self._look()
        peak, self._peak = self._peak, self._last
        return peak

    def now(self) -> int | None:
        """What it holds now."""
        self._look()
        return self._last

    def processor_seconds(self) -> float | None:
        """Processor time so far, or until it ended."""
        self._look()
        return self._processor

    def _run(self) -> None:
        while not self._over.wait(_PAUSE):
            self._look()

    def _look(self) -> None:
        used = self._group.bytes_used()
        processor = self._group.processor_seconds()
        self._processor = self._processor if processor is None else processor
        if used is not None:
            self._last = used
            self._peak = max(self._peak or 0, used)
