"""Where everything of the local cluster lies.

IMGOPT_CLUSTER_DATA is the folder of everything that is kept (binaries, Go's caches, CNI programs)
and of what runs; as root /var/lib/imgopt-cluster, else $XDG_CACHE_HOME/imgopt-cluster.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
VERSION = "1.34.4"
"""Of Kubernetes; samples/cluster/parts/go.mod names the same."""


def say(text: str) -> None:
    print(f"cluster: {text}", file=sys.stderr, flush=True)


def give_up(text: str, *hints: str) -> NoReturn:
    """The environment lacks something: exit code 3, as imgopt's own commands."""
    for line in (text, *hints):
        say(line)
    raise SystemExit(3)


def data_folder() -> Path:
    own = os.environ.get("IMGOPT_CLUSTER_DATA")
    if own:
        return Path(own).resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/imgopt-cluster")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imgopt-cluster"


@dataclass(frozen=True)
class Layout:
    """One cluster: `kind` is "api" (etcd and the API server, no root) or "node" (everything)."""

    data: Path
    kind: str

    @property
    def run(self) -> Path:
        """State of what runs; goes when it ends."""
        return self.data / self.kind

    @property
    def name(self) -> str:
        """Of its control groups and its folder of sockets: one for each data folder."""
        return f"imgopt-cluster-{hashlib.sha256(str(self.data).encode()).hexdigest()[:8]}"

    @property
    def sockets(self) -> Path:
        """A short path: a socket's has at most 107 characters."""
        return Path("/run") / self.name

    @property
    def about(self) -> Path:
        """What others need to use it: `imgopt deploy prove` reads this file."""
        return self.run / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        return self.run / "kubeconfig"

    def folder(self, *names: str) -> Path:
        path = self.run.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def read_about(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self.about.read_text())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def write_whole(path: Path, text: str) -> None:
    """Never half a file, whenever we are killed."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)
