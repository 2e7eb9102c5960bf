"""A namespace of a trial's own: made, used, removed, whatever happens in between."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from imgopt.deploy.prove.cluster import Cluster
from imgopt.errors import EnvironmentFailure, Interrupted

LABEL = "imgopt.local/trial"
_OWNER = "imgopt.local/owner"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_REMOVAL_SECONDS = 90.0
RESTRICTED = {
    "pod-security.kubernetes.io/warn": "restricted",
    "pod-security.kubernetes.io/warn-version": "latest",
}


@contextmanager
def own_namespace(cluster: Cluster, *, wait: bool = True) -> Iterator[str]:
    """Its name. SIGINT, SIGTERM and SIGHUP raise Interrupted inside, and nothing while it is being
    removed. What a killed run of this machine left is removed first."""
    sweep(cluster)
    name = f"imgopt-trial-{secrets.token_hex(4)}"
    with interruptible() as closing:
        made = cluster.kubectl("create", "-f", "-", text=json.dumps(_namespace(name)))
        try:
            if not made.ok:
                raise EnvironmentFailure(
                    f"no namespace could be made in {cluster.name}: {made.said}",
                    hint="a trial needs the right to make and remove a namespace",
                )
            yield name
        finally:
            closing()
            remove(cluster, name, wait=wait)


def _namespace(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {LABEL: "true", **RESTRICTED},
            "annotations": {_OWNER: _owner(os.getpid())},
        },
    }


def _owner(pid: int) -> str:
    return f"{socket.gethostname()} {pid} {_start_of(pid)}"


def _start_of(pid: int) -> str:
    """Ticks since boot; "" where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def remove(cluster: Cluster, name: str, *, wait: bool = True) -> None:
    words = ("delete", "namespace", name, "--ignore-not-found", "--wait=false")
    cluster.kubectl(*words)
    # pods may take their grace; nobody needs their answers any more
    cluster.kubectl(
        *("delete", "pods", "--all", "-n", name, "--grace-period=1", "--wait=false"), seconds=20.0
    )
    if cluster.local and not cluster.nodes:  # no controller is there that would end it
        nothing = {**_namespace(name), "spec": {"finalizers": []}}
        path = f"/api/v1/namespaces/{name}/finalize"
        cluster.kubectl("replace", "--raw", path, "-f", "-", text=json.dumps(nothing))
    elif wait:
        wanted = ("wait", "--for=delete", f"namespace/{name}", f"--timeout={_REMOVAL_SECONDS:.0f}s")
        cluster.kubectl(*wanted, seconds=_REMOVAL_SECONDS + 5)


def sweep(cluster: Cluster) -> None:
    """Namespaces whose trial ran on this machine and was killed."""
    for one in cluster.items("namespaces", "-l", LABEL):
        metadata = one.get("metadata") or {}
        owner = str((metadata.get("annotations") or {}).get(_OWNER, ""))
        if is_orphan(owner):
            remove(cluster, str(metadata.get("name")), wait=False)


def is_orphan(owner: str) -> bool:
    host, _, rest = owner.partition(" ")
    pid, _, started = rest.partition(" ")
    return host == socket.gethostname() and pid.isdigit() and _start_of(int(pid)) != started


@contextmanager
def interruptible() -> Iterator[Any]:
    """Signals that end a program raise Interrupted; not after the function that is yielded was
    called."""
    is_closing = False
    before: dict[int, Any] = {}

    def close() -> None:
        nonlocal is_closing
        is_closing = True

    def interrupt(number: int, _: FrameType | None) -> None:
        if not is_closing:
            raise Interrupted(f"interrupted by {signal.Signals(number).name}")

    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                before[number] = signal.signal(number, interrupt)
    try:
        yield close
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
