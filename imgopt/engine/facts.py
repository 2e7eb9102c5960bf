"""What this engine is and what it lets us measure, as `imgopt doctor` shows it."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FAN_CLASS_NOTIF = 0x0
_FAN_CLOEXEC = 0x1


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """`None` in the two `..._reason` fields means: possible. `endpoint` is the address that was used."""

    endpoint: str
    version: str
    api_version: str
    buildx_version: str
    platform: str
    store: str
    containerd_store: bool
    data_root: str
    cgroup_version: str
    rootless: bool
    local: bool
    trace_reason: str | None
    store_reason: str | None


def gather(endpoint: str, version: dict[str, Any], info: dict[str, Any], buildx: str) -> EngineFacts:
    """From the engine's own `version` and `info` answers and a look at this machine."""
    local = is_local(endpoint, info)
    rootless = any("rootless" in str(option) for option in info.get("SecurityOptions") or ())
    root = str(info.get("DockerRootDir", ""))
    return EngineFacts(
        endpoint=endpoint,
        version=str(version.get("Version", "")),
        api_version=str(version.get("ApiVersion", "")),
        buildx_version=buildx,
        platform=f"{version.get('Os', '')}/{version.get('Arch', '')}",
        store=str(info.get("Driver", "")),
        containerd_store=_containerd_store(info),
        data_root=root,
        cgroup_version=str(info.get("CgroupVersion", "")),
        rootless=rootless,
        local=local,
        trace_reason=_trace_reason(local),
        store_reason=_store_reason(local, root),
    )


def is_local(endpoint: str, info: dict[str, Any]) -> bool:
    """Whether the engine sees this machine's files, processes and ports: a socket here, this kernel, this host name.
    (Docker Desktop's socket leads into a virtual machine, with another kernel.)"""
    return (
        endpoint.startswith("unix://")
        and info.get("KernelVersion") == platform.release()
        and info.get("Name") == socket.gethostname()
    )


def _containerd_store(info: dict[str, Any]) -> bool:
    return any("io.containerd.snapshotter" in str(pair) for pair in info.get("DriverStatus") or ())


def _trace_reason(local: bool) -> str | None:
    if not local:
        return "the engine is not on this machine"
    if platform.system() != "Linux":
        return "fanotify is a Linux interface"
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.fanotify_init(_FAN_CLASS_NOTIF | _FAN_CLOEXEC, os.O_RDONLY)
    if descriptor < 0 or os.geteuid() != 0:
        if descriptor >= 0:
            os.close(descriptor)
        return "watching a container's files needs root"
    os.close(descriptor)
    return None


def _store_reason(local: bool, root: str) -> str | None:
    if not local:
        return "the engine is not on this machine"
    if not root or not Path(root).is_dir() or not os.access(root, os.R_OK | os.X_OK):
        return f"{root or 'the data folder'} cannot be read by this user"
    return None
