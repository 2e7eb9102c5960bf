"""Which cluster is asked: the local one (samples/cluster) by the file in which it says where it is,
or the user's by the name of a context; and how kubectl is called there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from imgopt.errors import EnvironmentFailure, InputError

DATA_VARIABLE = "IMGOPT_CLUSTER_DATA"
_SECONDS = 60.0


class LocalNode(msgspec.Struct, frozen=True):
    """One node of the local cluster; each field but the name is a command."""

    name: str
    load: list[str] = msgspec.field(name="import")
    """Takes `docker save` on standard input."""
    images: list[str]
    forget: list[str]
    stop: list[str]
    start: list[str]


class LocalCluster(msgspec.Struct, frozen=True):
    """cluster.json of samples/cluster."""

    schema: str
    version: str
    kind: str
    pid: int | None
    enter: list[str]
    kubectl: str
    kubeconfig: str
    nodes: list[LocalNode]


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def said(self) -> str:
        """The last line of what went wrong."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def json(self) -> dict[str, Any]:
        """Empty for what is none."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Cluster:
    """`enter` goes in front of what runs in its network."""

    name: str
    command: tuple[str, ...]
    enter: tuple[str, ...] = ()
    local: LocalCluster | None = None

    @property
    def nodes(self) -> list[LocalNode]:
        return list(self.local.nodes) if self.local else []

    def kubectl(self, *words: str, text: str | None = None, seconds: float = _SECONDS) -> Answer:
        """Never raises for what the cluster answers; 124 as code where it did not in time."""
        try:
            done = subprocess.run(
                [*self.enter, *self.command, *words],
                input=text,
                stdin=subprocess.DEVNULL if text is None else None,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                start_new_session=True,  # Ctrl-C is for us; what it asks for is cleaned up
            )
        except subprocess.TimeoutExpired:
            return Answer(124, "", f"kubectl {words[0]} did not answer within {seconds:.0f} s")
        except OSError as error:
            raise EnvironmentFailure(
                f"kubectl cannot be started: {error.strerror}", hint="install kubectl"
            ) from None
        return Answer(done.returncode, done.stdout, done.stderr)

    def get(self, *words: str) -> dict[str, Any]:
        return self.kubectl("get", *words, "-o", "json").json()

    def items(self, *words: str) -> list[dict[str, Any]]:
        found = self.get(*words).get("items")
        return found if isinstance(found, list) else []

    def version(self) -> str:
        """Of the API server; "" where it does not answer."""
        server = self.kubectl("version", "-o", "json", seconds=20.0).json().get("serverVersion")
        return str(server.get("gitVersion", "")) if isinstance(server, dict) else ""


def data_folders() -> list[Path]:
    """Where samples/cluster keeps what runs, most likely first."""
    if own := os.environ.get(DATA_VARIABLE):
        return [Path(own)]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [Path("/var/lib/imgopt-cluster"), cache / "imgopt-cluster"]


def local_cluster(*, nodes: bool, folders: Sequence[Path] | None = None) -> Cluster | None:
    """The one that runs here; `nodes`: one with nodes, not an API server alone."""
    for folder in data_folders() if folders is None else folders:
        for kind in ("node",) if nodes else ("api", "node"):
            found = _read(folder / kind / "cluster.json")
            if found is not None and _lives(found):
                command = (found.kubectl, "--kubeconfig", found.kubeconfig)
                return Cluster("local", command, tuple(found.enter), found)
    return None


def _read(path: Path) -> LocalCluster | None:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=LocalCluster)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.schema == "imgopt/cluster/1" else None


def _lives(found: LocalCluster) -> bool:
    """A file outlives what it speaks of where that was killed."""
    try:
        words = Path(f"/proc/{found.pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"kube-apiserver" in words


def named_cluster(context: str) -> Cluster:
    """A context of the user's kubeconfig. Raises InputError for a name that it has not, and
    EnvironmentFailure where there is no kubectl or the cluster does not answer."""
    program = shutil.which("kubectl")
    if program is None:
        raise EnvironmentFailure("--context needs kubectl", hint="install kubectl")
    plain = Cluster(context, (program,))
    known = plain.kubectl("config", "get-contexts", "-o", "name").out.split()
    if context not in known:
        there = f"there are {', '.join(known)}" if known else "your kubeconfig has none"
        raise InputError(f"no context {context!r}: {there}", hint="kubectl config get-contexts")
    cluster = Cluster(context, (program, "--context", context))
    if not cluster.version():
        raise EnvironmentFailure(
            f"the cluster of context {context} does not answer",
            hint=f"kubectl --context {context} version",
        )
    return cluster
