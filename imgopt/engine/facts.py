"""What this engine is and what it lets us measure, as `imgopt doctor` shows it."""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imgopt.endpoint import Endpoint, is_local

_FAN_CLASS_NOTIF = 0x0
_FAN_CLOEXEC = 0x1
_ELSEWHERE = "the engine is not on this machine"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """`None` in a `..._reason` field means: possible. `endpoint` is the address that was used,
    `origin` says in words where it came from."""

    endpoint: str
    origin: str
    kind: str
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
    port_reason: str | None
    build_reason: str | None

    @property
    def process_reason(self) -> str | None:
        return None if self.local else _ELSEWHERE

    @property
    def costs(self) -> tuple[str, ...]:
        """What a proof on this engine does without, each in one clause."""
        lost = (
            ("no build", self.build_reason),
            ("ports are not asked", self.port_reason),
            ("processes and memory are not looked at", self.process_reason),
            ("opened files are not measured", self.trace_reason),
            ("images are read by the engine's API, which takes longer", self.store_reason),
        )
        return tuple(f"{what}: {reason}" for what, reason in lost if reason is not None)


def gather(
    endpoint: Endpoint,
    version: dict[str, Any],
    info: dict[str, Any],
    buildx: str,
    build_reason: str | None = None,
) -> EngineFacts:
    """From the engine's own `version` and `info` answers and a look at this machine."""
    local = is_local(endpoint.host, info)
    rootless = any("rootless" in str(option) for option in info.get("SecurityOptions") or ())
    root = str(info.get("DockerRootDir", ""))
    return EngineFacts(
        endpoint=endpoint.host,
        origin=endpoint.origin,
        kind=_kind(version, info, rootless),
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
        store_reason=_store_reason(local, root, info),
        port_reason=_port_reason(endpoint),
        build_reason=build_reason,
    )


def is_podman(version: dict[str, Any]) -> bool:
    """Whether another engine answers by Docker's API."""
    return any(
        "podman" in str(part.get("Name", "")).lower() for part in version.get("Components") or ()
    )


def _kind(version: dict[str, Any], info: dict[str, Any], rootless: bool) -> str:
    name = "Podman" if is_podman(version) else "Docker"
    if "Docker Desktop" in str(info.get("OperatingSystem", "")):
        name = "Docker Desktop"
    return f"rootless {name}" if rootless else name


def _port_reason(endpoint: Endpoint) -> str | None:
    """Ports are published on 127.0.0.1 of the engine's machine: never ask another machine's port of
    that number."""
    if endpoint.host.startswith(("unix://", "npipe://")):
        return None  # this machine, or a virtual one that hands its published ports on
    if urlsplit(endpoint.host).hostname in ("localhost", "127.0.0.1", "::1"):
        return None if endpoint.host.startswith("tcp://") else _ELSEWHERE
    return _ELSEWHERE


def _containerd_store(info: dict[str, Any]) -> bool:
    return any("io.containerd.snapshotter" in str(pair) for pair in info.get("DriverStatus") or ())


def _trace_reason(local: bool) -> str | None:
    if not local:
        return _ELSEWHERE
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


def _store_reason(local: bool, root: str, info: dict[str, Any]) -> str | None:
    from imgopt.image.store import DRIVERS

    if not local:
        return _ELSEWHERE
    if not _containerd_store(info) and info.get("Driver") not in DRIVERS:
        return f"the storage driver {info.get('Driver')} is not one that imgopt reads"
    if not root or not Path(root).is_dir() or not os.access(root, os.R_OK | os.X_OK):
        return f"{root or 'the data folder'} cannot be read by this user"
    return None
