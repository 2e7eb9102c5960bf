"""Builds the parts from Go modules, once, into the data folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layout import HERE, VERSION, give_up, say

API = ("etcd", "kube-apiserver", "kubectl")
NODE = (*API, "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
_COMMAND = "k8s.io/component-base/version"
_STAMP = (
    f"-s -w -X {_COMMAND}.gitVersion=v{VERSION} -X {_COMMAND}.gitMajor=1"
    f" -X {_COMMAND}.gitMinor={VERSION.split('.')[1]} -X {_COMMAND}.gitTreeState=clean"
    f" -X {_COMMAND}.buildDate=2026-01-01T00:00:00Z"
)
"""Without it every part says that it is v0.0.0-master."""

_QUICK = ("-gcflags", "all=-N -l -dwarf=false")
"""An API server that answers a few hundred times need not be optimized: 378 s of processor time
instead of 491 to build it."""


def programs(data: Path, kind: str) -> Path | None:
    """Folder with one name for each part, if built; those of a node do for an API server."""
    for wanted in ("node", "api") if kind == "api" else ("node",):
        folder = data / "bin" / f"{wanted}-{_key()}"
        if folder.is_dir():
            return folder
    return None


def build(data: Path, kind: str) -> Path:
    """Builds what is not there yet. Two builds at once: the second waits for the first."""
    if found := programs(data, kind):
        return found
    data.joinpath("bin").mkdir(parents=True, exist_ok=True)
    with _alone(data / "bin" / "lock"):
        if found := programs(data, kind):
            return found
        new = data / "bin" / f"{kind}-{_key()}.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        quick = _QUICK if kind == "api" else ()
        _go_build(data, HERE / "parts", new / "parts", ("-tags", kind, *quick, "-ldflags", _STAMP))
        for part in NODE if kind == "node" else API:
            (new / part).symlink_to("parts")
        if kind == "node":
            _go_build(data, HERE / "pause", new / "pause", ("-ldflags", "-s -w"))
        done = new.with_suffix("")
        new.rename(done)
        return done


def _key() -> str:
    """Changes with anything that the programs are made from."""
    whole = hashlib.sha256()
    for source in sorted(path for name in ("parts", "pause") for path in (HERE / name).iterdir()):
        whole.update(source.name.encode() + b"\0" + source.read_bytes())
    return f"{VERSION}-{whole.hexdigest()[:10]}"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is under way; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _go_build(data: Path, module: Path, program: Path, more: tuple[str, ...]) -> None:
    name = f"{program.parent.name.removesuffix('.new')}/{program.name}"
    say(f"building {name}; the first time takes minutes")
    began = time.monotonic()
    command = [
        go_program(),
        "build",
        "-trimpath",
        "-buildvcs=false",
        *more,
        "-o",
        str(program),
        ".",
    ]
    done = subprocess.run(["nice", "-n", "19", *command], cwd=module, env=go_environment(data))
    if done.returncode:
        give_up(
            f"`go build` in {module} failed",
            "it needs the Go module proxy, and 4 GB of disk and memory",
        )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = f"{time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processors"
    say(f"built in {took}, {program.stat().st_size >> 20} MiB")


def go_program() -> str:
    found = shutil.which(os.environ.get("IMGOPT_CLUSTER_GO", "go"), path=_search_path())
    if found is None:
        give_up(
            "the parts of Kubernetes are built by the Go toolchain (1.24 or newer): it is not here",
            "install it from https://go.dev/dl/ and put its bin folder on the PATH",
        )
    return found


def go_environment(data: Path) -> dict[str, str]:
    return {
        **os.environ,
        "GOCACHE": str(data / "go" / "build"),
        "GOMODCACHE": str(data / "go" / "modules"),
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/local/go/bin"
