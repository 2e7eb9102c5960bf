"""Ends a cluster and puts the machine back as it was, also what a killed start or stop left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from layout import Layout, say
from processes import end, end_parts, marked, until

SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""What a kubelet sets for the whole machine, whatever namespace it is in."""
_CONTROL = ("kube-proxy", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")


def note_settings(layout: Layout) -> None:
    """What was there before; a note that is there already is of a start that was killed, and
    truer."""
    note = layout.data / "sysctl.before"
    if not note.exists():
        lines = [
            f"{name}={_setting(name).read_text().strip()}"
            for name in SYSCTLS
            if _setting(name).exists()
        ]
        new = note.with_name("sysctl.before.new")
        new.write_text("\n".join(lines) + "\n")
        new.replace(note)


def _setting(name: str) -> Path:
    return Path("/proc/sys") / name


def _restore_settings(layout: Layout) -> None:
    note = layout.data / "sysctl.before"
    if not note.exists():
        return
    for line in note.read_text().splitlines():
        name, _, value = line.partition("=")
        if _setting(name).read_text().strip() != value:
            _setting(name).write_text(value)
    note.unlink()


def put_back(layout: Layout) -> bool:
    """Whether there was anything of this cluster. Pods are not asked to end: their node is gone."""
    found = layout.run.exists() or bool(marked(layout))
    end_parts(layout, sorted(_noted(layout, "kubelet")), grace=5.0)
    if layout.kind == "node":
        end_group(layout.name)
    end_parts(layout, sorted(_noted(layout, "containerd")), grace=5.0)
    end_parts(layout, _CONTROL, grace=5.0)
    end(marked(layout))
    if layout.kind == "node":
        until(lambda: not end_group(layout.name), 10.0)
        _unmount(layout)
        _restore_settings(layout)
        shutil.rmtree(layout.sockets, ignore_errors=True)
    _remove(layout.run)
    return found


def _noted(layout: Layout, part: str) -> list[str]:
    return [path.name for path in (layout.run / "pid").glob(f"{part}*")]


def cgroup_roots() -> list[Path]:
    """Where the hierarchies are that a kubelet uses: many (version 1) or one (version 2)."""
    first = [root for root, kind in _hierarchies().items() if kind == "cgroup"]
    return first or list(_hierarchies())


def _hierarchies() -> dict[Path, str]:
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return {Path(where): kind for _, where, kind, *_ in lines if kind in ("cgroup", "cgroup2")}


def end_group(group: str) -> bool:
    """SIGKILL to all in a control group and below, then away with it; whether anything is left."""
    left = False
    for root in _hierarchies():  # runc makes one in each, whether it is used or not
        for folder, _, _ in os.walk(root / group, topdown=False):
            with contextlib.suppress(OSError):
                for pid in (Path(folder) / "cgroup.procs").read_text().split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        left = left or (root / group).exists()
    return left


def mounts_below(*folders: Path) -> list[str]:
    """The innermost first."""
    wanted = tuple(f"{folder}/" for folder in folders)
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return sorted(
        (where for _, where, *_ in map(str.split, lines) if where.startswith(wanted)), reverse=True
    )


def _unmount(layout: Layout) -> None:
    """Mounts are in the cluster's own namespace, and went with its last process; this is for one
    that escaped."""
    for where in mounts_below(layout.run, layout.sockets):
        subprocess.run(["umount", "--lazy", where], capture_output=True)


def _remove(folder: Path) -> None:
    """Never through a mount."""
    if mounts_below(folder):
        say(f"{folder} is left: something is still mounted below it")
        return

    def gone() -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    # containerd and the kubelet may write a last file while the folder goes
    until(gone, 5.0)
